/// A graph whose values are not rounded between its nodes: without the pairs of QuantizeLinear and DequantizeLinear there.
///
/// ONNX Runtime's quantiser puts such pairs around most nodes, gives outputs of the network another name in front of the pair,
/// and leaves out a Relu whose work the rounding behind it does.
struct UnpairedGraph {
  private(set) var graph: Graph
  private let origin: Graph
  private var producers: [String: Int] = [:]
  private let tensors: [String: Tensor]
  /// Pairs, by the index of their DequantizeLinear.
  private var pairs: [Int: Pair] = [:]

  /// A QuantizeLinear with a DequantizeLinear of the same scale behind it.
  private struct Pair {
    /// What is rounded, and what comes out.
    let value: String
    let rounded: String
    /// The index of the QuantizeLinear.
    let first: Int
    let zeroPoint: String?
  }

  /// - Parameter origin: the graph that the names of values are taken from; where it rounds values itself, nothing changes.
  init(_ graph: Graph, like origin: Graph) {
    self.graph = graph
    self.origin = origin
    tensors = Dictionary(graph.initializers.map { ($0.name, $0.tensor) }) { first, _ in first }
    guard !origin.nodes.contains(where: { $0.operatorType == "QuantizeLinear" }) else { return }
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    findPairs()
    guard !pairs.isEmpty else { return }
    let clipped = Set(pairs.values.filter { isClipping($0) }.map(\.value))
    let names = removePairs()
    let values = Set(clipped.map { names[$0] ?? $0 })
    for node in origin.nodes where node.operatorType == "Relu" && node.outputs.contains(where: values.contains) {
      restore(node)
    }
  }

  private mutating func findPairs() {
    for (index, node) in graph.nodes.enumerated() where node.operatorType == "DequantizeLinear" {
      guard let codes = node.inputs.first, let first = producers[codes], let rounded = node.outputs.first else {
        continue
      }
      let quantise = graph.nodes[first]
      guard quantise.operatorType == "QuantizeLinear", quantise.inputs.count > 1,
        quantise.inputs.dropFirst() == node.inputs.dropFirst()
      else { continue }
      let zeroPoint = quantise.inputs.count > 2 ? quantise.inputs[2] : nil
      pairs[index] = Pair(value: quantise.inputs[0], rounded: rounded, first: first, zeroPoint: zeroPoint)
    }
  }

  /// Whether no number below zero comes through.
  private func isClipping(_ pair: Pair) -> Bool {
    guard let tensor = pair.zeroPoint.flatMap({ tensors[$0] }), tensor.count == 1,
      let zero = try? tensor.doubles().first
    else { return false }
    switch tensor.elementType {
    case .uint8, .uint16: return zero == 0
    case .int8: return zero == -128
    case .int16: return zero == -32_768
    default: return false
    }
  }

  /// - Returns: the new names of values.
  private mutating func removePairs() -> [String: String] {
    let outputs = Set(graph.outputs.map(\.name))
    let fixed = outputs.union(graph.inputs.map(\.name)).union(tensors.keys)
    var names: [String: String] = [:]
    var removed: Set<Int> = []
    for (index, pair) in pairs.sorted(by: { $0.key < $1.key }) {
      let value = names[pair.value] ?? pair.value
      if !outputs.contains(pair.rounded) {
        names[pair.rounded] = value
      } else if !fixed.contains(value) {
        names[value] = pair.rounded
      } else {
        continue
      }
      removed.insert(index)
    }
    // A rounded value leads to the one in front of it, which may have an output's name by now.
    names = names.mapValues { names[$0] ?? $0 }
    var nodes = graph.nodes
    for index in nodes.indices where !removed.contains(index) {
      nodes[index].inputs = nodes[index].inputs.map { names[$0] ?? $0 }
      nodes[index].outputs = nodes[index].outputs.map { names[$0] ?? $0 }
    }
    let used = Set(nodes.indices.filter { !removed.contains($0) }.flatMap { nodes[$0].inputs }).union(outputs)
    removed.formUnion(
      pairs.values.map(\.first).filter { first in !nodes[first].outputs.contains(where: used.contains) })
    graph.nodes = nodes.indices.filter { !removed.contains($0) }.map { nodes[$0] }
    return names
  }

  /// Puts a Relu of the origin back behind the node that gives its output now.
  private mutating func restore(_ relu: Node) {
    guard let input = relu.inputs.first, let place = graph.nodes.firstIndex(where: { $0.outputs == relu.outputs }),
      graph.nodes[place].operatorType != "Relu",
      !graph.nodes.contains(where: { $0.outputs.contains(input) }), !graph.inputs.contains(where: { $0.name == input })
    else { return }
    graph.nodes[place].outputs = [input]
    graph.nodes.insert(relu, at: place + 1)
  }
}
