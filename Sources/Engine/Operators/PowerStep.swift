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

/// A power whose exponent has another type than the base: both are converted, and the result back to the base's type.
struct PowerStep: Step {
  let outputTypes: [ElementType]
  let kernel = "power"
  private let working: ElementType
  /// Conversions of base, exponent and result; `nil` where there is nothing to convert.
  private let conversions: [(any Step)?]
  private let power: any Step

  /// `nil` when either type is no number.
  init?(base: ElementType, exponent: ElementType) {
    // Two integers are raised modulo 2^64, whose low bits are those of any narrower type.
    working =
      base.isFloatingPoint && exponent.isInteger
      ? base : base.isFloatingPoint || exponent.isFloatingPoint ? .float64 : .int64
    guard let step = ScalarTypes.real(working, PowerMaker()) ?? ScalarTypes.integer(working, PowerMaker()) else {
      return nil
    }
    var conversions: [(any Step)?] = []
    for (source, target) in [(base, working), (exponent, working), (working, base)] {
      guard source != target else {
        conversions.append(nil)
        continue
      }
      guard source.isFloatingPoint || source.isInteger, let cast = CastStep.make(from: source, to: target) else {
        return nil
      }
      conversions.append(cast)
    }
    outputTypes = [base]
    power = step
    self.conversions = conversions
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shapes = [try inputs.shape(0), try inputs.shape(1)]
    let power = try power.resolve(StepInputs(shapes.map { unsafe InputView(elementType: working, shape: $0) }))
    // The slots of one inner step come first, then the converted values, then what the conversions need.
    var cursor = 64
    var offsets: [Int] = []
    var casts: [Work?] = []
    for (conversion, shape) in zip(conversions, shapes + power.outputShapes) {
      offsets.append(cursor)
      guard let conversion else {
        casts.append(nil)
        continue
      }
      casts.append(unsafe try conversion.resolve(StepInputs([InputView(elementType: working, shape: shape)])))
      guard let byteCount = working.carriedByteCount(of: try Extents.count(shape)), byteCount < Int.max / 8 else {
        throw EngineError(.shapeMismatch, "a value is too large")
      }
      cursor += (byteCount + 63) & ~63
    }
    let rest = cursor
    let needed = casts.reduce(power.scratchByteCount) { max($0, $1?.scratchByteCount ?? 0) }
    return Work(power.outputShapes, scratchByteCount: rest + needed, cost: power.cost) { (memory) throws(EngineError) in
      let scratch = unsafe memory.scratch
      let slots = unsafe scratch.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
      func run(_ work: Work, inputs: Int) throws(EngineError) {
        unsafe try work.run(
          StepMemory(
            slots: UnsafePointer(slots), inputCount: inputs, outputCount: 1, scratch: scratch + rest, pool: memory.pool,
            strings: memory.strings))
      }
      for operand in 0..<2 {
        guard let cast = casts[operand] else { continue }
        unsafe slots[0] = memory.optionalInput(operand)
        unsafe slots[1] = scratch + offsets[operand]
        try run(cast, inputs: 1)
      }
      unsafe slots[0] = casts[0] == nil ? memory.optionalInput(0) : scratch + offsets[0]
      unsafe slots[1] = casts[1] == nil ? memory.optionalInput(1) : scratch + offsets[1]
      unsafe slots[2] = casts[2] == nil ? memory.optionalOutput(0) : scratch + offsets[2]
      try run(power, inputs: 2)
      guard let cast = casts[2] else { return }
      unsafe slots[0] = scratch + offsets[2]
      unsafe slots[1] = memory.optionalOutput(0)
      try run(cast, inputs: 1)
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
    return Work([shape], inPlaceInputs: [0], cost: .elements(count)) { (memory) throws(EngineError) in
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
