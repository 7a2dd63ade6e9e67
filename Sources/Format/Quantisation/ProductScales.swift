/// What the sums of a graph's integer products are multiplied by.
struct ProductScales {
  private var consumers: [String: [Node]] = [:]
  private var producers: [String: Node] = [:]
  private let tensors: [String: Tensor]

  init(_ graph: Graph) {
    tensors = Dictionary(graph.initializers.map { ($0.name, $0.tensor) }) { first, _ in first }
    for node in graph.nodes {
      for name in Set(node.inputs) where !name.isEmpty { consumers[name, default: []].append(node) }
      for name in node.outputs where !name.isEmpty { producers[name] = node }
    }
  }

  /// The constant float32 scale that the sum of a product is multiplied or divided by, itself or beside the scale of the other
  /// operand.
  func scale(of product: Node) -> (scale: Tensor, isDivisor: Bool)? {
    var waiting = product.outputs.filter { !$0.isEmpty }
    var known = Set(waiting)
    // What rescales a sum is close behind it; a graph of any size is not searched to its end for every product.
    while known.count < 16, let name = waiting.popLast() {
      for node in (consumers[name] ?? []).prefix(16) {
        guard ["Cast", "Mul", "Div"].contains(node.operatorType) else { continue }
        if node.operatorType != "Cast", let other = node.inputs.prefix(2).first(where: { $0 != name }),
          let scale = constant(other)
        {
          return (scale, node.operatorType == "Div")
        }
        waiting += node.outputs.filter { known.insert($0).inserted }
      }
    }
    return nil
  }

  /// A constant, or a constant factor of a value.
  private func constant(_ name: String) -> Tensor? {
    let names = [name] + (producers[name].map { $0.operatorType == "Mul" ? $0.inputs.prefix(2) : [] } ?? [])
    return names.lazy.compactMap { tensors[$0] }.first { $0.elementType == .float32 }
  }
}
