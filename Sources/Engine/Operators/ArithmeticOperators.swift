import NNFormat

/// Arithmetic on broadcast operands.
package enum ArithmeticOperators {
  package static let rows: [OperatorImplementation] = [
    binary("Add", AddMaker(), .add), binary("Sub", SubtractMaker(), .subtract),
    binary("Mul", MultiplyMaker(), .multiply), binary("Div", DivideMaker(), .divide),
    OperatorImplementation("PRelu", make: prelu),
    OperatorImplementation("Pow", make: power),
    variadic("Sum", AddMaker(), SumMaker(), .add), variadic("Mean", MeanMaker()),
    variadic("Max", MaximumMaker(), VariadicMaximumMaker(), .maximum),
    variadic("Min", MinimumMaker(), VariadicMinimumMaker(), .minimum),
    OperatorImplementation("Clip", make: clip),
  ]

  package typealias StepMaker = IntegerVisitor & RealVisitor & Sendable

  /// - Parameter operation: what computes float32 operands.
  private static func binary<V: StepMaker>(
    _ name: String, _ maker: V, _ operation: BinaryOperation
  ) -> OperatorImplementation where V.Result == any Step {
    OperatorImplementation(name) { context throws(EngineError) in
      let type = try context.commonType(0..<2)
      if type == .float32 { return LegacyBroadcastStep.adapting(FloatBinaryStep(operation: operation), context) }
      let step = try ScalarTypes.numeric(type, maker, context)
      return LegacyBroadcastStep.adapting(step, context)
    }
  }

  /// Two operands take the binary loop when there is one, any other number the general one.
  private static func variadic<B: StepMaker, V: StepMaker>(
    _ name: String, _ binary: B, _ maker: V, _ operation: BinaryOperation
  ) -> OperatorImplementation where B.Result == any Step, V.Result == any Step {
    OperatorImplementation(name) { context throws(EngineError) in
      let type = try context.commonType()
      if type == .float32, context.inputTypes.count == 2 { return FloatBinaryStep(operation: operation) }
      if context.inputTypes.count == 2 { return try ScalarTypes.numeric(type, binary, context) }
      return try ScalarTypes.numeric(type, maker, context)
    }
  }

  private static func variadic<V: StepMaker>(_ name: String, _ maker: V) -> OperatorImplementation
  where V.Result == any Step {
    OperatorImplementation(name) { context throws(EngineError) in
      try ScalarTypes.numeric(context.commonType(), maker, context)
    }
  }

  @Sendable private static func prelu(_ context: NodeContext) throws(EngineError) -> any Step {
    let step = try ScalarTypes.numeric(context.commonType(0..<2), RectifierMaker(), context)
    return context.version < 7 ? ChannelSlopeStep(inner: step) : step
  }

  /// The exponent may be of another type than the base, which decides the type of the result.
  @Sendable private static func power(_ context: NodeContext) throws(EngineError) -> any Step {
    let (base, exponent) = (try context.type(0), try context.type(1))
    if base == exponent {
      if let step = ScalarTypes.real(base, PowerMaker()) ?? ScalarTypes.integer(base, PowerMaker()) {
        return LegacyBroadcastStep.adapting(step, context)
      }
    }
    guard let step = PowerStep(base: base, exponent: exponent) else {
      throw context.unsupported(base)
    }
    return step
  }

  @Sendable private static func clip(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    if context.version < 11 {
      let lowest = context.float("min", default: -.greatestFiniteMagnitude)
      return try ActivationOperators.step(
        .clip(low: lowest, high: context.float("max", default: .greatestFiniteMagnitude)), context)
    }
    if type == .float32, !context.has(1) || context.constant(1)?.count == 1,
      !context.has(2) || context.constant(2)?.count == 1
    {
      let lowest = context.constant(1)?.doubles?.first.map { Float($0) } ?? -.infinity
      let highest = context.constant(2)?.doubles?.first.map { Float($0) } ?? .infinity
      if lowest <= highest { return ActivationStep(.clip(low: lowest, high: highest)) }
    }
    return try ScalarTypes.numeric(context.commonType(), ClipMaker(), context)
  }
}

struct AddMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    BinaryStep("add", T.self, T.self) { $0 &+ $1 }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { BinaryStep("add", T.self, T.self) { $0 + $1 } }
}

private struct SubtractMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    BinaryStep("subtract", T.self, T.self) { $0 &- $1 }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { BinaryStep("subtract", T.self, T.self) { $0 - $1 } }
}

private struct MultiplyMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    BinaryStep("multiply", T.self, T.self) { $0 &* $1 }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { BinaryStep("multiply", T.self, T.self) { $0 * $1 } }
}

/// Integer division rounds towards zero; division by zero, which the standard leaves open, gives zero.
private struct DivideMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    BinaryStep("divide", T.self, T.self) { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { BinaryStep("divide", T.self, T.self) { $0 / $1 } }
}

private struct RectifierMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    BinaryStep("prelu", T.self, T.self) { $0 < 0 ? $0 &* $1 : $0 }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { BinaryStep("prelu", T.self, T.self) { $0 < 0 ? $0 * $1 : $0 } }
}

private struct MaximumMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    BinaryStep("max", T.self, T.self) { Swift.max($0, $1) }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { BinaryStep("max", T.self, T.self) { maximum($0, $1) } }
}

private struct MinimumMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    BinaryStep("min", T.self, T.self) { Swift.min($0, $1) }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { BinaryStep("min", T.self, T.self) { minimum($0, $1) } }
}

private struct SumMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    VariadicStep("sum", T.self, combine: { $0 &+ $1 })
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { VariadicStep("sum", T.self, combine: { $0 + $1 }) }
}

private struct MeanMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    VariadicStep("mean", T.self, combine: { $0 &+ $1 }, finish: { $0 / (T(exactly: $1) ?? 1) })
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    VariadicStep("mean", T.self, combine: { $0 + $1 }, finish: { $0 / T($1) })
  }
}

private struct VariadicMaximumMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    VariadicStep("max", T.self, combine: { Swift.max($0, $1) })
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { VariadicStep("max", T.self, combine: { maximum($0, $1) }) }
}

private struct VariadicMinimumMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    VariadicStep("min", T.self, combine: { Swift.min($0, $1) })
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { VariadicStep("min", T.self, combine: { minimum($0, $1) }) }
}

/// The larger value; NaN when either is.
@inline(__always) private func maximum<T: RealScalar>(_ x: T, _ y: T) -> T { x.isNaN || x > y ? x : y }

/// The smaller value; NaN when either is.
@inline(__always) private func minimum<T: RealScalar>(_ x: T, _ y: T) -> T { x.isNaN || x < y ? x : y }
