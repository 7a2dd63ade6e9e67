internal import CKernels

/// An element-wise function of two float32 operands with broadcasting over a [rows x columns] result.
package enum BinaryOperation: Int32, CaseIterable, Sendable {
  case add
  case subtract
  case multiply
  case divide
  /// NaN when either operand is.
  case minimum
  case maximum

  /// An operand: its values and how they repeat over the result.
  @unsafe package struct Operand {
    let values: UnsafePointer<Float>
    let rowStride: Int
    let isConstant: Bool

    /// One value for each element, rows `stride` values apart.
    package static func matrix(_ values: UnsafePointer<Float>, stride: Int) -> Operand {
      unsafe Operand(values: values, rowStride: stride, isConstant: false)
    }

    /// One value for each column, the same in every row.
    package static func row(_ values: UnsafePointer<Float>) -> Operand {
      unsafe Operand(values: values, rowStride: 0, isConstant: false)
    }

    /// One value for each row, the same in every column; values `stride` apart.
    package static func column(_ values: UnsafePointer<Float>, stride: Int = 1) -> Operand {
      unsafe Operand(values: values, rowStride: stride, isConstant: true)
    }

    /// One value for all elements.
    package static func scalar(_ value: UnsafePointer<Float>) -> Operand {
      unsafe Operand(values: value, rowStride: 0, isConstant: true)
    }
  }

  /// What a number of values takes on one thread.
  package static func estimate(_ count: Int) -> WorkEstimate { WorkEstimate(nanoseconds: 0.25 * Double(count)) }

  /// Writes `x op y` to `z`, whose rows are `stride` values apart. `z` may equal an operand of its shape and stride.
  package func apply(
    _ x: Operand, _ y: Operand, _ z: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int,
    pool: ThreadPool, table: KernelTable = .current
  ) {
    guard rows > 0, columns > 0 else { return }
    let task = unsafe BinaryTask(self, x, y, z, rows: rows, columns: columns, stride: stride, table: table)
    unsafe task.run(pool)
  }
}

/// One binary operation, shared between threads by rows, or by columns when there is a single row.
@unsafe private struct BinaryTask {
  let function: nn_binary_f32
  let x: BinaryOperation.Operand
  let y: BinaryOperation.Operand
  let z: UnsafeMutablePointer<Float>
  let rows: Int
  let columns: Int
  let stride: Int
  var rowsPerTask = 0
  var columnsPerTask = 0

  init(
    _ operation: BinaryOperation, _ x: BinaryOperation.Operand, _ y: BinaryOperation.Operand,
    _ z: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int, table: KernelTable
  ) {
    unsafe function = table.binary[Int(operation.rawValue)].function
    unsafe self.x = x
    unsafe self.y = y
    unsafe self.z = z
    unsafe self.rows = rows
    unsafe self.columns = columns
    unsafe self.stride = stride
  }

  consuming func run(_ pool: ThreadPool) {
    let estimate = unsafe BinaryOperation.estimate(rows * columns)
    let wanted = unsafe estimate.taskCount(most: rows > 1 ? rows : (columns + 1023) / 1024, pool)
    unsafe rowsPerTask = rows > 1 ? (rows + wanted - 1) / wanted : 1
    unsafe columnsPerTask = rows > 1 ? columns : (columns + wanted - 1) / wanted
    let tasks =
      unsafe rows > 1 ? (rows + rowsPerTask - 1) / rowsPerTask : (columns + columnsPerTask - 1) / columnsPerTask
    if tasks == 1 { return unsafe run(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: BinaryTask.self).pointee.run(task: task)
      }
    }
  }

  private func run(task: Int) {
    let row = unsafe rows > 1 ? task * rowsPerTask : 0
    let column = unsafe rows > 1 ? 0 : task * columnsPerTask
    unsafe function(
      min(rowsPerTask, rows - row), min(columnsPerTask, columns - column), part(x, row, column),
      part(y, row, column), z + row * stride + column, stride)
  }

  private func part(_ operand: BinaryOperation.Operand, _ row: Int, _ column: Int) -> nn_operand_f32 {
    let start = unsafe operand.values + row * operand.rowStride + (operand.isConstant ? 0 : column)
    return unsafe nn_operand_f32(values: start, row_stride: operand.rowStride, is_constant: operand.isConstant)
  }
}
