import NNFormat

/// An elementwise step over any number of broadcast operands of one type, combined from left to right.
package struct VariadicStep<Scalar: TensorScalar>: Step {
  package let kernel: String
  private let combine: @Sendable (Scalar, Scalar) -> Scalar
  private let finish: @Sendable (Scalar, Int) -> Scalar

  package var outputTypes: [ElementType] { [Scalar.elementType] }

  /// - Parameter finish: turns the combination of so many operands into the result.
  package init(
    _ kernel: String, _: Scalar.Type, combine: @escaping @Sendable (Scalar, Scalar) -> Scalar,
    finish: @escaping @Sendable (Scalar, Int) -> Scalar = { value, _ in value }
  ) {
    self.kernel = kernel
    self.combine = combine
    self.finish = finish
  }

  package func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    guard inputs.count > 0 else { throw EngineError(.invalidGraph, "input 0 is missing") }
    var shapes: [[Int]] = []
    for index in 0..<inputs.count { shapes.append(try inputs.shape(index)) }
    let shape = try Extents.broadcast(shapes)
    let count = try Extents.count(shape)
    let counts = shapes.map { $0.reduce(1, *) }
    let nest = LoopNest(
      shape, strides: shapes.map { Extents.strides(of: $0, in: shape) } + [Extents.strides(shape)])
    let (combine, finish) = (combine, finish)
    return Work([shape], cost: .elements(count, operations: max(counts.count - 1, 1))) { (memory) throws(EngineError) in
      let result = memory.output(0, Scalar.self, count: count)
      for operand in counts.indices {
        let values = memory.input(operand, Scalar.self, count: counts[operand])
        let stride = nest.rowStrides[operand]
        for row in 0..<nest.rows {
          let source = nest.offset(of: row, in: operand)
          let target = nest.offset(of: row, in: counts.count)
          for index in 0..<nest.rowLength {
            let value = values[source + index * stride]
            result[target + index] = operand == 0 ? value : combine(result[target + index], value)
          }
        }
      }
      for index in 0..<count { result[index] = finish(result[index], counts.count) }
    }
  }
}
