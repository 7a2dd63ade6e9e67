/// The rewriting of nodes from one version of the standard operator set to another.
struct OperatorSetMove {
  let from: Int
  let to: Int
  /// What is known of values by name.
  let types: [String: InferredValue]
  /// Every name of a value in the model.
  private let names: Set<String>
  /// How many nodes of each operator were rewritten.
  private(set) var counts: [String: Int] = [:]
  /// Constants in reach, innermost graph last; nodes that make constants are among them.
  private var constants: [[String: Tensor]] = []
  /// Constants that were made, for the graph that is being rewritten.
  private var made: [Initializer] = []
  /// Nodes to stand in front of the one that is being rewritten, and behind it.
  var before: [Node] = []
  var after: [Node] = []
  /// Inputs that became attributes.
  private var released: Set<String> = []

  init(from: Int, to: Int, types: [String: InferredValue], names: Set<String>) {
    self.names = names
    self.from = from
    self.to = to
    self.types = types
  }

  /// Rewrites a graph and those inside of it.
  mutating func apply(to graph: inout Graph) throws(FormatError) {
    let inputs = Set(graph.inputs.map(\.name))
    // A caller may replace an initializer that is also an input.
    let fixed = graph.initializers.filter { !inputs.contains($0.name) }
    let outer = (made, released)
    (made, released) = ([], [])
    graph.nodes = try moved(
      graph.nodes, constants: Dictionary(fixed.map { ($0.name, $0.tensor) }) { first, _ in first })
    var used = Set(graph.outputs.map(\.name))
    for node in graph.nodes { used.formUnion(node.readNames) }
    graph.initializers.removeAll { released.contains($0.name) && !used.contains($0.name) }
    graph.initializers += made
    (made, released) = outer
  }

  /// Rewrites the body of a function, whose constants are nodes.
  mutating func moved(_ nodes: [Node]) throws(FormatError) -> [Node] {
    let body = try moved(nodes, constants: [:])
    let constants = made.map { constant in
      Node("Constant", inputs: [], outputs: [constant.name], attributes: [Attribute("value", .tensor(constant.tensor))])
    }
    made = []
    return constants + body
  }

  private mutating func moved(_ nodes: [Node], constants known: [String: Tensor]) throws(FormatError) -> [Node] {
    var known = known
    for node in nodes where node.operatorType == "Constant" && node.isStandard {
      if let output = node.outputs.first, case .tensor(let tensor) = node.attribute("value") { known[output] = tensor }
    }
    constants.append(known)
    defer { constants.removeLast() }
    var result: [Node] = []
    for node in nodes {
      let moved = try move(node)
      result += moved
    }
    return result
  }

  /// The node in its new form with the nodes around it.
  private mutating func move(_ original: Node) throws(FormatError) -> [Node] {
    var node = original
    for index in node.attributes.indices {
      switch node.attributes[index].value {
      case .graph(var graph):
        try apply(to: &graph)
        node.attributes[index].value = .graph(graph)
      case .graphs(var graphs):
        for position in graphs.indices { try apply(to: &graphs[position]) }
        node.attributes[index].value = .graphs(graphs)
      default: break
      }
    }
    guard node.isStandard else { return [node] }
    (before, after) = ([], [])
    guard let old = OperatorRegistry.schema(node.operatorType, version: from) else {
      throw error(node, "its form in operator set \(from) is not known here")
    }
    try checkTypes(of: node)
    guard let new = OperatorRegistry.schema(node.operatorType, version: to), old.isContributed || !new.isContributed
    else {
      throw error(node, "operator set \(to) has no \(node.operatorType); it came later")
    }
    guard old.sinceVersion != new.sinceVersion || OperatorChanges.isHidden(node.operatorType, from: from, to: to) else {
      return [node]
    }
    try rewrite(&node)
    node.attributes.removeAll { $0.name == "consumed_inputs" }
    do throws(FormatError) { try new.check(node) } catch {
      throw self.error(original, "it has no form in operator set \(to): \(error.message)")
    }
    if !before.isEmpty || !after.isEmpty || !node.hasForm(of: original) { counts[node.operatorType, default: 0] += 1 }
    return before + [node] + after
  }

  /// Refuses element types that the target version does not know.
  private func checkTypes(of node: Node) throws(FormatError) {
    guard to < from else { return }
    for name in node.inputs + node.outputs {
      guard let type = types[name]?.elementType else { continue }
      let first = OperatorChanges.firstVersion(of: type, in: node.operatorType)
      guard first > to else { continue }
      throw error(node, "\(node.operatorType) takes \(type.name) from operator set \(first) on")
    }
  }

  /// An error that names a node.
  func error(_ node: Node, _ message: String) -> FormatError {
    FormatError(.unsupported, message, at: "node \(node.label)")
  }
}

/// What rules need to know of values, and the constants that they make.
extension OperatorSetMove {
  /// The elements of a constant in reach.
  func constant(_ name: String) -> Tensor? { constants.reversed().lazy.compactMap { $0[name] }.first }

  /// A new constant under a name made of the node's.
  mutating func add(_ tensor: Tensor, _ role: String, of node: Node) -> String {
    let name = fresh("\(node.outputs.first { !$0.isEmpty } ?? node.name)_\(role)")
    made.append(Initializer(name: name, tensor: tensor))
    return name
  }

  /// The name itself, or with a number where it is taken.
  func fresh(_ stem: String) -> String {
    func isTaken(_ name: String) -> Bool {
      names.contains(name) || made.contains { $0.name == name }
    }
    guard isTaken(stem) else { return stem }
    return (1...).lazy.map { "\(stem)_\($0)" }.first { !isTaken($0) } ?? stem
  }

  /// Notes that a node no longer reads a constant.
  mutating func release(_ name: String) { released.insert(name) }

  /// The integers of an input that has to be constant.
  func integers(_ index: Int, of node: Node) throws(FormatError) -> [Int64] {
    guard let tensor = constant(node.inputs[index]) else {
      throw error(node, "its input \(index) is not constant, as operator set \(to) needs it")
    }
    do throws(FormatError) { return try tensor.integers().map { Int64($0) } } catch {
      throw self.error(node, "its input \(index): \(error.message)")
    }
  }
}

extension Node {
  /// Whether the operator is of the standard set.
  var isStandard: Bool { domain.isEmpty || domain == "ai.onnx" }

  /// Whether inputs and attributes are those of another node.
  fileprivate func hasForm(of other: Node) -> Bool {
    inputs == other.inputs && attributes.map(\.name) == other.attributes.map(\.name)
  }

  /// An input by its position, unless it is omitted.
  func input(_ index: Int) -> String? { index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil }

  /// Puts an input at a position, with omitted ones in front where the list is too short.
  mutating func setInput(_ index: Int, to name: String) {
    while inputs.count <= index { inputs.append("") }
    inputs[index] = name
  }

  /// Takes an attribute away.
  mutating func removeAttribute(_ name: String) -> AttributeValue? {
    let value = attribute(name)
    attributes.removeAll { $0.name == name }
    return value
  }

  /// Omits the input at a position and shortens the list when it was the last.
  mutating func removeInput(_ index: Int) {
    guard index < inputs.count else { return }
    inputs[index] = ""
    while inputs.last == "" { inputs.removeLast() }
  }
}
