import NNFormat

/// Products of two inputs of which one passes a function first.
package enum GatedOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("SwiGLU", since: 28) { context throws(EngineError) in
      let type = try context.commonType(0..<2)
      let gate = ActivationOperators.gate(context)
      if type == .float32 { return GatedStep(gate: gate) }
      guard type == .float64 else { throw context.unsupported(type) }
      return EqualShapesStep(
        inner: BinaryStep("\(gate.name) times", Double.self, Double.self) { gate.scalar($0) * $1 })
    }
  ]
}

/// A step over two operands that do not broadcast.
private struct EqualShapesStep: Step {
  let inner: any Step

  var outputTypes: [ElementType] { inner.outputTypes }
  var kernel: String { inner.kernel }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (left, right) = (try inputs.shape(0), try inputs.shape(1))
    guard left == right else {
      throw EngineError(.shapeMismatch, "shapes \(Shape(left)) and \(Shape(right)) differ")
    }
    return try inner.resolve(inputs)
  }
}

/// gate(x) · y of two float32 values of one shape.
struct GatedStep: Step {
  let gate: Activation
  let outputTypes: [ElementType] = [.float32]

  var kernel: String { "\(gate.name) times" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (shape, other) = (try inputs.shape(0), try inputs.shape(1))
    guard shape == other else {
      throw EngineError(.shapeMismatch, "shapes \(Shape(shape)) and \(Shape(other)) differ")
    }
    let count = try Extents.count(shape)
    let gate = gate
    return Work([shape], inPlaceInputs: [0], cost: .elements(count, operations: 2)) { (memory) throws(EngineError) in
      let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      unsafe gate.apply(memory.input(0).assumingMemoryBound(to: Float.self), target, count: count, pool: memory.pool)
      unsafe BinaryOperation.multiply.apply(
        .matrix(target, stride: count), .matrix(memory.input(1).assumingMemoryBound(to: Float.self), stride: count),
        target, rows: 1, columns: count, stride: count, pool: memory.pool)
    }
  }
}
