/// Operators that rearrange, join or divide tensors without calculating.
extension OperatorSchema {
  static let shaping: [OperatorSchema] = [
    unary("Identity", since: 1, infer: InferenceRules.identity),
    unary("Flatten", since: 1, [.int("axis")], infer: InferenceRules.flatten),
    unary("Reshape", since: 1, [.ints("shape"), .consumedInputs], infer: InferenceRules.reshape),
    binary("Reshape", since: 5, infer: InferenceRules.reshape),
    binary("Reshape", since: 14, [.int("allowzero")], infer: InferenceRules.reshape),
    unary("Transpose", since: 1, [.ints("perm")], infer: InferenceRules.transpose),
    unary("Squeeze", since: 1, [.ints("axes")], infer: InferenceRules.squeeze),
    OperatorSchema("Squeeze", since: 13, inputs: 1...2, infer: InferenceRules.squeeze),
    unary("Unsqueeze", since: 1, [.ints("axes", required: true)], infer: InferenceRules.unsqueeze),
    binary("Unsqueeze", since: 13, infer: InferenceRules.unsqueeze),
    binary("Expand", since: 8, infer: InferenceRules.expand),
    OperatorSchema("Tile", since: 1, inputs: 3...3, infer: InferenceRules.unknownExtents),
    binary("Tile", since: 6, infer: InferenceRules.tile),
    variadic("Concat", since: 1, [.int("axis")], infer: InferenceRules.concat),
    variadic("Concat", since: 4, [.int("axis", required: true)], infer: InferenceRules.concat),
    split(since: 1, inputs: 1...2, [.ints("split"), .int("axis")]),
    split(since: 2, inputs: 1...1, [.ints("split"), .int("axis")]),
    split(since: 13, inputs: 1...2, [.int("axis")]),
    split(since: 18, inputs: 1...2, [.int("num_outputs"), .int("axis")]),
    unary("Pad", since: 1, padding + [.ints("paddings", required: true)], infer: InferenceRules.pad),
    unary("Pad", since: 2, padding + [.ints("pads", required: true)], infer: InferenceRules.pad),
    OperatorSchema("Pad", since: 11, inputs: 2...3, attributes: [.text("mode")], infer: InferenceRules.pad),
    OperatorSchema("Pad", since: 18, inputs: 2...4, attributes: [.text("mode")], infer: InferenceRules.pad),
    binary("CenterCropPad", since: 18, [.ints("axes")], infer: InferenceRules.centerCropPad),
    unary("DepthToSpace", since: 1, [.int("blocksize", required: true)], infer: InferenceRules.depthToSpace),
    unary(
      "DepthToSpace", since: 11, [.int("blocksize", required: true), .text("mode")],
      infer: InferenceRules.depthToSpace),
    unary("SpaceToDepth", since: 1, [.int("blocksize", required: true)], infer: InferenceRules.spaceToDepth),
    unary(
      "SpaceToDepth", since: 28, [.int("blocksize", required: true), .text("mode")],
      infer: InferenceRules.spaceToDepth),
    unary("Shape", since: 1, infer: InferenceRules.shape),
    unary("Shape", since: 15, [.int("start"), .int("end")], infer: InferenceRules.shape),
    unary("Size", since: 1, infer: InferenceRules.size),
    OperatorSchema(
      "Trilu", since: 14, inputs: 1...2, attributes: [.int("upper")], infer: InferenceRules.trilu),
  ]

  private static let padding: [AttributeRule] = [.text("mode"), .float("value")]

  private static func split(
    since version: Int, inputs: ClosedRange<Int>, _ attributes: [AttributeRule]
  ) -> OperatorSchema {
    OperatorSchema(
      "Split", since: version, inputs: inputs, outputs: 1...unlimited, attributes: attributes,
      infer: InferenceRules.split)
  }
}
