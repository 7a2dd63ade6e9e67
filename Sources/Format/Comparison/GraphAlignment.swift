/// Gives the values of one graph the names of another, where both compute alike under different names.
struct GraphAlignment {
  private let left: Graph
  private let right: Graph
  private var names: [String: String] = [:]

  /// The right graph with names of the left one, found by walking both from their outputs to their inputs.
  ///
  /// A graph most of whose names are the left one's already stays as it is.
  static func align(_ right: Graph, to left: Graph) -> Graph {
    let own = Set(left.nodes.flatMap(\.outputs))
    let shared = right.nodes.count { node in node.outputs.contains { !$0.isEmpty && own.contains($0) } }
    guard shared * 2 < min(left.nodes.count, right.nodes.count) else { return right }
    var alignment = GraphAlignment(left: left, right: right)
    alignment.walk()
    return alignment.renamed()
  }

  private init(left: Graph, right: Graph) {
    self.left = left
    self.right = right
  }

  private static func producers(of graph: Graph) -> [String: Int] {
    var producers: [String: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    return producers
  }

  private mutating func walk() {
    let (producers, others) = (Self.producers(of: left), Self.producers(of: right))
    var waiting = Array(zip(left.outputs.map(\.name), right.outputs.map(\.name)))
    var used: Set<String> = []
    while let (name, other) = waiting.popLast() {
      guard !name.isEmpty, !other.isEmpty, names[other] == nil, used.insert(name).inserted else { continue }
      names[other] = name
      guard let index = producers[name], let otherIndex = others[other] else { continue }
      let (node, partner) = (left.nodes[index], right.nodes[otherIndex])
      guard node.operatorType == partner.operatorType, node.domain == partner.domain else { continue }
      waiting += zip(node.outputs, partner.outputs)
      waiting += zip(node.inputs, partner.inputs)
    }
    for (input, other) in zip(left.inputs, right.inputs) where names[other.name] == nil {
      names[other.name] = input.name
    }
  }

  /// Values without a counterpart keep their names unless these are taken by now.
  private func renamed() -> Graph {
    let taken = Set(names.values)
    func rename(_ name: String) -> String {
      names[name] ?? (taken.contains(name) ? "\(name) of the second file" : name)
    }
    var graph = right
    for index in graph.inputs.indices { graph.inputs[index].name = rename(graph.inputs[index].name) }
    for index in graph.outputs.indices { graph.outputs[index].name = rename(graph.outputs[index].name) }
    for index in graph.valueInfo.indices { graph.valueInfo[index].name = rename(graph.valueInfo[index].name) }
    for index in graph.initializers.indices { graph.initializers[index].name = rename(graph.initializers[index].name) }
    for index in graph.sparseInitializers.indices {
      graph.sparseInitializers[index].name = rename(graph.sparseInitializers[index].name)
    }
    for index in graph.nodes.indices {
      graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0.isEmpty ? "" : rename($0) }
      graph.nodes[index].outputs = graph.nodes[index].outputs.map { $0.isEmpty ? "" : rename($0) }
    }
    return graph
  }
}
