internal import CKernels
import Glibc

/// A constant right-hand operand B of a Gemm in the order its kernel reads.
///
/// Panels of NR columns follow each other, each [depth][NR] with the columns past the end zero, on a 64-byte boundary
/// (a huge page's where it pays). NR is that of the table it was packed for.
///
/// `@unchecked Sendable`: the storage is written in `init` and only read afterwards.
@safe package final class PackedMatrix: @unchecked Sendable {
  /// Rows K and columns N of B.
  package let depth: Int
  package let columns: Int
  package let table: KernelTable
  /// Size of the storage.
  package let byteCount: Int
  let panels: UnsafePointer<Float>

  /// Packs alpha B.
  ///
  /// - Parameters:
  ///   - source: B as float32 in this machine's byte order, at any address: row-major [depth x columns], or
  ///     [columns x depth] when `isTransposed`. It has at least depth * columns values.
  ///   - pool: Threads that share the work.
  package init(
    depth: Int, columns: Int, source: UnsafeRawBufferPointer, isTransposed: Bool = false, alpha: Float = 1,
    table: KernelTable = .current, pool: ThreadPool = .shared
  ) {
    precondition(depth >= 0 && columns >= 0 && source.count / 4 >= depth * columns, "the source is too short")
    self.depth = depth
    self.columns = columns
    self.table = table
    byteCount = table.panelByteCount(depth: depth, columns: columns)
    let storage = unsafe Self.allocate(byteCount)
    unsafe panels = UnsafePointer(storage)
    guard let start = source.baseAddress else { return }
    unsafe PanelPacking(
      depth: depth, columns: columns, source: start, stride: isTransposed ? depth : columns,
      isTransposed: isTransposed, alpha: alpha, panels: storage, kernel: table.gemm
    ).run(pool)
  }

  deinit { unsafe free(UnsafeMutablePointer(mutating: panels)) }

  private static let hugePage = 2 << 20

  private static func allocate(_ byteCount: Int) -> UnsafeMutablePointer<Float> {
    let isLarge = byteCount >= 2 * hugePage
    let alignment = isLarge ? hugePage : 64
    let size = (max(byteCount, 1) + alignment - 1) / alignment * alignment
    guard let memory = unsafe aligned_alloc(alignment, size) else {
      fatalError("out of memory: \(size) bytes for packed weights")
    }
    if isLarge { unsafe madvise(memory, size, Int32(MADV_HUGEPAGE)) }
    return unsafe memory.bindMemory(to: Float.self, capacity: size / 4)
  }
}

extension KernelTable {
  /// Bytes of B [depth x columns] packed into panels.
  func panelByteCount(depth: Int, columns: Int) -> Int {
    (columns + gemmColumns - 1) / gemmColumns * gemmColumns * depth * MemoryLayout<Float>.stride
  }
}

/// One packing of B into panels.
@unsafe struct PanelPacking {
  let depth: Int
  let columns: Int
  let source: UnsafeRawPointer
  /// Values between the starts of the source's rows.
  let stride: Int
  let isTransposed: Bool
  let alpha: Float
  let panels: UnsafeMutablePointer<Float>
  let kernel: nn_gemm_f32_kernel

  func run(_ pool: ThreadPool) {
    let panelCount = unsafe (columns + kernel.nr - 1) / kernel.nr
    let values = unsafe depth * columns
    let tasks = WorkEstimate(nanoseconds: Double(values) * 0.5).taskCount(most: panelCount, pool)
    let panelsPerTask = (panelCount + tasks - 1) / max(tasks, 1)
    unsafe withUnsafePointer(to: (self, panelsPerTask)) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        let (packing, panelsPerTask) = unsafe context.assumingMemoryBound(to: (PanelPacking, Int).self).pointee
        unsafe packing.pack(panels: task * panelsPerTask, count: panelsPerTask)
      }
    }
  }

  private func pack(panels first: Int, count: Int) {
    let nr = unsafe kernel.nr
    for column in unsafe Swift.stride(from: first * nr, to: min((first + count) * nr, columns), by: nr) {
      let start = unsafe source + column * (isTransposed ? self.stride : 1) * MemoryLayout<Float>.stride
      unsafe kernel.pack_b(
        depth, min(nr, columns - column), start, self.stride, isTransposed, alpha, panels + column * depth)
    }
  }
}
