internal import CKernels

/// One value for each contiguous row of float32 [rows x columns], in one fixed order of 16 lanes of double precision, the
/// same on every instruction set. NaN in a row gives NaN.
package enum RowReduction: Int, CaseIterable, Sendable {
  case sum
  case squareSum
  case magnitudeSum
  /// -inf for an empty row.
  case largest
  /// inf for an empty row.
  case smallest

  /// Writes `finish` of each row's value to `y`.
  package func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, columns: Int, pool: ThreadPool,
    table: KernelTable = .current, finish: (Double) -> Double
  ) {
    let estimate = WorkEstimate(nanoseconds: Double(rows) * Double(columns) * 0.2 + Double(rows) * 10)
    let tasks = max(estimate.taskCount(most: rows, pool), 1)
    let share = (rows + tasks - 1) / tasks
    let kernels = unsafe table.rows
    pool.parallelFor(tasks: tasks) { task in
      unsafe apply(
        x, y, rows: min(task * share, rows)..<min((task + 1) * share, rows), columns: columns, kernels, finish)
    }
  }

  private func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Range<Int>, columns: Int,
    _ kernels: UnsafePointer<nn_row_f32_kernels>, _ finish: (Double) -> Double
  ) {
    let function =
      switch self {
      case .sum: unsafe kernels.pointee.reductions.0
      case .squareSum: unsafe kernels.pointee.reductions.1
      case .magnitudeSum: unsafe kernels.pointee.reductions.2
      case .largest: unsafe kernels.pointee.reductions.3
      case .smallest: unsafe kernels.pointee.reductions.4
      }
    let blockRows = 32
    unsafe withUnsafeTemporaryAllocation(of: Double.self, capacity: blockRows) { block in
      guard let values = block.baseAddress else { return }
      for first in stride(from: rows.lowerBound, to: rows.upperBound, by: blockRows) {
        let count = min(blockRows, rows.upperBound - first)
        unsafe function(count, columns, x + first * columns, values)
        for row in 0..<count { unsafe y[first + row] = Float(finish(values[row])) }
      }
    }
  }
}
