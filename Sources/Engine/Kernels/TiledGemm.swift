internal import CKernels

/// A Gemm of many rows, in the manner of BLIS: A is packed into tiles that stay in the second-level cache while the
/// panels of B pass by.
///
/// The outer loops take up to `chunkRows` rows and `sectionDepth` of depth; inside, the packing and then the products
/// are shared between threads by panels, and by tiles where panels are few. What is multiplied next is packed meanwhile.
/// The tiles of a chunk differ by at most one row, so that none is so low that reading B dominates.
@unsafe struct TiledGemm {
  private let operands: GemmOperands
  private let packed: UnsafeMutablePointer<Float>

  init(_ operands: GemmOperands, _ scratch: UnsafeMutableRawPointer) {
    unsafe self.operands = operands
    unsafe packed = scratch.assumingMemoryBound(to: Float.self)
  }

  func run(_ pool: ThreadPool) {
    let depth = unsafe operands.depth
    let bufferLength = unsafe operands.table.sectionLength(rows: operands.rows, depth: depth)
    var (current, isSecond) = unsafe (nil as GemmSection?, false)
    for rows in unsafe Runs(of: operands.rows, most: operands.table.chunkRows) {
      var start = 0
      repeat {
        let end = min(depth, start + Gemm.sectionDepth)
        // A single thread packs after it has multiplied, so one buffer does.
        let buffer = unsafe packed + (isSecond && pool.threadCount > 1 ? bufferLength : 0)
        let next = unsafe GemmSection(operands, buffer, rows: rows, depths: start..<end, pool)
        unsafe GemmPhase(multiplied: current, packed: next).run(pool)
        unsafe (current, isSecond) = (next, !isSecond)
        start = end
      } while start < depth
    }
    unsafe GemmPhase(multiplied: current, packed: nil).run(pool)
  }
}

/// What threads do between two barriers: multiply one section and pack the next, either of which may be missing.
@unsafe private struct GemmPhase {
  let multiplied: GemmSection?
  let packed: GemmSection?

  func run(_ pool: ThreadPool) {
    let (products, packings) = unsafe (multiplied?.taskCount ?? 0, packed?.packingCount ?? 0)
    let isShared = unsafe multiplied?.isShared ?? packed?.isPackingShared(pool) ?? false
    guard isShared else {
      for task in 0..<products { unsafe multiplied?.multiply(task: task) }
      for task in 0..<packings { unsafe packed?.pack(task: task) }
      return
    }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: products + packings, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: GemmPhase.self).pointee.run(task: task)
      }
    }
  }

  /// The first product, then the packings, then the other products: while one thread waits for memory, another computes.
  private func run(task: Int) {
    let (products, packings) = unsafe (multiplied?.taskCount ?? 0, packed?.packingCount ?? 0)
    let first = min(products, 1)
    if task < first {
      unsafe multiplied?.multiply(task: task)
    } else if task < first + packings {
      unsafe packed?.pack(task: task - first)
    } else {
      unsafe multiplied?.multiply(task: task - packings)
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

  /// Values of A that are packed at a time.
  func sectionLength(rows: Int, depth: Int) -> Int { min(rows, chunkRows) * min(depth, Gemm.sectionDepth) }

  /// Bytes of the packed parts of A: one, or two where there is a next one.
  func packedTileByteCount(rows: Int, depth: Int) -> Int {
    let parts = rows <= chunkRows && depth <= Gemm.sectionDepth ? 1 : 2
    return parts * sectionLength(rows: rows, depth: depth) * MemoryLayout<Float>.stride
  }
}
