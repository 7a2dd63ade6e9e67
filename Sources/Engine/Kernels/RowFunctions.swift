internal import CKernels

/// Functions of contiguous rows, float32 [rows x columns].
///
/// Each row is reduced in one fixed order: its result depends neither on the other rows nor on the threads, and is the
/// same on every instruction set. `x` and `y` are equal or disjoint. NaN in a row gives NaN in the whole row, except
/// for `affine`, which is element-wise.
package enum RowFunctions {
  /// What a number of values takes on one thread.
  package static func softmaxEstimate(_ count: Int) -> WorkEstimate { WorkEstimate(nanoseconds: Double(count)) }
  package static func layerNormEstimate(_ count: Int) -> WorkEstimate { WorkEstimate(nanoseconds: 0.5 * Double(count)) }
  package static func affineEstimate(_ count: Int) -> WorkEstimate { WorkEstimate(nanoseconds: 0.2 * Double(count)) }

  /// y = exp(x - max) / sum(exp(x - max)) for each row; within 1e-6 + 1e-7 * columns / 16 relative.
  package static func softmax(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, columns: Int, pool: ThreadPool,
    table: KernelTable = .current
  ) {
    unsafe RowTask(.softmax, x, y, rows, columns, table: table).run(pool, softmaxEstimate(rows * columns))
  }

  /// y = x - max - ln(sum(exp(x - max))) for each row; within the error of softmax, absolute, and 1e-7 relative.
  package static func logSoftmax(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, columns: Int, pool: ThreadPool,
    table: KernelTable = .current
  ) {
    unsafe RowTask(.logSoftmax, x, y, rows, columns, table: table).run(pool, softmaxEstimate(rows * columns))
  }

  /// y = (x - mean) / sqrt(variance + epsilon) * scale + offset for each row, the variance about the mean and over
  /// `columns`. Without scale it is 1, without offset 0; the mean is taken as 0 unless `isCentred`, which leaves the root
  /// of the mean square. Mean and 1 / sqrt(variance + epsilon) of each row go to `means` and `inverses`, if given.
  package static func layerNorm(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
    scale: UnsafePointer<Float>?, offset: UnsafePointer<Float>?, isCentred: Bool = true, epsilon: Float,
    means: UnsafeMutablePointer<Float>? = nil, inverses: UnsafeMutablePointer<Float>? = nil, pool: ThreadPool,
    table: KernelTable = .current
  ) {
    unsafe RowTask(
      isCentred ? .layerNorm : .rootMeanSquareNorm, x, y, rows, columns, scale: scale, offset: offset,
      epsilon: epsilon, means: means, inverses: inverses, table: table
    ).run(pool, layerNormEstimate(rows * columns))
  }

  /// y = x * scale + offset, rounded once, with one scale and offset a column.
  package static func affine(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
    scale: UnsafePointer<Float>, offset: UnsafePointer<Float>, pool: ThreadPool, table: KernelTable = .current
  ) {
    unsafe RowTask(.affine, x, y, rows, columns, scale: scale, offset: offset, table: table)
      .run(pool, affineEstimate(rows * columns))
  }
}

/// One row function over a block of rows, shared between threads by rows.
@unsafe struct RowTask {
  enum Function {
    case softmax
    case logSoftmax
    case layerNorm
    case rootMeanSquareNorm
    case affine
  }

  private let function: Function
  private let x: UnsafePointer<Float>
  private let y: UnsafeMutablePointer<Float>
  private let rows: Int
  private let columns: Int
  private let scale: UnsafePointer<Float>?
  private let offset: UnsafePointer<Float>?
  private let epsilon: Float
  private let means: UnsafeMutablePointer<Float>?
  private let inverses: UnsafeMutablePointer<Float>?
  private let kernels: nn_row_f32_kernels
  private var rowsPerTask = 0

  init(
    _ function: Function, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int,
    scale: UnsafePointer<Float>? = nil, offset: UnsafePointer<Float>? = nil, epsilon: Float = 0,
    means: UnsafeMutablePointer<Float>? = nil, inverses: UnsafeMutablePointer<Float>? = nil, table: KernelTable
  ) {
    unsafe self.function = function
    unsafe self.x = x
    unsafe self.y = y
    unsafe self.rows = rows
    unsafe self.columns = columns
    unsafe self.scale = scale
    unsafe self.offset = offset
    unsafe self.epsilon = epsilon
    unsafe self.means = means
    unsafe self.inverses = inverses
    unsafe kernels = table.rows.pointee
  }

  consuming func run(_ pool: ThreadPool, _ estimate: WorkEstimate) {
    guard unsafe rows > 0 && columns > 0 else { return }
    let wanted = unsafe estimate.taskCount(most: rows, pool)
    unsafe rowsPerTask = (rows + wanted - 1) / wanted
    let tasks = unsafe (rows + rowsPerTask - 1) / rowsPerTask
    if tasks == 1 { return unsafe run(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: RowTask.self).pointee.run(task: task)
      }
    }
  }

  private func run(task: Int) {
    let first = unsafe task * rowsPerTask
    let count = unsafe min(rowsPerTask, rows - first)
    let source = unsafe x + first * columns
    let target = unsafe y + first * columns
    switch unsafe function {
    case .softmax: unsafe kernels.softmax(count, columns, source, target)
    case .logSoftmax: unsafe kernels.log_softmax(count, columns, source, target)
    case .layerNorm, .rootMeanSquareNorm:
      unsafe kernels.layer_norm(
        count, columns, source, scale, offset, function == .layerNorm, epsilon, target, means.map { unsafe $0 + first },
        inverses.map { unsafe $0 + first })
    case .affine:
      guard let scale = unsafe scale, let offset = unsafe offset else { return }
      unsafe kernels.affine(count, columns, source, scale, offset, target)
    }
  }
}
