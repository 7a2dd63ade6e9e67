internal import CKernels

/// A Gemm of many rows, in the manner of BLIS: A is packed into tiles that stay in the second-level cache while the
/// panels of B pass by.
///
/// The outer loops take up to `chunkRows` rows and `sectionDepth` of depth; inside, the packing and then the products
/// are shared between threads by panels, and by tiles where panels are few. The tiles of a chunk differ by at most one
/// row, so that none is so low that reading B dominates.
@unsafe struct TiledGemm {
  private let operands: GemmOperands
  private let packed: UnsafeMutablePointer<Float>

  init(_ operands: GemmOperands, _ scratch: UnsafeMutableRawPointer) {
    unsafe self.operands = operands
    unsafe packed = scratch.assumingMemoryBound(to: Float.self)
  }

  func run(_ pool: ThreadPool) {
    let depth = unsafe operands.depth
    for rows in unsafe Runs(of: operands.rows, most: operands.table.chunkRows) {
      var start = 0
      repeat {
        let end = min(depth, start + Gemm.sectionDepth)
        unsafe GemmSection(operands, packed, rows: rows, depths: start..<end).run(pool)
        start = end
      } while start < depth
    }
  }
}

extension Gemm {
  /// Depth of A that is packed at a time.
  static let sectionDepth = 8 * blockDepth
}

extension KernelTable {
  /// Rows of A that are packed at a time.
  var chunkRows: Int { 22 * gemmRows }

  /// Bytes of the packed part of A.
  func packedTileByteCount(rows: Int, depth: Int) -> Int {
    min(rows, chunkRows) * min(depth, Gemm.sectionDepth) * MemoryLayout<Float>.stride
  }
}
