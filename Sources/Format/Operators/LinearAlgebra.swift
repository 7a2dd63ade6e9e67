/// Products of matrices.
extension OperatorSchema {
  static let linearAlgebra: [OperatorSchema] = [
    OperatorSchema(
      "Gemm", since: 1, inputs: 3...3, attributes: gemm + [.int("broadcast")], infer: InferenceRules.gemm),
    OperatorSchema("Gemm", since: 7, inputs: 3...3, attributes: gemm, infer: InferenceRules.gemm),
    OperatorSchema("Gemm", since: 11, inputs: 2...3, attributes: gemm, infer: InferenceRules.gemm),
    binary("MatMul", since: 1, infer: InferenceRules.matMul),
    variadic("Einsum", since: 12, [.text("equation", required: true)], infer: InferenceRules.einsum),
  ]

  private static let gemm: [AttributeRule] = [.float("alpha"), .float("beta"), .int("transA"), .int("transB")]
}
