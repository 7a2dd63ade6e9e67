import NNFormat

/// Turns the graph of a model into a draft: names become numbers, and what the graph promises is checked.
package struct GraphReader {
  private let model: Model
  private var draft = Draft()
  private var valueOfName: [String: Int] = [:]

  /// Reads a graph.
  ///
  /// - Throws: `EngineError` of kind `invalidGraph` for a value that nobody produces or two nodes produce, and for a
  ///   cycle; it names the node.
  package static func read(_ model: Model) throws(EngineError) -> Draft {
    var reader = GraphReader(model: model)
    try reader.readConstants()
    try reader.readInputs()
    for node in try reader.sortedNodes() { try reader.append(node) }
    for output in model.graph.outputs {
      guard let value = reader.valueOfName[output.name] else {
        throw EngineError(.invalidGraph, "no node produces the output \"\(output.name)\"")
      }
      reader.draft.outputs.append(value)
    }
    return reader.draft
  }

  private init(model: Model) { self.model = model }

  private mutating func define(
    _ name: String, type: ElementType?, constant: Constant? = nil, node: Node? = nil
  ) throws(EngineError) -> Int {
    guard valueOfName[name] == nil else {
      throw EngineError(.invalidGraph, "the value \"\(name)\" is produced twice", node: node?.label)
    }
    let value = draft.addValue(name, type: type, constant: constant)
    valueOfName[name] = value
    return value
  }

  private mutating func readConstants() throws(EngineError) {
    guard model.graph.sparseInitializers.isEmpty else {
      throw EngineError(.unsupported, "sparse initializers are not supported")
    }
    for initializer in model.graph.initializers {
      do {
        _ = try define(
          initializer.name, type: initializer.tensor.elementType,
          constant: Constant(initializer.tensor))
      } catch {
        throw EngineError(error.kind, "initializer \"\(initializer.name)\": \(error.message)", node: error.node)
      }
    }
  }

  private mutating func readInputs() throws(EngineError) {
    for input in model.graph.inputs where valueOfName[input.name] == nil {
      guard let type = input.elementType else {
        throw EngineError(.unsupported, "the input \"\(input.name)\" is no tensor of a stated element type")
      }
      draft.inputs.append(try define(input.name, type: type))
    }
  }

  /// The nodes in an order in which every value exists before it is read.
  private func sortedNodes() throws(EngineError) -> [Node] {
    let nodes = model.graph.nodes
    var producers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    var waitingFor = [Int](repeating: 0, count: nodes.count)
    var readers = [[Int]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      for input in node.inputs where !input.isEmpty && valueOfName[input] == nil {
        guard let producer = producers[input] else {
          throw EngineError(.invalidGraph, "nothing produces its input \"\(input)\"", node: node.label)
        }
        readers[producer].append(index)
        waitingFor[index] += 1
      }
    }
    guard waitingFor.contains(where: { $0 > 0 }) else { return nodes }
    var order: [Int] = []
    var ready = nodes.indices.filter { waitingFor[$0] == 0 }
    var next = 0
    while next < ready.count {
      let index = ready[next]
      next += 1
      order.append(index)
      for reader in readers[index] {
        waitingFor[reader] -= 1
        if waitingFor[reader] == 0 { ready.append(reader) }
      }
    }
    guard order.count == nodes.count else {
      let stuck = nodes.indices.first { waitingFor[$0] > 0 } ?? 0
      throw EngineError(.invalidGraph, "it is part of a cycle or behind one", node: nodes[stuck].label)
    }
    return order.map { nodes[$0] }
  }

  private mutating func append(_ node: Node) throws(EngineError) {
    guard let version = model.operatorSetVersion(domain: node.domain) else {
      throw EngineError(
        .invalidGraph, "the model imports no operator set \"\(node.domain)\"", node: node.label)
    }
    var inputs: [Int?] = []
    for name in node.inputs { inputs.append(name.isEmpty ? nil : valueOfName[name]) }
    var outputs: [Int?] = []
    for name in node.outputs { outputs.append(name.isEmpty ? nil : try define(name, type: nil, node: node)) }
    draft.nodes.append(
      DraftNode(origin: node, version: version, operation: .standard, inputs: inputs, outputs: outputs))
  }
}
