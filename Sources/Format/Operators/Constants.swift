/// Operators whose output does not depend on the elements of a tensor of data.
extension OperatorSchema {
  static let constants: [OperatorSchema] = [
    constant(since: 1, [AttributeRule("value", .tensor, required: true)]),
    constant(since: 11, [AttributeRule("value", .tensor), AttributeRule("sparse_value", .sparseTensor)]),
    constant(
      since: 12,
      [
        AttributeRule("value", .tensor), AttributeRule("sparse_value", .sparseTensor),
        .int("value_int"), .ints("value_ints"), .float("value_float"), AttributeRule("value_floats", .floats),
        .text("value_string"), AttributeRule("value_strings", .strings),
      ]),
    unary(
      "ConstantOfShape", since: 9, [AttributeRule("value", .tensor)], infer: InferenceRules.constantOfShape),
    unary("EyeLike", since: 9, [.int("dtype"), .int("k")], infer: InferenceRules.eyeLike),
    OperatorSchema("Range", since: 11, inputs: 3...3, infer: InferenceRules.range),
    OperatorSchema("Range", since: 27, inputs: 3...3, attributes: [.int("stash_type")], infer: InferenceRules.range),
  ]

  private static func constant(since version: Int, _ attributes: [AttributeRule]) -> OperatorSchema {
    OperatorSchema(
      "Constant", since: version, inputs: 0...0, attributes: attributes, infer: InferenceRules.constant)
  }
}
