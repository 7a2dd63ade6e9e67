import NNFormat

/// How the gradient of a loss passes backwards through one operator.
///
/// The forward pass is the operator's own step, except where training computes something else.
package struct GradientRule: Sendable {
  package typealias Maker = @Sendable (GradientContext) throws(EngineError) -> GradientWork
  package typealias ForwardMaker = @Sendable (GradientContext) throws(EngineError) -> TrainingWork

  package let name: String
  package let domain: String
  /// The forward pass in training where the operator's step is not it.
  package let forward: ForwardMaker?
  package let make: Maker

  package init(_ name: String, domain: String = "", forward: ForwardMaker? = nil, make: @escaping Maker) {
    self.name = name
    self.domain = domain
    self.forward = forward
    self.make = make
  }
}

/// One operand of a node whose gradient is prepared.
@safe package struct GradientOperand {
  package let elementType: ElementType
  package let shape: [Int]
  /// The elements when they do not change.
  package let contents: UnsafeRawPointer?

  package var count: Int { shape.reduce(1, *) }
}

/// A node whose gradient is prepared: concrete extents, and which inputs want a gradient.
package struct GradientContext {
  package let node: Node
  package let version: Int
  /// One entry for each input; `nil` for omitted ones.
  package let inputs: [GradientOperand?]
  package let outputShapes: [[Int]]
  /// For each input whether its gradient is asked for.
  package let wanted: [Bool]
  /// What training does at this node beyond what the operator says.
  package let behaviour: TrainingBehaviour
  /// Where random numbers start.
  package let seed: UInt64
  /// Tells the node from the others, for random numbers.
  package let nodeIndex: Int

  package func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }
  package func wants(_ index: Int) -> Bool { index < wanted.count && wanted[index] }

  package func input(_ index: Int) throws(EngineError) -> GradientOperand {
    guard index < inputs.count, let operand = inputs[index] else {
      throw EngineError(.invalidGraph, "input \(index) is missing", node: node.label)
    }
    return operand
  }

  package func shape(_ index: Int) throws(EngineError) -> [Int] { try input(index).shape }

  /// The elements of an integer input that does not change.
  package func ints(_ index: Int) throws(EngineError) -> [Int] {
    let operand = try input(index)
    let view = unsafe InputView(
      elementType: operand.elementType, shape: operand.shape, contents: operand.contents)
    return try StepInputs([view]).ints(0)
  }

  /// Axes from an attribute or an input, counted from the front; `nil` when neither states any.
  package func axes(input index: Int, rank: Int) throws(EngineError) -> [Int]? {
    if let axes = node.ints("axes") { return try Extents.axes(axes, rank: rank) }
    return has(index) ? try Extents.axes(try ints(index), rank: rank) : nil
  }

  package func unsupported(_ message: String) -> EngineError {
    EngineError(.unsupported, message, node: node.label)
  }
}

/// A gradient bound to concrete extents.
package struct GradientWork {
  package typealias Body = (GradientMemory) throws(EngineError) -> Void

  package var scratchByteCount: Int
  package var run: Body

  package init(scratchByteCount: Int = 0, run: @escaping Body) {
    self.scratchByteCount = scratchByteCount
    self.run = run
  }

  /// The work of an operator through which no gradient passes.
  package static var zero: GradientWork {
    GradientWork { memory throws(EngineError) in
      for index in 0..<memory.inputCount { memory.inputGradient(index)?.fill(0) }
    }
  }
}

/// A forward pass of training, with bytes that it keeps for the gradient.
package struct TrainingWork {
  package typealias Body = (GradientMemory) throws(EngineError) -> Void

  package var outputShapes: [[Int]]
  package var savedByteCount: Int
  package var scratchByteCount: Int
  package var run: Body

  package init(
    _ outputShapes: [[Int]], savedByteCount: Int = 0, scratchByteCount: Int = 0, run: @escaping Body
  ) {
    self.outputShapes = outputShapes
    self.savedByteCount = savedByteCount
    self.scratchByteCount = scratchByteCount
    self.run = run
  }
}

/// The addresses of one node's values and gradients.
@safe package struct GradientMemory {
  /// Inputs, outputs, gradients of outputs, gradients of inputs; `nil` where there is none.
  private let slots: UnsafePointer<UnsafeMutableRawPointer?>
  private let counts: UnsafePointer<Int>
  package let inputCount: Int
  package let outputCount: Int
  package let scratch: UnsafeMutableRawPointer
  /// The bytes that the forward pass keeps for the gradient.
  package let saved: UnsafeMutableRawPointer
  package let pool: ThreadPool
  /// The number of the step, for random numbers.
  package let step: UInt64
  /// What changes the parameter that is the node's second input, in the place of writing its gradient.
  package let update: UnsafePointer<ParameterUpdate>?

  init(
    slots: UnsafePointer<UnsafeMutableRawPointer?>, counts: UnsafePointer<Int>, inputCount: Int, outputCount: Int,
    scratch: UnsafeMutableRawPointer, saved: UnsafeMutableRawPointer, pool: ThreadPool, step: UInt64,
    update: UnsafePointer<ParameterUpdate>? = nil
  ) {
    unsafe self.slots = slots
    unsafe self.counts = counts
    self.inputCount = inputCount
    self.outputCount = outputCount
    unsafe self.scratch = scratch
    unsafe self.saved = saved
    self.pool = pool
    self.step = step
    unsafe self.update = update
  }

  private func floats(_ slot: Int) -> Floats? {
    guard let pointer = unsafe slots[slot] else { return nil }
    return unsafe Floats(pointer, count: counts[slot])
  }

  private func present(_ slot: Int) -> Floats {
    guard let floats = floats(slot) else { preconditionFailure("value \(slot) of the node is omitted") }
    return floats
  }

  package func input(_ index: Int) -> Floats { present(index) }
  package func output(_ index: Int) -> Floats { present(inputCount + index) }
  /// The gradient of an output; `nil` when nothing that matters reads the output.
  package func optionalOutputGradient(_ index: Int) -> Floats? { floats(inputCount + outputCount + index) }
  package func outputGradient(_ index: Int) -> Floats { present(inputCount + outputCount + index) }
  /// Where the gradient of an input goes; the rule writes every element of it. `nil` when it is not asked for.
  package func inputGradient(_ index: Int) -> Floats? { floats(inputCount + 2 * outputCount + index) }
  /// The bytes of an input that holds no float32.
  package func rawInput(_ index: Int) -> UnsafeRawPointer {
    unsafe UnsafeRawPointer(present(index).base)
  }
}
