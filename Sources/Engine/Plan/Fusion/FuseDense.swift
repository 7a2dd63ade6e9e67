import NNFormat

extension Fusion {
  /// MatMul and Gemm with a constant matrix on the right become a dense layer, their contributed forms and MatMulNBits
  /// with constant weights, too.
  package static func fuseDense(_ draft: inout Draft, _ pool: ThreadPool) throws(EngineError) {
    for index in draft.nodes.indices {
      let node = draft.nodes[index]
      guard let layer = try layer(node, draft, pool), let input = node.inputs[0],
        draft.values[input].elementType == layer.elementType
      else { continue }
      draft.nodes[index].operation = .dense(layer)
      draft.nodes[index].inputs = [input]
    }
  }

  private static func layer(
    _ node: DraftNode, _ draft: Draft, _ pool: ThreadPool
  ) throws(EngineError) -> DenseLayer? {
    if let layer = matMulLayer(node, draft) { return layer }
    if let layer = try gemmLayer(node, draft) { return layer }
    return try bitsLayer(node, draft, pool)
  }

  /// float32 weights of a MatMulNBits whose parts are all constant.
  private static func bitsLayer(
    _ node: DraftNode, _ draft: Draft, _ pool: ThreadPool
  ) throws(EngineError) -> DenseLayer? {
    guard node.isStandard, node.origin.domain == "com.microsoft", node.origin.operatorType == "MatMulNBits",
      let input = node.inputs[0], draft.values[input].elementType == .float32
    else { return nil }
    let types = node.inputs.map { $0.flatMap { draft.values[$0].elementType } }
    let context = NodeContext(
      node: node.origin, version: node.version, inputTypes: types, constants: node.inputs.map { draft.constant($0) })
    let constant: Constant?
    do throws(EngineError) { constant = try MatMulNBitsStep(context).dequantised(pool) } catch {
      throw EngineError(error.kind, error.message, node: error.node ?? node.origin.label)
    }
    guard let weights = constant, var layer = DenseLayer(weights: weights, isTransposed: true) else { return nil }
    if context.has(5) {
      guard let values = context.constant(5), let bias = columnValues(values, layer.columns) else { return nil }
      layer.bias = bias
    }
    return layer
  }

  private static func matMulLayer(_ node: DraftNode, _ draft: Draft) -> DenseLayer? {
    let isFused = node.isContributed("FusedMatMul")
    guard isFused || node.isOperator("MatMul"), node.inputs.count == 2, let weights = draft.constant(node.inputs[1]),
      !isFused || !["transA", "transBatchA"].contains(where: { node.origin.int($0, default: 0) != 0 })
    else { return nil }
    return DenseLayer(
      weights: weights, isTransposed: isFused && node.origin.int("transB", default: 0) != 0,
      alpha: isFused ? node.origin.float("alpha", default: 1) : 1)
  }

  /// Gemm of an untransposed input, with C absent or one value for each column.
  private static func gemmLayer(_ node: DraftNode, _ draft: Draft) throws(EngineError) -> DenseLayer? {
    let isFused = node.isContributed("FusedGemm")
    guard isFused || node.isOperator("Gemm"), node.inputs.count >= 2, node.origin.int("transA", default: 0) == 0,
      let weights = draft.constant(node.inputs[1]),
      var layer = DenseLayer(
        weights: weights, isTransposed: node.origin.int("transB", default: 0) != 0,
        alpha: node.origin.float("alpha", default: 1), allowsVector: false)
    else { return nil }
    if isFused { layer.activation = try ContributedOperators.activation(node.origin) }
    guard node.inputs.count > 2, let input = node.inputs[2] else { return layer }
    guard let offset = draft.constant(input), let bias = columnValues(offset, layer.columns) else { return nil }
    let beta = node.origin.float("beta", default: 1)
    layer.bias = bias.map { beta == 1 ? $0 : $0 * beta }
    return layer
  }

  /// A constant that broadcasts over rows as one value for each column.
  package static func columnValues(_ constant: Constant, _ columns: Int) -> [Float]? {
    let shape = constant.shape
    guard shape.dropLast().allSatisfy({ $0 == 1 }), shape.count <= 2, let values = constant.doubles else { return nil }
    if values.count == columns, shape.last == columns { return values.map { Float($0) } }
    return values.count == 1 ? Array(repeating: Float(values[0]), count: columns) : nil
  }
}
