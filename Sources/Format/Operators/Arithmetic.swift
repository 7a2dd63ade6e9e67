/// Elementwise arithmetic and functions of real numbers.
extension OperatorSchema {
  static let arithmetic: [OperatorSchema] =
    calculations("Add", { $0.plus($1) })
    + calculations("Sub", { $0.minus($1) })
    + calculations("Mul", { $0.times($1) })
    + calculations("Div", { $0.divided(by: $1) })
    + extremes("Max", { $0.maximum($1) })
    + extremes("Min", { $0.minimum($1) })
    + ["Sum", "Mean"].flatMap { name in
      [
        variadic(name, since: 1, [.consumedInputs], infer: InferenceRules.identicalInputs),
        variadic(name, since: 6, infer: InferenceRules.identicalInputs),
        variadic(name, since: 8),
      ]
    }
    + ["Exp", "Log", "Sqrt", "Reciprocal", "Abs", "Neg", "Ceil", "Floor"].flatMap { name in
      [unary(name, since: 1, [.consumedInputs]), unary(name, since: 6)]
    }
    + ["Acos", "Asin", "Atan", "Cos", "Sin", "Tan"].map { unary($0, since: 7) }
    + ["Acosh", "Asinh", "Atanh", "Cosh", "Sinh", "Sign", "Erf"].map { unary($0, since: 9) }
    + [
      unary("Round", since: 11),
      binary("Pow", since: 1, [.int("axis"), .int("broadcast")], infer: InferenceRules.legacyBroadcast),
      binary("Pow", since: 7),
      binary("Pow", since: 12, infer: InferenceRules.pow),
      binary("Mod", since: 10, [.int("fmod")]),
      binary("BitShift", since: 11, [.text("direction", required: true)]),
      unary("BitwiseNot", since: 18),
    ]
    + ["BitwiseAnd", "BitwiseOr", "BitwiseXor"].map { binary($0, since: 18) }

  private static func calculations(
    _ name: String, _ combine: @escaping @Sendable (Dimension, Dimension) -> Dimension
  ) -> [OperatorSchema] {
    let legacy: [AttributeRule] = [.int("axis"), .int("broadcast")]
    return [
      binary(name, since: 1, legacy + [.consumedInputs], infer: InferenceRules.legacyBroadcast),
      binary(name, since: 6, legacy, infer: InferenceRules.legacyBroadcast),
      binary(name, since: 7, infer: InferenceRules.integerArithmetic(combine)),
    ]
  }

  private static func extremes(
    _ name: String, _ combine: @escaping @Sendable (Dimension, Dimension) -> Dimension
  ) -> [OperatorSchema] {
    [
      variadic(name, since: 1, [.consumedInputs], infer: InferenceRules.identicalInputs),
      variadic(name, since: 6, infer: InferenceRules.identicalInputs),
      variadic(name, since: 8, infer: InferenceRules.integerArithmetic(combine)),
    ]
  }
}
