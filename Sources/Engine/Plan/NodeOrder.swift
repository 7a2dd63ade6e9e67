import NNFormat

/// An order of nodes in which every value exists before it is read.
enum NodeOrder {
  /// Positions of the nodes in such an order; their own order where that is one.
  ///
  /// - Parameter known: whether a name has a value already.
  /// - Throws: `EngineError` of kind `invalidGraph` for a name that nothing produces, and for a cycle.
  static func sorted(_ nodes: [Node], known: (String) -> Bool) throws(EngineError) -> [Int] {
    var producers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    var waitingFor = [Int](repeating: 0, count: nodes.count)
    var readers = [[Int]](repeating: [], count: nodes.count)
    var isOrdered = true
    for (index, node) in nodes.enumerated() {
      let names = node.subgraphs.isEmpty ? node.inputs.filter { !$0.isEmpty } : Array(node.readNames)
      for name in names where !known(name) {
        guard let producer = producers[name] else {
          throw EngineError(.invalidGraph, "nothing produces its input \"\(name)\"", node: node.label)
        }
        readers[producer].append(index)
        waitingFor[index] += 1
        if producer >= index { isOrdered = false }
      }
    }
    if isOrdered { return Array(nodes.indices) }
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
    return order
  }
}
