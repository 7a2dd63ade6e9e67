import OrderedCollections

/// The order in which Keras lists the layers of a Functional model: deepest first, by the distance to the outputs.
///
/// Files name and place weights by this order, whatever order the configuration has (`map_graph_network` in Keras).
struct KerasLayerOrder {
  private typealias Call = CallNumbering.Key

  private let layers: [KerasLayer]
  private let numbering: CallNumbering
  private var firstSeen: OrderedSet<Int> = []
  private var finished: OrderedSet<Call> = []

  /// The layers in Keras's order; as they stand when the connections cannot be followed.
  static func sorted(_ model: KerasLayer) -> [KerasLayer] {
    guard model.isFunctional,
      let outputs = try? CallParser.references(model.configuration["output_layers"], label: model.name)
    else { return model.sublayers }
    var order = KerasLayerOrder(model)
    for output in outputs { order.visit(output, isOutput: true) }
    return order.sorted()
  }

  private init(_ model: KerasLayer) {
    layers = model.sublayers
    numbering = CallNumbering(model)
  }

  private func call(_ reference: KerasTensorReference, isOutput: Bool = false) -> Call? {
    let key = numbering.key(reference, isOutput: isOutput)
    guard key.layer >= 0 else { return nil }
    let count = max(layers[key.layer].calls.count, 1)
    return Call(layer: key.layer, call: min(max(key.call, 0), count - 1))
  }

  private func tensors(of call: Call) -> [KerasTensorReference] {
    let calls = layers[call.layer].calls
    return calls.indices.contains(call.call) ? calls[call.call].tensors : []
  }

  /// Notes the calls that a tensor needs, and then its own; iterative, as chains may be long.
  private mutating func visit(_ reference: KerasTensorReference, isOutput: Bool) {
    var open: Set<Call> = []
    var pending = [(reference, isOutput)]
    while let next = pending.last {
      guard let call = call(next.0, isOutput: next.1), !finished.contains(call) else {
        pending.removeLast()
        continue
      }
      if open.insert(call).inserted {
        firstSeen.append(call.layer)
        pending += tensors(of: call).reversed().map { ($0, false) }
      } else {
        finished.append(call)
        pending.removeLast()
      }
    }
  }

  private func sorted() -> [KerasLayer] {
    var callDepths: [Call: Int] = [:]
    var depths: [Int: Int] = [:]
    for call in finished.reversed() {
      let depth = max(callDepths[call, default: 0], depths[call.layer, default: 0])
      depths[call.layer] = depth
      callDepths[call] = depth
      for reference in tensors(of: call) {
        guard let parent = self.call(reference) else { continue }
        callDepths[parent] = max(depth + 1, callDepths[parent, default: 0])
      }
    }
    let rank = Dictionary(firstSeen.enumerated().map { ($1, $0) }) { first, _ in first }
    // Inputs that no output needs count as the first of the last.
    let keys = layers.indices.map { (depth: depths[$0, default: 0], rank: rank[$0] ?? -1, position: $0) }
    return keys.sorted { ($1.depth, $0.rank, $0.position) < ($0.depth, $1.rank, $1.position) }.map {
      layers[$0.position]
    }
  }
}
