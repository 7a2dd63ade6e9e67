import NNFormat

/// The slow, obvious interpreter: nodes one after another, in double precision, nothing fused.
///
/// It shares no code with the steps and is the oracle of their tests. It trusts the model, which the engine does not.
package struct ReferenceInterpreter {
  private let model: Model

  package init(_ model: Model) { self.model = model }

  /// Runs the graph.
  ///
  /// - Returns: the outputs in the model's order.
  package func run(_ inputs: [String: Tensor]) throws(EngineError) -> [(name: String, tensor: Tensor)] {
    var values: [String: ReferenceTensor] = [:]
    for initializer in model.graph.initializers { values[initializer.name] = try ReferenceTensor(initializer.tensor) }
    for (name, tensor) in inputs { values[name] = try ReferenceTensor(tensor) }
    for node in model.graph.nodes {
      var operands: [ReferenceTensor?] = []
      for name in node.inputs {
        guard name.isEmpty || values[name] != nil else {
          throw EngineError(.invalidGraph, "\"\(name)\" is not there", node: node.label)
        }
        operands.append(values[name])
      }
      let version = model.operatorSetVersion(domain: node.domain) ?? 1
      guard let results = try ReferenceOperators.run(ReferenceNode(node: node, version: version, inputs: operands))
      else { throw EngineError(.unsupported, "the reference has no \(node.operatorType)", node: node.label) }
      for (name, result) in zip(node.outputs, results) where !name.isEmpty { values[name] = result }
    }
    var outputs: [(name: String, tensor: Tensor)] = []
    for output in model.graph.outputs {
      guard let value = values[output.name] else { throw EngineError(.invalidGraph, "\"\(output.name)\" is not there") }
      outputs.append((output.name, try value.tensor()))
    }
    return outputs
  }
}

/// A node with its operands.
struct ReferenceNode {
  let node: Node
  let version: Int
  let inputs: [ReferenceTensor?]

  subscript(index: Int) -> ReferenceTensor {
    (index < inputs.count ? inputs[index] : nil) ?? ReferenceTensor(.float32, [0], [])
  }

  func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }
  var given: [ReferenceTensor] { inputs.compactMap { $0 } }
  func alpha(_ fallback: Float, _ name: String = "alpha") -> Double { Double(node.float(name, default: fallback)) }

  /// An axis attribute, counted from the front of input 0.
  func axis(_ fallback: Int) -> Int {
    let axis = node.int("axis", default: fallback)
    return axis < 0 ? axis + self[0].shape.count : axis
  }
}

/// The operators, each by one small function; families are tried in turn.
enum ReferenceOperators {
  static func run(_ node: ReferenceNode) throws(EngineError) -> [ReferenceTensor]? {
    if let results = ReferenceQuantisation.run(node) { return results }
    if let result = ReferenceElementwise.run(node) { return [result] }
    if let result = ReferenceAlgebra.run(node) { return [result] }
    if let results = ReferenceNormalization.run(node) { return results }
    if let results = ReferenceIndexing.run(node) ?? ReferenceSelection.run(node) ?? ReferenceAttention.run(node)
      ?? ReferencePooling.run(node)
    {
      return results
    }
    if let results = ReferenceContributed.run(node) { return results }
    if let results = ReferenceFeatures.run(node) { return results }
    return try ReferenceLayout.run(node)
  }
}
