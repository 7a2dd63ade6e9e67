internal import CKernels

/// A constant right-hand operand B of a Gemm in the order its kernel reads, in float32 or rounded to bfloat16.
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
  package let precision: EngineOptions.Precision
  private let memory: PackedMemory

  /// Size of the storage.
  package var byteCount: Int { memory.byteCount }
  var panels: UnsafeRawPointer { unsafe UnsafeRawPointer(memory.base) }

  /// Packs alpha B, which is rounded once when the precision is bfloat16.
  ///
  /// - Parameters:
  ///   - source: B as float32 in this machine's byte order, at any address: row-major [depth x columns], or
  ///     [columns x depth] when `isTransposed`. It has at least depth * columns values.
  ///   - pool: Threads that share the work.
  /// - Throws: `EngineError` when there is no memory for the panels.
  package init(
    depth: Int, columns: Int, source: UnsafeRawBufferPointer, isTransposed: Bool = false, alpha: Float = 1,
    precision: EngineOptions.Precision = .float32, table: KernelTable = .current, pool: ThreadPool = .shared
  ) throws(EngineError) {
    precondition(depth >= 0 && columns >= 0 && source.count / 4 >= depth * columns, "the source is too short")
    self.depth = depth
    self.columns = columns
    self.table = table
    self.precision = precision
    memory = try PackedMemory(byteCount: table.panelByteCount(depth: depth, columns: columns, precision: precision))
    guard let start = source.baseAddress else { return }
    unsafe PanelPacking(
      depth: depth, columns: columns, source: start, stride: isTransposed ? depth : columns,
      isTransposed: isTransposed, alpha: alpha, panels: memory.base, nr: table.gemmColumns,
      form: table.gemmForm(precision)
    ).run(pool)
  }

  /// Weights with the padding of the last panel.
  package var paddedCount: Int { byteCount / weightSize }
  /// Bytes of a weight.
  package var weightSize: Int { unsafe table.gemmForm(precision).pointee.weight_size }
}

extension KernelTable {
  /// Bytes of B [depth x columns] packed into panels.
  package func panelByteCount(
    depth: Int, columns: Int, precision: EngineOptions.Precision = .float32
  ) -> Int {
    let weightSize = unsafe gemmForm(precision).pointee.weight_size
    return (columns + gemmColumns - 1) / gemmColumns * gemmColumns * depth * weightSize
  }
}

/// Rows of B that are packed for all panels before the next rows, so that a row-major source is read in order.
private let rowsAtATime = 32

/// One packing of B into panels.
@unsafe struct PanelPacking {
  let depth: Int
  let columns: Int
  let source: UnsafeRawPointer
  /// Values between the starts of the source's rows.
  let stride: Int
  let isTransposed: Bool
  let alpha: Float
  let panels: UnsafeMutableRawPointer
  let nr: Int
  let form: UnsafePointer<nn_gemm_form_f32>

  func run(_ pool: ThreadPool) {
    let pieces = unsafe isTransposed ? panelCount : (depth + rowsAtATime - 1) / rowsAtATime
    let estimate = unsafe WorkEstimate(nanoseconds: Double(depth) * Double(columns) * 0.5)
    let wanted = max(1, estimate.taskCount(most: pieces, pool))
    unsafe withUnsafePointer(to: (self, pieces, wanted)) { pointer in
      unsafe pool.parallelFor(tasks: wanted, context: UnsafeRawPointer(pointer)) { context, task in
        let (packing, pieces, tasks) = unsafe context.assumingMemoryBound(to: (PanelPacking, Int, Int).self).pointee
        unsafe packing.pack(pieces * task / tasks..<pieces * (task + 1) / tasks)
      }
    }
  }

  private var panelCount: Int { unsafe (columns + nr - 1) / nr }

  /// Packs whole panels of a transposed source, or groups of rows of the other.
  private func pack(_ pieces: Range<Int>) {
    for piece in pieces {
      if unsafe isTransposed {
        unsafe pack(panel: piece, depths: 0..<depth)
      } else {
        let depths = unsafe piece * rowsAtATime..<min((piece + 1) * rowsAtATime, depth)
        for panel in unsafe 0..<panelCount { unsafe pack(panel: panel, depths: depths) }
      }
    }
  }

  private func pack(panel: Int, depths: Range<Int>) {
    let column = unsafe panel * nr
    let offset = unsafe isTransposed ? column * stride + depths.lowerBound : depths.lowerBound * stride + column
    unsafe form.pointee.pack_b(
      depths.count, min(nr, columns - column), source + offset * MemoryLayout<Float>.stride, stride, isTransposed,
      alpha, panels + (column * depth + depths.lowerBound * nr) * form.pointee.weight_size)
  }
}
