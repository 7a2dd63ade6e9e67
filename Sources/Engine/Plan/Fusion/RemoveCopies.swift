extension Fusion {
  /// Identity, dropout at inference and casts to the same type disappear.
  package static func removeCopies(_ draft: inout Draft) throws(EngineError) {
    for node in draft.nodes {
      guard let input = node.inputs.first ?? nil, let output = node.outputs.first ?? nil else { continue }
      let isCast =
        node.isOperator("Cast") && draft.values[input].elementType == draft.values[output].elementType
      if node.isOperator("Identity") || node.isInactiveDropout(draft) || isCast { draft.replace(output, by: input) }
    }
  }
}
