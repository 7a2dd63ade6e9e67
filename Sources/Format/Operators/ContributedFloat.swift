/// Operators that ONNX Runtime adds to the standard, as its optimizer writes them into float models.
extension OperatorSchema {
  static let contributed: [OperatorSchema] =
    [
      contributed("Gelu", inputs: 1...1),
      contributed("QuickGelu", inputs: 1...1, [.float("alpha")]),
      contributed("FastGelu", inputs: 1...2, infer: InferenceRules.broadcastToFirst),
      contributed("BiasGelu", inputs: 2...2, infer: InferenceRules.broadcastToFirst),
      contributed(
        "FusedMatMul", inputs: 2...2,
        [.float("alpha"), .int("transA"), .int("transB"), .int("transBatchA"), .int("transBatchB")],
        infer: InferenceRules.fusedMatMul),
      contributed(
        "FusedGemm", inputs: 2...3,
        [
          .float("alpha"), .float("beta"), .int("transA"), .int("transB"), .text("activation"),
          .float("activation_alpha"), .float("activation_beta"), .float("activation_gamma"),
        ], infer: InferenceRules.gemm),
      contributed(
        "SkipLayerNormalization", inputs: 3...5, outputs: 1...4, [.float("epsilon")],
        infer: InferenceRules.skipNormalization),
      contributed(
        "SkipSimplifiedLayerNormalization", inputs: 3...4, outputs: 1...4, [.float("epsilon")],
        infer: InferenceRules.skipNormalization),
    ]
    // The runtime puts these into the standard domain, below the version in which the standard has them, too.
    + ["", "com.microsoft"].flatMap { domain in
      [
        OperatorSchema(
          "LayerNormalization", domain: domain, since: 1, inputs: 2...3, outputs: 1...3,
          attributes: [.int("axis"), .float("epsilon"), .int("stash_type")], isContributed: true,
          infer: InferenceRules.layerNormalization),
        OperatorSchema(
          "SimplifiedLayerNormalization", domain: domain, since: 1, inputs: 2...2, outputs: 1...2,
          attributes: [.int("axis"), .float("epsilon"), .int("stash_type")], isContributed: true,
          infer: InferenceRules.simplifiedLayerNormalization),
      ]
    }

  private static func contributed(
    _ name: String, inputs: ClosedRange<Int>, outputs: ClosedRange<Int> = 1...1, _ attributes: [AttributeRule] = [],
    infer: @escaping InferenceRule = InferenceRules.sameAsInput
  ) -> OperatorSchema {
    OperatorSchema(
      name, domain: "com.microsoft", since: 1, inputs: inputs, outputs: outputs, attributes: attributes,
      isContributed: true, infer: infer)
  }
}

extension InferenceRules {
  /// FusedMatMul: a product of inputs whose first axis may lie behind the batch axes, and whose last two may be swapped.
  static func fusedMatMul(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(0..<2)
    guard let left = context.turned(0, batch: "transBatchA", matrix: "transA"),
      let right = context.turned(1, batch: "transBatchB", matrix: "transB")
    else { return context.setOutput(type, nil) }
    context.setOutput(type, try context.matrixProduct(left, right))
  }

  /// SimplifiedLayerNormalization: the input, then the inverse deviation of the outer axes.
  static func simplifiedLayerNormalization(_ context: inout InferenceContext) throws(FormatError) {
    try layerNormalization(&context)
  }

  /// SkipLayerNormalization: the input, mean and inverse deviation of each row, and the sum that was normalised.
  static func skipNormalization(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(context.inputs.indices)
    let shape = context.shape(0)
    context.setOutput(type, shape)
    context.setOutput(3, type, shape)
    guard let shape else { return }
    guard shape.rank > 0 else { throw context.mismatch("a scalar cannot be normalised") }
    for index in 1..<5 { try context.requireBroadcast(input: index, to: shape) }
    let statistics = Shape(shape.dimensions.dropLast() + [1])
    for index in 1..<3 { context.setOutput(index, .float32, statistics) }
  }
}

extension InferenceContext {
  /// The shape of an operand of FusedMatMul after its transpositions; those of a vector count for nothing.
  fileprivate func turned(_ index: Int, batch: String, matrix: String) -> Shape? {
    guard var dimensions = shape(index)?.dimensions else { return nil }
    guard dimensions.count > 1 else { return Shape(dimensions) }
    if node.int(batch, default: 0) != 0 {
      let first = dimensions.removeFirst()
      dimensions.insert(first, at: dimensions.count - 1)
    }
    if node.int(matrix, default: 0) != 0 { dimensions.swapAt(dimensions.count - 1, dimensions.count - 2) }
    return Shape(dimensions)
  }
}
