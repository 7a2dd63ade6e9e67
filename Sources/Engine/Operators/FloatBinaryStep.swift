import NNFormat

/// An elementwise step over two broadcast float32 operands, by vector kernels and on all threads where that pays.
struct FloatBinaryStep: Step {
  let operation: BinaryOperation
  let outputTypes: [ElementType] = [.float32]

  var kernel: String { "\(operation) f32" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (x, y) = (try inputs.shape(0), try inputs.shape(1))
    let shape = try Extents.broadcast([x, y])
    let count = try Extents.count(shape)
    let nest = LoopNest(
      shape,
      strides: [Extents.strides(of: x, in: shape), Extents.strides(of: y, in: shape), Extents.strides(shape)])
    let operation = operation
    let inPlace = [(0, x), (1, y)].filter { $0.1 == shape }.map(\.0)
    return Work([shape], inPlaceInputs: inPlace, cost: .elements(count)) { (memory) throws(EngineError) in
      guard nest.rows > 0 else { return }
      let x = unsafe memory.input(0).assumingMemoryBound(to: Float.self)
      let y = unsafe memory.input(1).assumingMemoryBound(to: Float.self)
      let z = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      func operand(_ values: UnsafePointer<Float>, _ index: Int, _ row: Int) -> BinaryOperation.Operand {
        let start = unsafe values + nest.offset(of: row, in: index)
        return unsafe nest.rowStrides[index] == 0
          ? .column(start, stride: nest.blockStrides[index]) : .matrix(start, stride: nest.blockStrides[index])
      }
      for row in stride(from: 0, to: nest.rows, by: nest.blockRows) {
        unsafe operation.apply(
          operand(x, 0, row), operand(y, 1, row), z + nest.offset(of: row, in: 2), rows: nest.blockRows,
          columns: nest.rowLength, stride: nest.blockStrides[2], pool: memory.pool)
      }
    }
    .byRows(rowWork(x, y, shape, count))
  }

  /// The work by rows, the last axis being the columns, where each operand is as large as the result, one row or one
  /// value.
  private func rowWork(_ x: [Int], _ y: [Int], _ shape: [Int], _ count: Int) -> RowWork? {
    guard let columns = shape.last, columns > 0, let first = RowOperand(x, in: shape),
      let second = RowOperand(y, in: shape)
    else { return nil }
    let operation = operation
    let rowInputs = [(0, first), (1, second)].filter { $0.1 == .rows }.map(\.0)
    return RowWork(
      rows: count / columns, rowInputs: rowInputs, estimate: BinaryOperation.estimate(count)
    ) { memory, rows in
      unsafe operation.apply(
        first.operand(memory.input(0).assumingMemoryBound(to: Float.self), rows.lowerBound, columns),
        second.operand(memory.input(1).assumingMemoryBound(to: Float.self), rows.lowerBound, columns),
        memory.output(0).assumingMemoryBound(to: Float.self) + rows.lowerBound * columns, rows: rows.count,
        columns: columns, stride: columns, pool: .single)
    }
  }
}

/// What an operand is to each row of the result.
private enum RowOperand {
  case rows
  case row
  case value

  init?(_ shape: [Int], in result: [Int]) {
    if shape == result {
      self = .rows
    } else if shape.allSatisfy({ $0 == 1 }) {
      self = .value
    } else if shape.last == result.last, shape.dropLast().allSatisfy({ $0 == 1 }) {
      self = .row
    } else {
      return nil
    }
  }

  @unsafe func operand(_ values: UnsafePointer<Float>, _ row: Int, _ columns: Int) -> BinaryOperation.Operand {
    switch self {
    case .rows: unsafe .matrix(values + row * columns, stride: columns)
    case .row: unsafe .row(values)
    case .value: unsafe .scalar(values)
    }
  }
}
