/// Comparisons, truth values and the choice between two inputs.
extension OperatorSchema {
  static let comparison: [OperatorSchema] =
    ["Less", "Greater"].flatMap { name in
      [legacyComparison(name), binary(name, since: 7, infer: InferenceRules.comparison())]
    }
    + ["LessOrEqual", "GreaterOrEqual"].map {
      binary($0, since: 12, infer: InferenceRules.comparison())
    }
    + ["And", "Or", "Xor"].flatMap { name in
      [legacyComparison(name), binary(name, since: 7, infer: InferenceRules.logic)]
    }
    + [
      legacyComparison("Equal"),
      binary("Equal", since: 7, infer: InferenceRules.comparison { $0.equals($1) }),
      unary("Not", since: 1, infer: InferenceRules.logic),
      unary("IsNaN", since: 9, infer: InferenceRules.truthOfInput),
      unary(
        "IsInf", since: 10, [.int("detect_negative"), .int("detect_positive")], infer: InferenceRules.truthOfInput),
      OperatorSchema("Where", since: 9, inputs: 3...3, infer: InferenceRules.select),
    ]

  private static func legacyComparison(_ name: String) -> OperatorSchema {
    binary(name, since: 1, [.int("axis"), .int("broadcast")], infer: InferenceRules.legacyComparison)
  }
}
