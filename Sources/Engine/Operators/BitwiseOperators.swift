import NNFormat

/// Remainders and operations on the bits of integers.
package enum BitwiseOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Mod") { context throws(EngineError) in
      let type = try context.commonType(0..<2)
      return try ScalarTypes.numeric(
        type, RemainderMaker(truncates: context.int("fmod", default: 0) != 0), context)
    },
    bitwise("BitwiseAnd", .and), bitwise("BitwiseOr", .or), bitwise("BitwiseXor", .xor),
    OperatorImplementation("BitwiseNot", since: 18) { context throws(EngineError) in
      try integer(context.type(0), ComplementMaker(), context)
    },
    OperatorImplementation("BitShift", since: 11) { context throws(EngineError) in
      let direction = context.node.text("direction", default: "")
      guard direction == "LEFT" || direction == "RIGHT" else {
        throw context.invalid("the attribute \"direction\" is neither LEFT nor RIGHT")
      }
      return try integer(context.commonType(0..<2), BitMaker(operation: direction == "LEFT" ? .left : .right), context)
    },
  ]

  private static func bitwise(_ name: String, _ operation: BitOperation) -> OperatorImplementation {
    OperatorImplementation(name, since: 18) { context throws(EngineError) in
      try integer(context.commonType(0..<2), BitMaker(operation: operation), context)
    }
  }

  private static func integer<V: IntegerVisitor>(
    _ type: ElementType, _ visitor: V, _ context: NodeContext
  ) throws(EngineError) -> any Step where V.Result == any Step {
    guard let step = ScalarTypes.integer(type, visitor) else { throw context.unsupported(type) }
    return step
  }
}

private enum BitOperation: Sendable { case and, or, xor, left, right }

/// A shift by less than 0 or by all bits and more leaves what the sign extends to.
private struct BitMaker: IntegerVisitor {
  let operation: BitOperation

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    switch operation {
    case .and: BinaryStep("bitwiseAnd", T.self, T.self) { $0 & $1 }
    case .or: BinaryStep("bitwiseOr", T.self, T.self) { $0 | $1 }
    case .xor: BinaryStep("bitwiseXor", T.self, T.self) { $0 ^ $1 }
    case .left: BinaryStep("shiftLeft", T.self, T.self) { $1 < 0 || $1 >= T.bitWidth ? 0 : $0 &<< $1 }
    case .right:
      BinaryStep("shiftRight", T.self, T.self) { $1 < 0 || $1 >= T.bitWidth ? ($0 < 0 ? 0 &- 1 : 0) : $0 &>> $1 }
    }
  }
}

private struct ComplementMaker: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    UnaryStep("bitwiseNot", T.self, T.self) { ~$0 }
  }
}

/// The remainder of a division that rounds down, with the sign of the divisor, or of one that truncates, with the sign of
/// the dividend. The remainder of an integer division by zero, which the standard leaves open, is zero.
private struct RemainderMaker: ArithmeticOperators.StepMaker {
  let truncates: Bool

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    if truncates { return BinaryStep("remainder", T.self, T.self) { truncatedRemainder($0, $1) } }
    return BinaryStep("modulo", T.self, T.self) { dividend, divisor in
      let rest = truncatedRemainder(dividend, divisor)
      return rest != 0 && (rest < 0) != (divisor < 0) ? rest &+ divisor : rest
    }
  }

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    if truncates { return BinaryStep("remainder", T.self, T.self) { $0.truncatingRemainder(dividingBy: $1) } }
    return BinaryStep("modulo", T.self, T.self) { dividend, divisor in
      let rest = dividend.truncatingRemainder(dividingBy: divisor)
      if rest == 0 { return T(signOf: divisor, magnitudeOf: 0) }
      return (rest < 0) != (divisor < 0) ? rest + divisor : rest
    }
  }
}

private func truncatedRemainder<T: FixedWidthInteger>(_ dividend: T, _ divisor: T) -> T {
  divisor == 0 ? 0 : dividend.remainderReportingOverflow(dividingBy: divisor).partialValue
}
