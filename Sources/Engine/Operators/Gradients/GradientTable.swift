import NNFormat

/// The gradients of operators, found by name and domain.
package enum GradientTable {
  package static let families: [[GradientRule]] = [
    MatrixGradients.rules, ElementwiseGradients.rules, ActivationGradients.rules, SoftmaxGradients.rules,
    NormalizationGradients.rules, ShapeGradients.rules, JoinGradients.rules, IndexingGradients.rules,
    ReductionGradients.rules, EinsumGradients.rules, DropoutGradients.rules, BarrierGradients.rules,
  ]

  private static let rules: [String: GradientRule] = {
    var rules: [String: GradientRule] = [:]
    for rule in families.joined() { rules["\(rule.domain):\(rule.name)"] = rule }
    return rules
  }()

  /// The gradient of an operator; `nil` when there is none.
  package static func rule(_ name: String, domain: String) -> GradientRule? {
    rules["\(domain == "ai.onnx" ? "" : domain):\(name)"]
  }
}

/// Operators that are constant almost everywhere: no gradient passes.
enum BarrierGradients {
  static let rules: [GradientRule] = [
    "Floor", "Ceil", "Round", "Sign", "ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual",
    "Shape", "Size", "IsNaN", "IsInf", "OneHot", "ConstantOfShape", "Bernoulli",
  ].map { name in GradientRule(name) { _ throws(EngineError) in .zero } }
}
