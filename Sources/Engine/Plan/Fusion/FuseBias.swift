import NNFormat

extension Fusion {
  /// An addition of one constant for each column, right after a dense layer without bias and activation, becomes its
  /// bias; so does one that a contributed Gelu brings with it.
  package static func fuseBias(_ draft: inout Draft) throws(EngineError) {
    let consumers = draft.consumers()
    for index in draft.nodes.indices {
      guard case .dense(var layer) = draft.nodes[index].operation, layer.bias == nil, layer.activation == .identity,
        let result = draft.nodes[index].outputs[0], let reader = draft.soleReader(of: result, consumers)
      else { continue }
      let addition = draft.nodes[reader]
      let function = biasedFunction(addition)
      guard addition.isOperator("Add") || function != nil, addition.inputs.count == 2, let output = addition.outputs[0]
      else { continue }
      let other = addition.inputs[0] == result ? addition.inputs[1] : addition.inputs[0]
      // A constant of rank 2 would give a product of rank 1 another axis.
      guard let constant = draft.constant(other), constant.shape.count <= (layer.allowsVector ? 1 : 2),
        constant.elementType == layer.elementType, let bias = columnValues(constant, layer.columns)
      else { continue }
      guard function == nil || addition.inputs[0] == result else { continue }
      layer.bias = bias
      if let function { layer.activation = function }
      draft.nodes[index].operation = .dense(layer)
      draft.nodes[index].outputs = [output]
      draft.nodes[reader].outputs = []
    }
  }

  /// The function that a node applies after it has added its second input.
  private static func biasedFunction(_ node: DraftNode) -> Activation? {
    if node.isContributed("BiasGelu") { return .gelu }
    return node.isContributed("FastGelu") ? .geluTanh : nil
  }
}
