import NNFormat

/// The conditional nodes whose condition is constant: the branch that is taken stands in for the node.
struct ChosenBranches {
  /// Outputs of conditional nodes, and the values of a branch that they are.
  private var values: [Int: Int] = [:]

  /// Lets a node read the values of branches where it reads outputs of conditional nodes.
  func bindInputs(of node: inout DraftNode) {
    guard !values.isEmpty else { return }
    node.inputs = node.inputs.map { $0.map(value) }
  }

  /// The same for the outputs of the graph.
  func bindOutputs(of draft: inout Draft) { draft.outputs = draft.outputs.map(value) }

  private func value(_ given: Int) -> Int {
    var result = given
    while let next = values[result] { result = next }
    return result
  }

  /// The nodes of the branch that the constant condition of a node chooses.
  ///
  /// - Throws: `EngineError` of kind `unsupported` when the condition is computed, `invalidGraph` when it is no single
  ///   boolean or the branch is missing.
  mutating func choose(
    _ node: DraftNode, _ scope: NameScope, _ draft: inout Draft
  ) throws(EngineError) -> [DraftNode] {
    let origin = node.origin
    guard let condition = draft.constant(node.inputs.first ?? nil) else {
      let error = UnsupportedOperator.computedCondition
      throw EngineError(error.kind, error.message, node: origin.label)
    }
    guard condition.elementType == .bool, condition.count == 1 else {
      throw EngineError(
        .invalidGraph, "its condition is \(condition.elementType.name)\(condition.shape), not one boolean",
        node: origin.label)
    }
    let name = unsafe condition.base.load(as: UInt8.self) != 0 ? "then_branch" : "else_branch"
    guard case .graph(let branch)? = origin.attribute(name) else {
      throw EngineError(.invalidGraph, "it has no graph \(name)", node: origin.label)
    }
    let (nodes, outputs) = try GraphReader.read(branch, of: origin, in: scope, into: &draft)
    guard outputs.count >= node.outputs.count else {
      throw EngineError(
        .invalidGraph, "its \(name) gives \(outputs.count) values, \(node.outputs.count) are needed", node: origin.label
      )
    }
    for case (let own?, let inner) in zip(node.outputs, outputs) { values[own] = inner }
    return nodes
  }
}
