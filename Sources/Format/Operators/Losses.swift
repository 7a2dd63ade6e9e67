/// Losses of classifiers.
extension OperatorSchema {
  static let losses: [OperatorSchema] = [
    OperatorSchema(
      "NegativeLogLikelihoodLoss", since: 12, inputs: 2...3, attributes: [.int("ignore_index"), .text("reduction")],
      infer: InferenceRules.classLoss),
    OperatorSchema(
      "SoftmaxCrossEntropyLoss", since: 12, inputs: 2...3, outputs: 1...2,
      attributes: [.int("ignore_index"), .text("reduction")], infer: InferenceRules.classLoss),
  ]
}

extension InferenceRules {
  /// A number, or one for each class index; the log-probabilities have the shape of the scores.
  static func classLoss(_ context: inout InferenceContext) {
    let type = context.elementType(0)
    let isWhole = context.node.text("reduction", default: "mean") != "none"
    context.setOutput(type, isWhole ? [] : context.shape(1))
    context.setOutput(1, type, context.shape(0))
  }
}
