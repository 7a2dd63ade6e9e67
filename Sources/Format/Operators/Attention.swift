/// Attention and what goes with it.
extension OperatorSchema {
  static let attention: [OperatorSchema] = [
    attention(since: 23, inputs: 3...6),
    attention(since: 24, inputs: 3...7),
    attention(since: 25, inputs: 3...7, [.int("left_window_size"), .int("right_window_size")]),
    OperatorSchema(
      "RotaryEmbedding", since: 23, inputs: 3...4,
      attributes: [.int("interleaved"), .int("num_heads"), .int("rotary_embedding_dim")],
      infer: InferenceRules.sameAsInput),
  ]

  private static func attention(
    since version: Int, inputs: ClosedRange<Int>, _ attributes: [AttributeRule] = []
  ) -> OperatorSchema {
    OperatorSchema(
      "Attention", since: version, inputs: inputs, outputs: 1...4,
      attributes: [
        .int("is_causal"), .int("kv_num_heads"), .int("q_num_heads"), .int("qk_matmul_output_mode"), .float("scale"),
        .float("softcap"), .int("softmax_precision"),
      ] + attributes, infer: InferenceRules.attention)
  }
}

extension InferenceRules {
  /// Attention: the result; keys and values with those of the past; scores.
  static func attention(_ context: inout InferenceContext) {
    let types = [0, 1, 2, 0].map { context.elementType($0) }
    for (output, type) in types.enumerated() { context.setOutput(output, type, nil) }
    guard let query = context.shape(0), let key = context.shape(1), let value = context.shape(2) else { return }
    guard query.rank == 4, key.rank == 4, value.rank == 4 else { return flatAttention(&context, query, key, value) }
    context.setOutput(types[0], [query[0], query[1], query[2], value[3]])
    state(&context, types, query[1], query[2], [key[0], key[1], key[2], key[3]], value[3])
  }

  /// Values of rank 3 hold their heads side by side in the last axis.
  private static func flatAttention(
    _ context: inout InferenceContext, _ query: Shape, _ key: Shape, _ value: Shape
  ) {
    guard query.rank == 3, key.rank == 3, value.rank == 3 else { return }
    let (heads, keyHeads) = (context.node.int("q_num_heads", default: 0), context.node.int("kv_num_heads", default: 0))
    guard heads > 0, keyHeads > 0 else { return }
    let size = value[2].divided(by: .known(keyHeads))
    let types = [0, 1, 2, 0].map { context.elementType($0) }
    context.setOutput(types[0], [query[0], query[1], size.times(.known(heads))])
    state(
      &context, types, .known(heads), query[1],
      [key[0], .known(keyHeads), key[1], key[2].divided(by: .known(keyHeads))], size)
  }

  private static func state(
    _ context: inout InferenceContext, _ types: [ElementType?], _ heads: Dimension, _ rows: Dimension,
    _ key: [Dimension], _ valueSize: Dimension
  ) {
    var total = key[2]
    if context.input(4) != nil {
      let past = context.shape(4)
      total = total.plus(past.map { $0.rank == 4 ? $0[2] : .unknown } ?? .unknown)
    }
    context.setOutput(1, types[1], [key[0], key[1], total, key[3]])
    context.setOutput(2, types[2], [key[0], key[1], total, valueSize])
    context.setOutput(3, types[3], [key[0], heads, rows, total])
  }
}
