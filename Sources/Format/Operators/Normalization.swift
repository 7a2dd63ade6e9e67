/// Normalisations and Dropout.
extension OperatorSchema {
  static let normalization: [OperatorSchema] = [
    batchNormalization(
      since: 1, [AttributeRule("consumed_inputs", .ints, required: true), .int("is_test"), .int("spatial")]),
    batchNormalization(since: 6, [.int("is_test"), .int("spatial")]),
    batchNormalization(since: 7, [.int("spatial")]),
    batchNormalization(since: 9, []),
    batchNormalization(since: 14, outputs: 1...3, [.int("training_mode")]),
    OperatorSchema(
      "LayerNormalization", since: 17, inputs: 2...3, outputs: 1...3,
      attributes: [.int("axis"), .float("epsilon"), .int("stash_type")], infer: InferenceRules.layerNormalization),
    binary(
      "RMSNormalization", since: 23, [.int("axis"), .float("epsilon"), .int("stash_type")],
      infer: InferenceRules.layerNormalization),
    OperatorSchema(
      "GroupNormalization", since: 18, inputs: 3...3,
      attributes: [.int("num_groups", required: true), .float("epsilon")], infer: InferenceRules.groupNormalization),
    OperatorSchema(
      "GroupNormalization", since: 21, inputs: 3...3,
      attributes: [.int("num_groups", required: true), .float("epsilon"), .int("stash_type")],
      infer: InferenceRules.groupNormalization),
    OperatorSchema(
      "InstanceNormalization", since: 1, inputs: 3...3, attributes: [.float("epsilon"), .consumedInputs],
      infer: InferenceRules.channelNormalization),
    OperatorSchema(
      "InstanceNormalization", since: 6, inputs: 3...3, attributes: [.float("epsilon")],
      infer: InferenceRules.channelNormalization),
    unary(
      "LpNormalization", since: 1, [.int("axis"), .int("p")], infer: InferenceRules.sameAlongAxis(default: -1)),
    unary("MeanVarianceNormalization", since: 9, [.ints("axes")]),
    dropout(since: 1, [.float("ratio"), .int("is_test"), .consumedInputs], maskIsBool: false),
    dropout(since: 6, [.float("ratio"), .int("is_test")], maskIsBool: false),
    dropout(since: 7, [.float("ratio")], maskIsBool: false),
    dropout(since: 10, [.float("ratio")], maskIsBool: true),
    dropout(since: 12, inputs: 1...3, [.int("seed")], maskIsBool: true),
  ]

  private static func batchNormalization(
    since version: Int, outputs: ClosedRange<Int> = 1...5, _ attributes: [AttributeRule]
  ) -> OperatorSchema {
    OperatorSchema(
      "BatchNormalization", since: version, inputs: 5...5, outputs: outputs,
      attributes: attributes + [.float("epsilon"), .float("momentum")], infer: InferenceRules.batchNormalization)
  }

  private static func dropout(
    since version: Int, inputs: ClosedRange<Int> = 1...1, _ attributes: [AttributeRule], maskIsBool: Bool
  ) -> OperatorSchema {
    OperatorSchema(
      "Dropout", since: version, inputs: inputs, outputs: 1...2, attributes: attributes,
      infer: InferenceRules.dropout(maskIsBool: maskIsBool))
  }
}
