import NNFormat

/// An elementwise step over one operand.
@safe package struct UnaryStep<In: TensorScalar, Out: TensorScalar>: Step {
  package let kernel: String
  private let loop: @Sendable (UnsafePointer<In>, UnsafeMutablePointer<Out>, Int) -> Void

  package var outputTypes: [ElementType] { [Out.elementType] }

  @inline(__always)
  package init(_ kernel: String, _: In.Type, _: Out.Type, _ function: @escaping @Sendable (In) -> Out) {
    self.kernel = kernel
    unsafe loop = { x, y, count in
      for index in 0..<count { unsafe y[index] = function(x[index]) }
    }
  }

  package func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let loop = unsafe loop
    let keepsSize = MemoryLayout<In>.size == MemoryLayout<Out>.size
    return Work([shape], inPlaceInputs: keepsSize ? [0] : [], cost: .elements(count)) { (memory) throws(EngineError) in
      unsafe loop(
        memory.input(0).assumingMemoryBound(to: In.self), memory.output(0).assumingMemoryBound(to: Out.self), count)
    }
  }
}

/// A float32 activation by its vector kernel.
package struct ActivationStep: Step {
  package let activation: Activation
  package let outputTypes: [ElementType] = [.float32]

  package init(_ activation: Activation) { self.activation = activation }

  package var kernel: String { activation.name }

  package func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let activation = activation
    return Work([shape], inPlaceInputs: [0], cost: .elements(count)) { (memory) throws(EngineError) in
      let source = unsafe memory.input(0).assumingMemoryBound(to: Float.self)
      let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      unsafe activation.apply(source, target, count: count, pool: memory.pool)
    }
    .byRows(rowWork(shape, count))
  }

  private func rowWork(_ shape: [Int], _ count: Int) -> RowWork? {
    guard let columns = shape.last, columns > 0 else { return nil }
    let activation = activation
    return RowWork(rows: count / columns, estimate: Activation.estimate(count)) { memory, rows in
      let source = unsafe memory.input(0).assumingMemoryBound(to: Float.self) + rows.lowerBound * columns
      let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self) + rows.lowerBound * columns
      unsafe activation.apply(source, target, count: rows.count * columns, pool: .single)
    }
  }
}

/// The bytes of an input under the same or another shape.
package struct AliasStep: Step {
  package let outputTypes: [ElementType]
  package let contentInputs: [Int]
  package let kernel = "alias"
  private let shape: @Sendable (StepInputs) throws(EngineError) -> [Int]

  package init(
    _ type: ElementType, contentInputs: [Int] = [],
    shape: @escaping @Sendable (StepInputs) throws(EngineError) -> [Int]
  ) {
    outputTypes = [type]
    self.contentInputs = contentInputs
    self.shape = shape
  }

  package func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let source = try inputs.view(0)
    let shape = try shape(inputs)
    guard checkedProduct(shape) == source.count, let byteCount = source.elementType.carriedByteCount(of: source.count)
    else {
      throw EngineError(.shapeMismatch, "\(Shape(source.shape)) cannot become \(Shape(shape))")
    }
    return Work(aliasing: 0, shape: shape, byteCount: byteCount)
  }
}
