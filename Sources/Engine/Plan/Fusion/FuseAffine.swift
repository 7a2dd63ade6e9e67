import NNFormat

extension Fusion {
  /// Batch normalisation of constants becomes scale and offset along the last axis, where the channels are on that
  /// axis: between two transpositions that move the channels away and back.
  package static func fuseAffine(_ draft: inout Draft) throws(EngineError) {
    let consumers = draft.consumers()
    let producers = draft.producers()
    for index in draft.nodes.indices {
      let node = draft.nodes[index]
      guard let (scale, offset) = affine(node, draft), let input = node.inputs[0] else { continue }
      guard let before = producers[input], let forth = permutation(draft.nodes[before]),
        let after = draft.soleReader(of: node.outputs[0], consumers), let back = permutation(draft.nodes[after]),
        forth.count == back.count, forth.count > 1, forth[1] == forth.count - 1,
        forth.indices.allSatisfy({ forth[back[$0]] == $0 })
      else { continue }
      draft.nodes[after].operation = .affine(scale: scale.map { Float($0) }, offset: offset.map { Float($0) })
      draft.nodes[after].inputs = [draft.nodes[before].inputs[0]]
    }
  }

  private static func permutation(_ node: DraftNode) -> [Int]? {
    guard node.isOperator("Transpose"), let order = node.origin.ints("perm"), order.sorted() == Array(order.indices)
    else { return nil }
    return order
  }

  /// Scale and offset of a batch normalisation whose parameters are constants, in double precision.
  package static func affine(_ node: DraftNode, _ draft: Draft) -> (scale: [Double], offset: [Double])? {
    guard node.isOperator("BatchNormalization"), node.inputs.count == 5, let input = node.inputs[0],
      draft.values[input].elementType != .float64,
      let scale = draft.constant(node.inputs[1])?.doubles, let offset = draft.constant(node.inputs[2])?.doubles,
      let mean = draft.constant(node.inputs[3])?.doubles, let variance = draft.constant(node.inputs[4])?.doubles,
      offset.count == scale.count, mean.count == scale.count, variance.count == scale.count
    else { return nil }
    let epsilon = Double(node.origin.float("epsilon", default: 1e-5))
    let factors = zip(scale, variance).map { $0 / ($1 + epsilon).squareRoot() }
    let offsets = scale.indices.map { offset[$0] - mean[$0] * factors[$0] }
    return (factors, offsets)
  }
}

extension Draft {
  /// The node that produces each value.
  package func producers() -> [Int: Int] {
    var result: [Int: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for case let output? in node.outputs { result[output] = index }
    }
    return result
  }
}
