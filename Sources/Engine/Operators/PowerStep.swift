import NNFormat

/// Powers of operands that share a type.
struct PowerMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    BinaryStep("power", T.self, T.self) { integerPower($0, Int64(clamping: $1)) }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    BinaryStep("power", T.self, T.self) { $1 == 2 ? $0 * $0 : $1 == 0.5 && $0 >= 0 ? $0.squareRoot() : T.pow($0, $1) }
  }
}

/// Powers by squaring, modulo the width of the type; a negative exponent truncates towards zero.
func integerPower<T: FixedWidthInteger>(_ base: T, _ exponent: Int64) -> T {
  if exponent < 0 { return base == 1 ? 1 : base == 0 &- 1 && T.isSigned ? (exponent % 2 == 0 ? 1 : 0 &- 1) : 0 }
  var (result, square, rest) = (T(1), base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result = result &* square }
    square = square &* square
    rest >>= 1
  }
  return result
}

/// A power whose exponent has another type than the base: the exponent is converted first.
struct PowerStep: Step {
  let outputTypes: [ElementType]
  let kernel = "power"
  private let convert: any Step
  private let power: any Step
  private let base: ElementType

  /// `nil` when either type is no number, or an integer base has a float exponent.
  init?(base: ElementType, exponent: ElementType) {
    guard let step = ScalarTypes.real(base, PowerMaker()) ?? ScalarTypes.integer(base, PowerMaker()),
      base.isFloatingPoint || exponent.isInteger, let convert = CastStep.make(from: exponent, to: base)
    else { return nil }
    outputTypes = [base]
    power = step
    self.convert = convert
    self.base = base
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let exponent = try inputs.view(1)
    let converting = try convert.resolve(StepInputs([exponent]))
    let work = unsafe try power.resolve(
      StepInputs([inputs.view(0), InputView(elementType: base, shape: exponent.shape)]))
    let slotBytes = 64
    let byteCount = (base.byteCount(of: exponent.count) ?? 0) + slotBytes
    return Work(work.outputShapes, scratchByteCount: byteCount) { (memory) throws(EngineError) in
      let scratch = unsafe memory.scratch
      let slots = unsafe scratch.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
      unsafe slots[0] = memory.optionalInput(1)
      unsafe slots[1] = scratch + slotBytes
      unsafe try converting.run(
        StepMemory(slots: slots, inputCount: 1, outputCount: 1, scratch: scratch, pool: memory.pool))
      unsafe slots[0] = memory.optionalInput(0)
      unsafe slots[2] = memory.optionalOutput(0)
      unsafe try work.run(
        StepMemory(slots: slots, inputCount: 2, outputCount: 1, scratch: scratch, pool: memory.pool))
    }
  }
}

/// Bounds that are computed, or of a type without a vector kernel.
struct ClipMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step { ClipStep<T>() }
  func visit<T: RealScalar>(_: T.Type) -> any Step { ClipStep<T>() }
}

/// min(max(x, lowest), highest) with optional scalar bounds.
struct ClipStep<T: Comparable & TensorScalar>: Step {
  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { "clip" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let (hasLowest, hasHighest) = (inputs.has(1), inputs.has(2))
    for bound in 1...2 where inputs.has(bound) {
      guard try inputs.view(bound).count == 1 else {
        throw EngineError(.shapeMismatch, "a bound has shape \(Shape(try inputs.shape(bound))), not that of a scalar")
      }
    }
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: count)
      let lowest = hasLowest ? memory.input(1, T.self, count: 1)[0] : nil
      let highest = hasHighest ? memory.input(2, T.self, count: 1)[0] : nil
      for index in 0..<count {
        var value = source[index]
        if let lowest, value < lowest { value = lowest }
        if let highest, value > highest { value = highest }
        target[index] = value
      }
    }
  }
}
