extension Lowering {
  /// Runs values through the layers of a Functional model, each call once its arguments are there.
  mutating func functional(
    _ model: KerasLayer, inputs: [LoweredValue], scope: String, depth: Int
  ) throws(FormatError) -> [LoweredValue] {
    let label = model.configuration.label
    let inputReferences = try CallParser.references(model.configuration["input_layers"], label: label)
    let outputReferences = try CallParser.references(model.configuration["output_layers"], label: label)
    guard inputReferences.count == inputs.count else {
      throw FormatError(
        .mismatch, "the model takes \(inputReferences.count) inputs, but \(inputs.count) are connected", at: label)
    }
    var network = FunctionalNetwork(model, outputs: outputReferences)
    for (reference, value) in zip(inputReferences, inputs) {
      let key = network.key(reference)
      guard key.layer >= 0 else {
        throw FormatError(
          .malformed, "input_layers names \"\(reference.layer)\", which is no layer of the model", at: label)
      }
      network.results[key] = [value]
    }
    for (index, layer) in model.sublayers.enumerated() {
      for call in layer.calls.indices {
        try run(FunctionalNetwork.Key(layer: index, call: call), in: &network, scope: scope, depth: depth)
      }
    }
    return try outputReferences.mapTyped { (reference) throws(FormatError) in try network.value(reference) }
  }

  /// Runs one call and, before it, the calls that its arguments come from. Iterative, as chains may be long.
  private mutating func run(
    _ wanted: FunctionalNetwork.Key, in network: inout FunctionalNetwork, scope: String, depth: Int
  ) throws(FormatError) {
    var pending = [wanted]
    while let key = pending.last {
      if network.results[key] != nil {
        pending.removeLast()
        continue
      }
      let layer = network.layers[key.layer]
      let references = layer.calls[key.call].tensors
      if let missing = try references.firstTyped(where: { (reference) throws(FormatError) in
        network.results[try network.existingKey(reference)] == nil
      }) {
        let next = try network.existingKey(missing)
        guard network.visiting.insert(next).inserted, next != wanted else {
          throw FormatError(.malformed, "the layers are connected in a circle", at: layer.configuration.label)
        }
        pending.append(next)
        continue
      }
      let inputs = try references.mapTyped { (reference) throws(FormatError) in try network.value(reference) }
      let call = LayerCall(
        layer: layer, scope: Self.join(scope, layer.name), index: key.call, inputs: inputs,
        arguments: layer.calls[key.call])
      network.results[key] = try self.call(call, depth: depth)
      pending.removeLast()
    }
  }
}

extension Sequence {
  /// `first(where:)` that keeps the type of the error.
  fileprivate func firstTyped(where isWanted: (Element) throws(FormatError) -> Bool) throws(FormatError) -> Element? {
    for element in self where try isWanted(element) { return element }
    return nil
  }
}

/// The calls of a Functional model and their results so far.
private struct FunctionalNetwork {
  /// A call of a layer.
  struct Key: Hashable {
    var layer: Int
    var call: Int
  }

  let layers: [KerasLayer]
  var results: [Key: [LoweredValue]] = [:]
  var visiting: Set<Key> = []
  private let positions: [String: Int]
  /// What is taken off the call numbers of a layer: models in models were numbered from 1 by TensorFlow's Keras, since
  /// number 0 was the call on their own inputs.
  private var offsets: [Int: Int] = [:]

  init(_ model: KerasLayer, outputs: [KerasTensorReference]) {
    layers = model.sublayers
    positions = Dictionary(model.sublayers.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    let references = model.sublayers.flatMap { $0.calls.flatMap(\.tensors) } + outputs
    for reference in references {
      guard let position = positions[reference.layer], !layers[position].calls.isEmpty else { continue }
      if reference.call >= layers[position].calls.count { offsets[position] = 1 }
    }
  }

  func key(_ reference: KerasTensorReference) -> Key {
    let position = positions[reference.layer] ?? -1
    return Key(layer: position, call: max(0, reference.call - offsets[position, default: 0]))
  }

  /// The call that a reference means.
  func existingKey(_ reference: KerasTensorReference) throws(FormatError) -> Key {
    let key = key(reference)
    guard results[key] != nil || (key.layer >= 0 && key.call < layers[key.layer].calls.count) else {
      throw FormatError(
        .malformed, "the configuration connects call \(reference.call) of \"\(reference.layer)\", which there is not",
        at: "model_config")
    }
    return key
  }

  func value(_ reference: KerasTensorReference) throws(FormatError) -> LoweredValue {
    let outputs = results[try existingKey(reference)] ?? []
    guard outputs.indices.contains(reference.output) else {
      throw FormatError(
        .malformed, "layer \"\(reference.layer)\" has no output \(reference.output)", at: "model_config")
    }
    return outputs[reference.output]
  }
}
