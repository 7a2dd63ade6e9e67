import NNFormat

extension Fusion {
  /// An addition of one constant for each column, right after a dense layer without bias and activation, becomes its
  /// bias.
  package static func fuseBias(_ draft: inout Draft) throws(EngineError) {
    let consumers = draft.consumers()
    for index in draft.nodes.indices {
      guard case .dense(var layer) = draft.nodes[index].operation, layer.bias == nil, layer.activation == .identity,
        let result = draft.nodes[index].outputs[0], let reader = draft.soleReader(of: result, consumers)
      else { continue }
      let addition = draft.nodes[reader]
      guard addition.isOperator("Add"), addition.inputs.count == 2, let output = addition.outputs[0] else { continue }
      let other = addition.inputs[0] == result ? addition.inputs[1] : addition.inputs[0]
      // A constant of rank 2 would give a product of rank 1 another axis.
      guard let constant = draft.constant(other), constant.shape.count <= (layer.allowsVector ? 1 : 2),
        constant.elementType == layer.elementType, let bias = columnValues(constant, layer.columns)
      else { continue }
      layer.bias = bias
      draft.nodes[index].operation = .dense(layer)
      draft.nodes[index].outputs = [output]
      draft.nodes[reader].outputs = []
    }
  }
}
