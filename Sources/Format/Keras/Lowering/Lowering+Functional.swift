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
    var network = FunctionalNetwork(model)
    for (reference, value) in zip(inputReferences, inputs) {
      let key = network.key(reference)
      guard key.layer >= 0 else {
        throw FormatError(
          .malformed, "input_layers names \"\(reference.layer)\", which is no layer of the model", at: label)
      }
      network.results[key] = [value]
    }
    let outputKeys = try outputReferences.mapTyped { (reference) throws(FormatError) in
      try network.existingKey(reference, isOutput: true)
    }
    for reference in model.sublayers.flatMap({ $0.calls.flatMap(\.tensors) }) { _ = try network.existingKey(reference) }
    for (index, layer) in model.sublayers.enumerated() {
      for call in layer.calls.indices {
        let key = FunctionalNetwork.Key(layer: index, call: call)
        // What only masks are made of has no part in the outputs.
        guard network.isNeeded(key, by: outputKeys) else { continue }
        try run(key, in: &network, scope: scope, depth: depth)
      }
    }
    return try zip(outputKeys, outputReferences).mapTyped { (key, reference) throws(FormatError) in
      try network.value(key, output: reference.output)
    }
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
      let inputs = try references.mapTyped { (reference) throws(FormatError) in
        try network.value(network.existingKey(reference), output: reference.output)
      }
      let call = LayerCall(
        layer: layer, scope: self.scope(of: layer, in: scope), index: key.call, inputs: inputs,
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
