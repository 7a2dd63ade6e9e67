extension Model {
  /// The model with its standard operator set at another version, computing the same.
  ///
  /// Nodes are rewritten where their operator changed between the versions: attributes that became inputs, defaults that
  /// changed, forms that need another node. Bodies of functions are moved with the graph; other domains stay.
  /// - Returns: the model, and how many nodes of each operator were rewritten.
  /// - Throws: `FormatError` of kind `unsupported` that names the first node without a form in that version.
  public func moved(toOperatorSet version: Int) throws(FormatError) -> (model: Model, notes: [ConversionNote]) {
    guard KerasModel.operatorSetVersions.contains(version) else {
      let range = KerasModel.operatorSetVersions
      throw FormatError(
        .unsupported, "operator set \(version) is not written",
        advice: "Choose one from \(range.lowerBound) to \(range.upperBound)")
    }
    guard let current = operatorSetVersion() else {
      throw FormatError(.unsupported, "imports no version of the standard operator set")
    }
    guard current != version else { return (self, []) }
    var (result, notes) = (self, [ConversionNote]())
    var counts: [String: Int] = [:]
    var inference = ShapeInference(operatorSets: operatorSets)
    if let known = try? ShapeInference.infer(self) { inference = known }
    var move = OperatorSetMove(from: current, to: version, types: inference.values, names: graph.allNames)
    try move.apply(to: &result.graph)
    for index in result.functions.indices { try result.functions[index].move(to: version, counting: &counts) }
    for index in result.trainingInfo.indices {
      for path in [\TrainingInfo.initialization, \TrainingInfo.algorithm] {
        guard var graph = result.trainingInfo[index][keyPath: path] else { continue }
        try move.apply(to: &graph)
        result.trainingInfo[index][keyPath: path] = graph
      }
    }
    result.operatorSets.setStandardVersion(version)
    for (name, count) in move.counts { counts[name, default: 0] += count }
    for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
      let nodes = "\(count) \(count == 1 ? "node has" : "nodes have")"
      notes.append(ConversionNote(.changed, name, "\(nodes) the form of operator set \(version)"))
    }
    return (result, notes)
  }
}

extension Function {
  fileprivate mutating func move(to version: Int, counting counts: inout [String: Int]) throws(FormatError) {
    guard let current = operatorSets.standardVersion, current != version else { return }
    var move = OperatorSetMove(
      from: current, to: version, types: [:], names: Set(nodes.flatMap { $0.inputs + $0.outputs } + inputs))
    nodes = try inPlace("function \"\(name)\"") { () throws(FormatError) in try move.moved(nodes) }
    operatorSets.setStandardVersion(version)
    for (name, count) in move.counts { counts[name, default: 0] += count }
  }
}

extension [OperatorSetImport] {
  fileprivate var standardVersion: Int? { first { $0.domain.isEmpty || $0.domain == "ai.onnx" }?.version }

  fileprivate mutating func setStandardVersion(_ version: Int) {
    for index in indices where self[index].domain.isEmpty || self[index].domain == "ai.onnx" {
      self[index].version = version
    }
  }
}

extension Graph {
  /// The names of all values here and in the graphs inside.
  fileprivate var allNames: Set<String> {
    var names = ValidatedBody(self).definedNames
    for node in nodes { for (_, graph) in node.subgraphs { names.formUnion(graph.allNames) } }
    return names
  }
}
