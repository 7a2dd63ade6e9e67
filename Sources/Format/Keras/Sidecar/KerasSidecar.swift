/// What an ONNX model carries of the Keras file it was made from, beyond what its graph says.
///
/// Texts are in the model's metadata under `nnfmt.keras.*`. Variables that the graph does not hold bit for bit, and those
/// of the optimizer, are initializers of the algorithm of a training step named `nnfmt.keras`, which inference ignores.
struct KerasSidecar {
  static let prefix = "nnfmt.keras."
  static let graphName = "nnfmt.keras"

  /// The names of the metadata entries behind the prefix.
  enum Key: String, CaseIterable {
    case layout, version, backend, config, training, metadata, weights, digest
  }

  /// Adds everything of a Keras model that its lowered form does not say.
  ///
  /// - Parameter carried: the initializers that hold variables bit for bit, by the variables' places.
  /// - Returns: the number of variables that went beside the graph, and the places of those that cannot be read.
  static func attach(
    _ keras: KerasModel, to model: inout Model, carried: [String: String]
  ) throws(FormatError) -> (beside: Int, unreadable: [String]) {
    var shelf = Shelf(names: carried)
    var contents: [(String, JSONValue)] = [
      ("groups", .array(keras.weightGroups.map { shelf.json($0) }))
    ]
    if let tree = keras.weightTree { contents.append(("tree", shelf.json(tree))) }
    if let optimizer = keras.optimizer {
      contents.append(
        (
          "optimizer",
          ["name": .string(optimizer.name), "variables": .array(optimizer.variables.map { shelf.json($0) })]
        ))
    }
    set(.layout, keras.layout.rawValue, in: &model)
    set(.version, keras.kerasVersion, in: &model)
    set(.backend, keras.backend, in: &model)
    set(.config, keras.configuration?.text(), in: &model)
    set(.training, keras.trainingConfiguration?.text(), in: &model)
    set(.metadata, keras.metadata?.text(), in: &model)
    set(.weights, JSONValue.object(.init(uniqueKeysWithValues: contents)).text(), in: &model)
    set(.digest, try GraphDigest.of(model, weights: Set(carried.values)), in: &model)
    if !shelf.initializers.isEmpty {
      var graph = Graph(name: graphName)
      graph.initializers = shelf.initializers
      var info = TrainingInfo()
      info.algorithm = graph
      model.trainingInfo.append(info)
    }
    return (shelf.initializers.count, shelf.unreadable)
  }

  /// Removes everything that `attach` adds.
  static func detach(from model: inout Model) {
    for key in Key.allCases { model.metadata[prefix + key.rawValue] = nil }
    model.trainingInfo.removeAll { $0.algorithm?.name == graphName }
  }

  private static func set(_ key: Key, _ value: String?, in model: inout Model) {
    model.metadata[prefix + key.rawValue] = value
  }
}

/// Gives every variable the initializer that holds it.
private struct Shelf {
  /// Names of initializers by the variables' places.
  var names: [String: String]
  var initializers: [Initializer] = []
  var unreadable: [String] = []

  mutating func json(_ weight: KerasWeight) -> JSONValue {
    let known = names[weight.path]
    if known == nil {
      guard case .success(let tensor) = weight.value else {
        if !unreadable.contains(weight.path) { unreadable.append(weight.path) }
        return ["name": .string(weight.name), "path": .string(weight.path)]
      }
      let name = KerasSidecar.prefix + weight.path
      initializers.append(Initializer(name: name, tensor: tensor))
      names[weight.path] = name
    }
    return [
      "name": .string(weight.name), "path": .string(weight.path), "initializer": .string(names[weight.path] ?? ""),
    ]
  }

  mutating func json(_ group: KerasWeightGroup) -> JSONValue {
    [
      "name": .string(group.name), "path": .string(group.path),
      "weights": .array(group.weights.map { json($0) }),
    ]
  }

  mutating func json(_ tree: WeightTree) -> JSONValue {
    var children: [(String, JSONValue)] = []
    for (name, child) in tree.children { children.append((name, json(child))) }
    return [
      "path": .string(tree.path), "name": tree.layerName.map(JSONValue.string) ?? .null,
      "variables": .array(tree.variables.map { json($0) }),
      "children": .object(.init(uniqueKeysWithValues: children)),
    ]
  }
}

extension Model {
  /// The model without the Keras model that it carries along, for one that is to compute something else.
  public func withoutSidecar() -> Model {
    var model = self
    KerasSidecar.detach(from: &model)
    return model
  }
}
