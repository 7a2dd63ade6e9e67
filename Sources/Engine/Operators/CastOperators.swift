import NNFormat

/// Conversion between element types.
package enum CastOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Cast", since: 6, sixteenBit: .native) { context throws(EngineError) in
      let source = try context.type(0)
      guard let target = ElementType(rawValue: Int32(truncatingIfNeeded: context.int("to", default: 0))) else {
        throw context.invalid("the attribute \"to\" is no element type")
      }
      return try step(from: source, to: target, context)
    },
    OperatorImplementation("CastLike", since: 15, sixteenBit: .native) { context throws(EngineError) in
      try step(from: context.type(0), to: context.type(1), context)
    },
  ]

  private static func step(
    from source: ElementType, to target: ElementType, _ context: NodeContext
  ) throws(EngineError) -> any Step {
    guard let step = CastStep.make(from: source, to: target) else {
      throw EngineError(
        .unsupported, "a cast from \(source.name) to \(target.name) is not supported", node: context.node.label)
    }
    return step
  }
}

/// Conversions, each through the widest type of its kind: floats as they are, integers as 64 bits.
enum CastStep {
  static func make(from source: ElementType, to target: ElementType) -> (any Step)? {
    if source == target {
      return source.bitWidth == nil
        ? nil : AliasStep(source) { inputs throws(EngineError) in try inputs.shape(0) }
    }
    return switch source {
    case .float32: fromReal(Float.self, target) { $0 }
    case .float64: fromReal(Double.self, target) { $0 }
    case .float16: fromReal(UInt16.self, target) { Float(Float16(bitPattern: $0)) }
    case .bfloat16: fromReal(UInt16.self, target) { Float(bitPattern: UInt32($0) << 16) }
    case .int8: fromInteger(Int8.self, target)
    case .int16: fromInteger(Int16.self, target)
    case .int32: fromInteger(Int32.self, target)
    case .int64: fromInteger(Int64.self, target)
    case .uint8: fromInteger(UInt8.self, target)
    case .uint16: fromInteger(UInt16.self, target)
    case .uint32: fromInteger(UInt32.self, target)
    case .uint64: fromInteger(UInt64.self, target)
    case .bool: fromBool(target)
    default: nil
    }
  }

  private static func typed<In: TensorScalar, Out: TensorScalar>(
    _ type: ElementType, _ convert: @escaping @Sendable (In) -> Out
  ) -> any Step {
    TypedStep(outputTypes: [type], inner: UnaryStep("cast", In.self, Out.self, convert))
  }

  private static func fromReal<In: TensorScalar, R: RealScalar>(
    _: In.Type, _ target: ElementType, _ read: @escaping @Sendable (In) -> R
  ) -> (any Step)? {
    switch target {
    case .float32: typed(target) { Float(read($0)) }
    case .float64: typed(target) { Double(read($0)) }
    case .float16: typed(target) { Float16(read($0)).bitPattern }
    case .bfloat16: typed(target) { Float(read($0)).bfloat16Bits }
    case .bool: typed(target) { (value: In) -> UInt8 in read(value) == 0 ? 0 : 1 }
    default: ScalarTypes.integer(target, RealToInteger(read: read))
    }
  }

  private static func fromInteger<In: FixedWidthInteger & TensorScalar>(
    _: In.Type, _ target: ElementType
  ) -> (any Step)? {
    switch target {
    case .float32: typed(target) { (value: In) in Float(value) }
    case .float64: typed(target) { (value: In) in Double(value) }
    case .float16: typed(target) { (value: In) in Float16(value).bitPattern }
    case .bfloat16: typed(target) { (value: In) in Float(value).bfloat16Bits }
    case .bool: typed(target) { (value: In) -> UInt8 in value == 0 ? 0 : 1 }
    default: ScalarTypes.integer(target, IntegerToInteger<In>())
    }
  }

  private static func fromBool(_ target: ElementType) -> (any Step)? {
    switch target {
    case .float32: typed(target) { (value: UInt8) -> Float in value == 0 ? 0 : 1 }
    case .float64: typed(target) { (value: UInt8) -> Double in value == 0 ? 0 : 1 }
    case .float16: typed(target) { (value: UInt8) -> UInt16 in value == 0 ? 0 : Float16(1).bitPattern }
    case .bfloat16: typed(target) { (value: UInt8) -> UInt16 in value == 0 ? 0 : Float(1).bfloat16Bits }
    default: ScalarTypes.integer(target, BoolToInteger())
    }
  }
}

/// A step over bit patterns, declared as the type they stand for.
private struct TypedStep: Step {
  let outputTypes: [ElementType]
  let inner: any Step
  var kernel: String { inner.kernel }
  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work { try inner.resolve(inputs) }
}

/// Truncates towards zero; what does not fit saturates, NaN becomes zero.
private struct RealToInteger<In: TensorScalar, R: RealScalar>: IntegerVisitor {
  let read: @Sendable (In) -> R

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    let read = read
    return UnaryStep("cast", In.self, T.self) { value in
      let whole = read(value).rounded(.towardZero)
      if whole.isNaN { return 0 }
      return T(exactly: whole) ?? (whole < 0 ? T.min : T.max)
    }
  }
}

private struct IntegerToInteger<In: FixedWidthInteger & TensorScalar>: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    UnaryStep("cast", In.self, T.self) { T(truncatingIfNeeded: $0) }
  }
}

private struct BoolToInteger: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    UnaryStep("cast", UInt8.self, T.self) { $0 == 0 ? 0 : 1 }
  }
}
