import NNFormat

/// Dropout: a copy at inference, in training random zeros with what stays scaled up.
package enum DropoutOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Dropout", sixteenBit: .native, make: make)
  ]

  @Sendable private static func make(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    let givesMask = context.node.outputs.count > 1 && !context.node.outputs[1].isEmpty
    if !mayTrain(context), !givesMask {
      return AliasStep(type) { inputs throws(EngineError) in try inputs.shape(0) }
    }
    let seed = UInt32(truncatingIfNeeded: context.int("seed", default: 0))
    let ratio = context.version < 12 ? context.float("ratio", default: 0.5) : 0.5
    let options = DropoutOptions(
      mode: mayTrain(context) ? (context.version < 12 ? .training : .input) : .inference, ratio: ratio, seed: seed,
      ratioType: context.has(1) ? try context.type(1) : nil, hasTypedMask: context.version < 10)
    switch type {
    case .float32: return DropoutStep<Float>(type, options, { Double($0) }, { Float($0) })
    case .float64: return DropoutStep<Double>(type, options, { $0 }, { $0 })
    case .float16:
      return DropoutStep<UInt16>(
        type, options, { Double(Float16(bitPattern: $0)) }, { Float16($0).bitPattern })
    case .bfloat16: return DropoutStep<UInt16>(type, options, { Double(bfloat16: $0) }, { Float($0).bfloat16Bits })
    default: throw context.unsupported(type)
    }
  }

  /// Whether the node drops anything: versions 7 to 11 never do, older ones unless told that it is a test, newer ones when
  /// input 2 says so.
  private static func mayTrain(_ context: NodeContext) -> Bool {
    if context.version < 7 { return context.int("is_test", default: 0) == 0 }
    guard context.version >= 12, context.has(2) else { return false }
    guard let mode = context.constant(2), mode.elementType == .bool, mode.count == 1 else { return true }
    return unsafe mode.base.load(as: UInt8.self) != 0
  }
}

extension DraftNode {
  /// Whether it is a dropout without effect, whose only result is its input.
  func isInactiveDropout(_ draft: Draft) -> Bool {
    guard isOperator("Dropout"), outputs.dropFirst().allSatisfy({ $0 == nil }) else { return false }
    if version < 7 { return origin.int("is_test", default: 0) != 0 }
    guard version >= 12, inputs.count > 2, let input = inputs[2] else { return true }
    guard let mode = draft.constant(input), mode.count == 1 else { return false }
    return unsafe mode.base.load(as: UInt8.self) == 0
  }
}

/// What a Dropout node asks for.
struct DropoutOptions: Sendable {
  enum Mode: Sendable {
    case inference
    case training
    /// Training when input 2 is true.
    case input
  }

  let mode: Mode
  /// The share of zeros where no input 1 states it.
  let ratio: Float
  let seed: UInt32
  let ratioType: ElementType?
  /// Whether the mask is of the input's type, as before version 10.
  let hasTypedMask: Bool
}

/// x / (1 - ratio) where a random number in 0 ..< 1, one for each element in order, is not below the ratio, and 0
/// elsewhere; the second output tells where. `Bits` holds an element, read and written through doubles.
struct DropoutStep<Bits: TensorScalar>: Step {
  let outputTypes: [ElementType]
  private let options: DropoutOptions
  private let read: @Sendable (Bits) -> Double
  private let write: @Sendable (Double) -> Bits

  init(
    _ type: ElementType, _ options: DropoutOptions, _ read: @escaping @Sendable (Bits) -> Double,
    _ write: @escaping @Sendable (Double) -> Bits
  ) {
    outputTypes = [type, options.hasTypedMask ? type : .bool]
    self.options = options
    self.read = read
    self.write = write
  }

  var kernel: String { "dropout" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    for index in 1...2 where inputs.has(index) {
      guard try inputs.view(index).count == 1 else {
        throw EngineError(.shapeMismatch, "input \(index) has shape \(Shape(try inputs.shape(index))), not one value")
      }
    }
    let step = self
    return unsafe Work([shape, shape], scratchByteCount: MersenneTwister.stateByteCount) {
      (memory) throws(EngineError) in
      let ratio = step.ratio(memory)
      guard ratio >= 0, ratio < 1 else { throw EngineError(.invalidGraph, "the ratio is \(ratio), not in 0 ..< 1") }
      let isTraining =
        switch step.options.mode {
        case .inference: false
        case .training: true
        case .input: memory.input(2, UInt8.self, count: 1)[0] != 0
        }
      step.run(memory, count: count, ratio: isTraining ? ratio : 0)
    }
  }

  private func ratio(_ memory: StepMemory) -> Double {
    switch options.ratioType {
    case .float32: Double(memory.input(1, Float.self, count: 1)[0])
    case .float64: memory.input(1, Double.self, count: 1)[0]
    case .float16: Double(Float16(bitPattern: memory.input(1, UInt16.self, count: 1)[0]))
    case .bfloat16: Double(bfloat16: memory.input(1, UInt16.self, count: 1)[0])
    default: Double(options.ratio)
    }
  }

  private func run(_ memory: StepMemory, count: Int, ratio: Double) {
    var random = unsafe MersenneTwister(
      seed: options.seed, state: memory.scratch.assumingMemoryBound(to: UInt32.self))
    let source = memory.input(0, Bits.self, count: count)
    let target = memory.output(0, Bits.self, count: count)
    let typedMask = memory.hasOutput(1) && options.hasTypedMask ? memory.output(1, Bits.self, count: count) : nil
    let mask = memory.hasOutput(1) && !options.hasTypedMask ? memory.output(1, UInt8.self, count: count) : nil
    for index in 0..<count {
      let stays = unsafe ratio == 0 || random.nextUnit() >= ratio
      target[index] = ratio == 0 ? source[index] : write(stays ? read(source[index]) / (1 - ratio) : 0)
      mask?[index] = stays ? 1 : 0
      typedMask?[index] = write(stays ? 1 : 0)
    }
  }
}
