import OrderedCollections

extension KerasModel {
  /// The Keras model that computes what a graph of ONNX operators computes: Sequential where the layers are a chain, else
  /// Functional.
  ///
  /// - Parameters:
  ///   - model: the network; its first axis is the batch, whatever extent is stated.
  ///   - layout: `.legacyModel` gives a configuration that Keras 2 (tf_keras) and Keras 3 both load, `.archive` one of
  ///     Keras 3.
  /// - Returns: the model, and what was renamed or changed.
  /// - Throws: `FormatError` of kind `unsupported` that names the first node without a layer.
  public static func raised(
    from model: Model, layout: Layout, path: String = ""
  ) throws(FormatError) -> (model: KerasModel, notes: [ConversionNote]) {
    let generation = layout == .legacyModel ? 2 : 3
    var raising = try Raising(model, generation: generation)
    try raising.run()
    raising.cutClassifierTails()
    let outputs = try raising.finishOutputs()
    let network = RaisedNetwork(
      name: Raising.legalName(model.graph.name).isEmpty ? "model" : Raising.legalName(model.graph.name),
      layers: raising.layers, outputs: outputs, generation: generation)
    var keras = KerasModel(path: path, layout: layout)
    keras.kerasVersion = generation == 2 ? "2.21.0" : "3.15.1"
    keras.backend = "tensorflow"
    keras.configuration = network.configuration
    if generation == 2 {
      keras.weightGroups = network.groups
    } else {
      KerasReader().adoptTree(network.tree, into: &keras)
    }
    try KerasReader().finish(&keras)
    let kept = Set(raising.layers.map { Raising.renaming(to: $0.name) })
    return (keras, raising.notes.filter { $0.kind != .renamed || kept.contains($0.message) })
  }
}

extension Raising {
  /// Finds the layers of the graph's outputs, names them like these and drops layers that no output needs.
  ///
  /// - Returns: the positions of the output layers.
  mutating func finishOutputs() throws(FormatError) -> [Int] {
    if let layer = layers.first(where: { $0.steps != nil && $0.inputs.count != 1 }) {
      throw FormatError(
        .unsupported, "it joins several values whose steps are joined with the batch", at: "node \"\(layer.name)\"")
    }
    var outputs: [Int] = []
    for output in model.graph.outputs {
      guard var value = values[output.name] else {
        if let failure = failures[output.name] { throw failure }
        throw FormatError(.unsupported, "the output \"\(output.name)\" depends on no input", at: "outputs")
      }
      guard !value.isCollapsed, value.steps == nil else {
        throw FormatError(.unsupported, "the output \"\(output.name)\" joins the batch with other axes", at: "outputs")
      }
      if layers[value.layer].className == "InputLayer" || outputs.contains(value.layer) {
        emit(
          "Activation", ["activation": "linear"], inputs: [value], as: output.name,
          of: Node(name: output.name, "Identity", inputs: [], outputs: [output.name]))
        value = values[output.name] ?? value
      }
      outputs.append(value.layer)
    }
    let renamed = zip(model.graph.outputs, outputs).filter { layers[$1].name != Self.legalName($0.name) }
    let old = Set(renamed.map { Self.renaming(to: layers[$1].name) })
    notes.removeAll { old.contains($0.message) }
    for (output, layer) in renamed {
      takenNames.remove(layers[layer].name)
      layers[layer].name = uniqueName(output.name, fallback: "output")
    }
    return dropUnused(outputs)
  }

  /// Removes layers that no output depends on; inputs stay.
  private mutating func dropUnused(_ outputs: [Int]) -> [Int] {
    var needed = Set(layers.indices.filter { layers[$0].className == "InputLayer" })
    var pending = outputs
    while let layer = pending.popLast() {
      if needed.insert(layer).inserted { pending += layers[layer].inputs }
    }
    var positions: [Int: Int] = [:]
    var kept: [RaisedLayer] = []
    for index in layers.indices where needed.contains(index) {
      positions[index] = kept.count
      kept.append(layers[index])
    }
    for index in kept.indices { kept[index].inputs = kept[index].inputs.compactMap { positions[$0] } }
    layers = kept
    return outputs.compactMap { positions[$0] }
  }

  /// What a note says of a layer that was given another name.
  static func renaming(to name: String) -> String { "is now \"\(name)\"" }
}
