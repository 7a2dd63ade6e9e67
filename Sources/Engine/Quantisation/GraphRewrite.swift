import NNFormat

/// A graph whose nodes are replaced one after the other.
struct GraphRewrite {
  private(set) var model: Model
  private var nodes: [Node] = []
  /// Nodes that depend on constants alone; they stand in front.
  private var prologue: [Node] = []
  private var added: [Initializer] = []
  private var addedNames: Set<String> = []
  private var names: Set<String> = []
  private var domains: Set<String> = []
  private let constants: [String: Tensor]

  init(_ model: Model) {
    self.model = model
    constants = QuantisableLayer.constants(of: model)
    collect(model.graph)
  }

  private mutating func collect(_ graph: Graph) {
    names.formUnion(graph.inputs.map(\.name) + graph.outputs.map(\.name) + graph.initializers.map(\.name))
    for node in graph.nodes {
      names.formUnion(node.inputs + node.outputs + [node.name])
      for case .graph(let inner) in node.attributes.map(\.value) { collect(inner) }
      for case .graphs(let inner) in node.attributes.map(\.value) { for graph in inner { collect(graph) } }
    }
  }

  /// A constant of the original graph.
  func constant(_ name: String) -> Tensor? { constants[name] }

  /// A name that nothing has.
  mutating func name(_ wanted: String) -> String {
    var name = wanted
    var number = 1
    while !names.insert(name).inserted {
      name = "\(wanted)_\(number)"
      number += 1
    }
    return name
  }

  /// Adds a constant; returns its name.
  mutating func add(_ tensor: Tensor, named wanted: String) -> String {
    let name = name(wanted)
    added.append(Initializer(name: name, tensor: tensor))
    addedNames.insert(name)
    return name
  }

  /// Appends a node as it is.
  mutating func append(_ node: Node) { nodes.append(node) }

  /// Appends a node with one output of a name that is free; returns it.
  mutating func add(
    _ operatorType: String, domain: String = "", _ inputs: [String], named wanted: String,
    _ attributes: [Attribute] = [], inFront: Bool = false
  ) -> String {
    let output = name(wanted)
    add(operatorType, domain: domain, inputs, outputs: [output], attributes, inFront: inFront)
    return output
  }

  /// Appends a node with outputs of given names.
  mutating func add(
    _ operatorType: String, domain: String = "", _ inputs: [String], outputs: [String],
    _ attributes: [Attribute] = [], inFront: Bool = false
  ) {
    var inputs = inputs
    while inputs.last == "" { inputs.removeLast() }
    if !domain.isEmpty { domains.insert(domain) }
    let node = Node(
      name: outputs[0], operatorType, domain: domain, inputs: inputs, outputs: outputs, attributes: attributes)
    if inFront { prologue.append(node) } else { nodes.append(node) }
  }

  /// The model with the nodes that were appended, without constants that nothing uses any more.
  consuming func finished() -> Model {
    model.graph.nodes = prologue + nodes
    model.graph.initializers += added
    var used = Set(model.graph.outputs.map(\.name))
    Self.collectUses(model.graph, into: &used)
    let replaced = Set(model.graph.initializers.map(\.name)).subtracting(used)
    model.graph.initializers.removeAll { replaced.contains($0.name) }
    model.graph.inputs.removeAll { replaced.contains($0.name) }
    model.graph.valueInfo.removeAll { replaced.contains($0.name) }
    model.graph.nodes.removeAll { node in
      node.operatorType == "Constant" && node.domain.isEmpty && !node.outputs.contains(where: used.contains)
    }
    for domain in domains.sorted() where model.operatorSetVersion(domain: domain) == nil {
      model.operatorSets.append(OperatorSetImport(domain: domain, version: 1))
    }
    return model
  }

  private static func collectUses(_ graph: Graph, into used: inout Set<String>) {
    for node in graph.nodes {
      used.formUnion(node.inputs)
      for case .graph(let inner) in node.attributes.map(\.value) { collectInner(inner, into: &used) }
      for case .graphs(let inner) in node.attributes.map(\.value) {
        for graph in inner { collectInner(graph, into: &used) }
      }
    }
  }

  private static func collectInner(_ graph: Graph, into used: inout Set<String>) {
    used.formUnion(graph.outputs.map(\.name))
    collectUses(graph, into: &used)
  }
}
