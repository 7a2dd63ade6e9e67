import NNFormat

/// Tensors of 8-bit numbers side by side along an axis, each moved to the scale of the result.
struct QuantisedConcatStep: Step {
  let axis: Int
  let result: ByteScalingInputs
  /// Scale and zero point of the operands, whose numbers are inputs 2, 5, 8 ...
  let operands: [ByteScalingInputs]
  let kernel = "quantised concat"

  var outputTypes: [ElementType] { [result.isSigned ? .int8 : .uint8] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var shape = try inputs.shape(2)
    let axis = try Extents.axis(axis, rank: shape.count)
    try result.check(inputs)
    var extents: [Int] = []
    for (index, operand) in operands.enumerated() {
      try operand.check(inputs)
      var other = try inputs.shape(2 + 3 * index)
      guard other.count == shape.count else {
        throw EngineError(.shapeMismatch, "operands of shapes \(Shape(shape)) and \(Shape(other)) do not join")
      }
      extents.append(other[axis])
      other[axis] = shape[axis]
      guard other == shape else {
        throw EngineError(.shapeMismatch, "operands of shapes \(Shape(shape)) and \(Shape(other)) do not join")
      }
    }
    let inner = try Extents.count(Array(shape.dropFirst(axis + 1)))
    let outer = try Extents.count(Array(shape.prefix(axis)))
    shape[axis] = 0
    for extent in extents {
      let (sum, overflow) = shape[axis].addingReportingOverflow(extent)
      guard !overflow else { throw EngineError(.shapeMismatch, "the result is too large") }
      shape[axis] = sum
    }
    _ = try Extents.count(shape)
    let rowLength = try Extents.count([shape[axis], inner])
    let (result, operands) = (result, operands)
    return Work([shape]) { (memory) throws(EngineError) in
      let scaling = result.read(memory)
      var target = unsafe memory.output(0).assumingMemoryBound(to: UInt8.self)
      for (index, operand) in operands.enumerated() {
        let source = unsafe memory.input(2 + 3 * index).assumingMemoryBound(to: UInt8.self)
        let own = operand.read(memory)
        let length = extents[index] * inner
        let isSame = own.scale == scaling.scale && own.zero == scaling.zero
        let table = isSame ? nil : CodeTable(isSigned: result.isSigned, from: own, to: scaling) { $0 }
        for row in 0..<outer {
          let (from, to) = unsafe (source + row * length, target + row * rowLength)
          if let table {
            unsafe table.apply(from, to, count: length)
          } else {
            unsafe to.update(from: from, count: length)
          }
        }
        unsafe target += length
      }
    }
  }
}
