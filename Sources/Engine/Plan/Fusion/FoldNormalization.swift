import NNFormat

extension Fusion {
  /// A batch normalisation or affine step right after a dense layer without activation goes into its weights and bias.
  ///
  /// A batch normalisation counts only behind a Gemm, whose result is sure to have its channels on the last axis.
  package static func foldNormalization(_ draft: inout Draft) throws(EngineError) {
    let consumers = draft.consumers()
    for index in draft.nodes.indices {
      guard case .dense(let layer) = draft.nodes[index].operation, layer.activation == .identity,
        let reader = draft.soleReader(of: draft.nodes[index].outputs[0], consumers),
        let output = draft.nodes[reader].outputs.first ?? nil,
        let (scale, offset) = normalization(draft.nodes[reader], after: layer, draft), scale.count == layer.columns,
        let folded = try folded(layer, scale, offset)
      else { continue }
      draft.nodes[index].operation = .dense(folded)
      draft.nodes[index].outputs = [output]
      draft.nodes[reader].outputs = []
    }
  }

  private static func normalization(
    _ node: DraftNode, after layer: DenseLayer, _ draft: Draft
  ) -> (scale: [Double], offset: [Double])? {
    if case .affine(let scale, let offset) = node.operation {
      return (scale.map { Double($0) }, offset.map { Double($0) })
    }
    return layer.allowsVector ? nil : affine(node, draft)
  }

  /// The layer with each column of its weights scaled, computed in double precision and rounded once.
  private static func folded(
    _ layer: DenseLayer, _ scale: [Double], _ offset: [Double]
  ) throws(EngineError) -> DenseLayer? {
    guard let weights = layer.weights.doubles else { return nil }
    let columns = layer.columns
    let depth = max(layer.depth, 1)
    let alpha = Double(layer.alpha)
    let scaled = weights.enumerated().map { index, weight in
      Float(weight * alpha * scale[layer.isTransposed ? index / depth : index % columns])
    }
    guard scaled.allSatisfy(\.isFinite), layer.elementType == .float32 else { return nil }
    let tensor = try Constant(Tensor(scaled, shape: layer.weights.shape))
    guard
      var result = DenseLayer(
        weights: tensor, isTransposed: layer.isTransposed, alpha: 1, allowsVector: layer.allowsVector)
    else { return nil }
    let bias = layer.bias ?? Array(repeating: 0, count: columns)
    result.bias = bias.indices.map { Float(Double(bias[$0]) * scale[$0] + offset[$0]) }
    return result
  }
}
