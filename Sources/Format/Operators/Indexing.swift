/// Operators that read or write chosen elements.
extension OperatorSchema {
  static let indexing: [OperatorSchema] = [
    unary(
      "Slice", since: 1, [.ints("starts", required: true), .ints("ends", required: true), .ints("axes")],
      infer: InferenceRules.slice),
    OperatorSchema("Slice", since: 10, inputs: 3...5, infer: InferenceRules.slice),
    binary("Gather", since: 1, [.int("axis")], infer: InferenceRules.gather),
    binary("GatherElements", since: 11, [.int("axis")], infer: InferenceRules.gatherElements),
    binary("GatherND", since: 11, infer: InferenceRules.gatherND),
    binary("GatherND", since: 12, [.int("batch_dims")], infer: InferenceRules.gatherND),
    scatter("Scatter", since: 9, [.int("axis")], infer: InferenceRules.sameAlongAxis(default: 0)),
    scatter("ScatterElements", since: 11, [.int("axis")], infer: InferenceRules.sameAlongAxis(default: 0)),
    scatter(
      "ScatterElements", since: 16, [.int("axis"), .text("reduction")],
      infer: InferenceRules.sameAlongAxis(default: 0)),
    scatter("ScatterND", since: 11, [], infer: InferenceRules.sameAsInput),
    scatter("ScatterND", since: 16, [.text("reduction")], infer: InferenceRules.sameAsInput),
    OperatorSchema(
      "OneHot", since: 9, inputs: 3...3, attributes: [.int("axis")], infer: InferenceRules.oneHot),
    OperatorSchema(
      "TopK", since: 1, inputs: 1...1, outputs: 2...2, attributes: [.int("k", required: true), .int("axis")],
      infer: InferenceRules.topK),
    OperatorSchema(
      "TopK", since: 10, inputs: 2...2, outputs: 2...2, attributes: [.int("axis")], infer: InferenceRules.topK),
    OperatorSchema(
      "TopK", since: 11, inputs: 2...2, outputs: 2...2,
      attributes: [.int("axis"), .int("largest"), .int("sorted")], infer: InferenceRules.topK),
    binary("Compress", since: 9, [.int("axis")], infer: InferenceRules.compress),
    OperatorSchema(
      "Unique", since: 11, inputs: 1...1, outputs: 1...4, attributes: [.int("axis"), .int("sorted")],
      infer: InferenceRules.unique),
    OperatorSchema(
      "TensorScatter", since: 24, inputs: 2...3, attributes: [.int("axis"), .text("mode")],
      infer: InferenceRules.sameAsInput),
    unary("NonZero", since: 9, infer: InferenceRules.nonZero),
    binary(
      "ReverseSequence", since: 10, [.int("batch_axis"), .int("time_axis")], infer: InferenceRules.sameAsInput),
    binary(
      "CumSum", since: 11, [.int("exclusive"), .int("reverse")], infer: InferenceRules.sameAsInput),
    binary(
      "CumProd", since: 26, [.int("exclusive"), .int("reverse")], infer: InferenceRules.sameAsInput),
  ]

  private static func scatter(
    _ name: String, since version: Int, _ attributes: [AttributeRule], infer: @escaping InferenceRule
  ) -> OperatorSchema {
    OperatorSchema(name, since: version, inputs: 3...3, attributes: attributes, infer: infer)
  }
}
