/// Operators that reduce axes to one element.
extension OperatorSchema {
  static let reduction: [OperatorSchema] =
    reductions("ReduceSum", axesInputSince: 13, { $0.plus($1) }, empty: 0)
    + reductions("ReduceProd", { $0.times($1) }, empty: 1)
    + reductions("ReduceMax", { $0.maximum($1) })
    + reductions("ReduceMin", { $0.minimum($1) })
    + ["ReduceMean", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"].flatMap {
      reductions($0)
    }
    + ["GlobalAveragePool", "GlobalMaxPool"].map { unary($0, since: 1, infer: InferenceRules.globalPool) }
    + ["ArgMax", "ArgMin"].flatMap { name in
      [
        unary(name, since: 1, [.int("axis"), .int("keepdims")], infer: InferenceRules.argExtreme),
        unary(
          name, since: 12, [.int("axis"), .int("keepdims"), .int("select_last_index")],
          infer: InferenceRules.argExtreme),
      ]
    }

  private static func reductions(
    _ name: String, axesInputSince version: Int = 18,
    _ combine: (@Sendable (Dimension, Dimension) -> Dimension)? = nil, empty: Int? = nil
  ) -> [OperatorSchema] {
    let rule = InferenceRules.reduce(combine, empty: empty.map(Dimension.known))
    return [
      unary(name, since: 1, [.ints("axes"), .int("keepdims")], infer: rule),
      OperatorSchema(
        name, since: version, inputs: 1...2, attributes: [.int("keepdims"), .int("noop_with_empty_axes")],
        infer: rule),
    ]
  }
}
