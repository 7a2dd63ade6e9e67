import NNFormat

extension Fusion {
  /// A function of one value, right after a dense layer without one, becomes its activation.
  package static func fuseActivation(_ draft: inout Draft) throws(EngineError) {
    let consumers = draft.consumers()
    for index in draft.nodes.indices {
      guard case .dense(var layer) = draft.nodes[index].operation, layer.activation == .identity,
        let reader = draft.soleReader(of: draft.nodes[index].outputs[0], consumers),
        let activation = try activation(of: draft.nodes[reader], draft), let output = draft.nodes[reader].outputs[0]
      else { continue }
      layer.activation = activation
      draft.nodes[index].operation = .dense(layer)
      draft.nodes[index].outputs = [output]
      draft.nodes[reader].outputs = []
    }
  }

  /// The float32 activation that a node computes, when it computes one.
  static func activation(of node: DraftNode, _ draft: Draft) throws(EngineError) -> Activation? {
    if case .activation(let activation) = node.operation { return activation }
    guard node.isStandard,
      let row = OperatorTable.row(node.origin.operatorType, domain: node.origin.domain, version: node.version)
    else { return nil }
    let types = node.inputs.map { input in input == nil ? nil : ElementType.float32 }
    let constants = node.inputs.map { draft.constant($0) }
    guard constants.dropFirst().allSatisfy({ $0?.elementType == .float32 || $0 == nil }),
      zip(node.inputs, constants).dropFirst().allSatisfy({ $0 == nil || $1 != nil })
    else { return nil }
    let context = NodeContext(
      node: node.origin, version: node.version, inputTypes: types, constants: constants)
    return (try row.make(context) as? ActivationStep)?.activation
  }
}
