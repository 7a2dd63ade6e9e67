extension Fusion {
  /// x · sigmoid(x) becomes one function.
  package static func fuseSilu(_ draft: inout Draft) throws(EngineError) {
    let consumers = draft.consumers()
    for index in draft.nodes.indices {
      let sigmoid = draft.nodes[index]
      guard sigmoid.isOperator("Sigmoid"), let x = sigmoid.inputs[0], let gate = sigmoid.outputs[0],
        draft.values[x].elementType != .float64, let reader = draft.soleReader(of: gate, consumers)
      else { continue }
      let product = draft.nodes[reader]
      guard product.isOperator("Mul"), product.inputs == [x, gate] || product.inputs == [gate, x] else { continue }
      draft.nodes[reader].operation = .activation(.silu)
      draft.nodes[reader].inputs = [x]
    }
  }
}
