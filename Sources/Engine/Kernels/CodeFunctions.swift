internal import CKernels

/// From floats to codes of 8 bits.
package enum CodeFunctions {
  /// The least and the largest of some values and 0; NaN does not count.
  package static func range(
    _ x: UnsafePointer<Float>, count: Int, pool: ThreadPool, table: KernelTable = .current
  ) -> (lowest: Float, highest: Float) {
    let estimate = WorkEstimate(nanoseconds: Double(count) * 0.1)
    let tasks = max(1, min(estimate.taskCount(most: (count + 4095) / 4096, pool), mostTasks))
    var parts = InlineArray<64, (Float, Float)>(repeating: (0, 0))
    let function = unsafe table.codes.pointee.range
    if tasks == 1 {
      var (lowest, highest): (Float, Float) = (0, 0)
      unsafe function(count, x, &lowest, &highest)
      return (lowest, highest)
    }
    unsafe withUnsafeMutablePointer(to: &parts) { pointer in
      let target = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: (Float, Float).self)
      var context = unsafe RangeTask(x: x, count: count, tasks: tasks, target: target, function: function)
      unsafe withUnsafePointer(to: &context) { context in
        unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(context)) { context, task in
          unsafe context.assumingMemoryBound(to: RangeTask.self).pointee.run(task)
        }
      }
    }
    var (lowest, highest): (Float, Float) = (0, 0)
    for task in 0..<tasks {
      lowest = parts[task].0 < lowest ? parts[task].0 : lowest
      highest = parts[task].1 > highest ? parts[task].1 : highest
    }
    return (lowest, highest)
  }

  private static let mostTasks = 64

  /// The largest magnitude of each row; NaN when it holds one.
  package static func magnitudes(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, into y: UnsafeMutablePointer<Float>, pool: ThreadPool,
    table: KernelTable = .current
  ) {
    let estimate = WorkEstimate(nanoseconds: Double(rows) * Double(columns) * 0.1)
    let tasks = max(1, estimate.taskCount(most: rows, pool))
    let work = unsafe MagnitudeTask(
      x: x, rows: rows, columns: columns, tasks: tasks, y: y, function: table.codes.pointee.magnitudes)
    if tasks == 1 { return unsafe work.run(0) }
    unsafe withUnsafePointer(to: work) { context in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(context)) { context, task in
        unsafe context.assumingMemoryBound(to: MagnitudeTask.self).pointee.run(task)
      }
    }
  }

  /// The low bytes of round(x / scale) + zero within bounds, ties to even; a NaN becomes the lowest.
  package static func quantise(
    _ x: UnsafePointer<Float>, count: Int, scale: Float, zero: Int32, lowest: Int32, highest: Int32,
    into y: UnsafeMutablePointer<UInt8>, pool: ThreadPool, table: KernelTable = .current
  ) {
    let estimate = WorkEstimate(nanoseconds: Double(count) * 0.2)
    let tasks = max(1, estimate.taskCount(most: (count + 4095) / 4096, pool))
    let work = unsafe QuantiseTask(
      x: x, count: count, tasks: tasks, scale: scale, zero: zero, lowest: lowest, highest: highest, y: y,
      function: table.codes.pointee.quantise.0)
    if tasks == 1 { return unsafe work.run(0) }
    unsafe withUnsafePointer(to: work) { context in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(context)) { context, task in
        unsafe context.assumingMemoryBound(to: QuantiseTask.self).pointee.run(task)
      }
    }
  }
}

/// One quantisation, shared between threads by pieces.
@unsafe private struct QuantiseTask {
  let x: UnsafePointer<Float>
  let count: Int
  let tasks: Int
  let scale: Float
  let zero: Int32
  let lowest: Int32
  let highest: Int32
  let y: UnsafeMutablePointer<UInt8>
  let function: nn_quantise

  func run(_ task: Int) {
    let first = unsafe count * task / tasks
    let length = unsafe count * (task + 1) / tasks - first
    var (scale, zero) = unsafe (scale, zero)
    unsafe withUnsafePointer(to: &scale) { scale in
      unsafe withUnsafePointer(to: &zero) { zero in
        var scaling = unsafe nn_code_scaling(
          scales: scale, scale_stride: 0, zeros: zero, zero_stride: 0, multiplies: false, lowest: lowest,
          highest: highest)
        unsafe function(1, length, x + first, length, &scaling, y + first, length)
      }
    }
  }
}

private typealias RangeFunction =
  @convention(c) (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void

/// A search for the range, shared between threads by pieces.
@unsafe private struct RangeTask {
  let x: UnsafePointer<Float>
  let count: Int
  let tasks: Int
  let target: UnsafeMutablePointer<(Float, Float)>
  let function: RangeFunction

  func run(_ task: Int) {
    let first = unsafe count * task / tasks
    let length = unsafe count * (task + 1) / tasks - first
    var (lowest, highest): (Float, Float) = (0, 0)
    unsafe function(length, x + first, &lowest, &highest)
    unsafe target[task] = (lowest, highest)
  }
}

/// Magnitudes of rows, shared between threads.
@unsafe private struct MagnitudeTask {
  let x: UnsafePointer<Float>
  let rows: Int
  let columns: Int
  let tasks: Int
  let y: UnsafeMutablePointer<Float>
  let function: @convention(c) (Int, Int, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void

  func run(_ task: Int) {
    let first = unsafe rows * task / tasks
    let count = unsafe rows * (task + 1) / tasks - first
    unsafe function(count, columns, x + first * columns, columns, y + first)
  }
}
