import OrderedCollections

extension KerasSidecar {
  /// What a model carries of its Keras file.
  enum Contents {
    /// Nothing: the model was not made from a Keras file, or lost what it carried.
    case none
    /// The Keras model, with the weights that the graph has now.
    case intact(KerasModel)
    /// The sidecar no longer describes the graph; the message says why.
    case outdated(String)
  }

  /// Restores the Keras model from which an ONNX model was made, when its structure is still the same.
  static func read(_ model: Model, path: String, limits: ReadLimits = ReadLimits()) -> Contents {
    func text(_ key: Key) -> String? { model.metadata[prefix + key.rawValue] }
    guard let digest = text(.digest), let layoutName = text(.layout), let weightsText = text(.weights) else {
      return Key.allCases.contains { text($0) != nil } ? .outdated("the sidecar is incomplete") : .none
    }
    do throws(FormatError) {
      let index = try JSONValue.parse(weightsText, limits: limits)
      let reader = WeightIndex(model)
      guard try digest == Self.digest(of: model, index) else {
        return .outdated("the graph was changed since it was made from a Keras model")
      }
      guard let layout = KerasModel.Layout(rawValue: layoutName) else {
        return .outdated("the sidecar is of an unknown layout")
      }
      func json(_ key: Key) throws(FormatError) -> JSONValue? {
        try text(key).mapTyped { (text) throws(FormatError) in try JSONValue.parse(text, limits: limits) }
      }
      var keras = KerasModel(path: path, layout: layout)
      keras.kerasVersion = text(.version)
      keras.backend = text(.backend)
      keras.configuration = try json(.config)
      keras.trainingConfiguration = try json(.training)
      keras.metadata = try json(.metadata)
      keras.weightGroups = try (index["groups"]?.array ?? []).mapTyped(reader.group)
      keras.weightTree = try index["tree"].mapTyped(reader.tree)
      if let optimizer = index["optimizer"] {
        keras.optimizer = KerasOptimizerState(
          name: optimizer["name"]?.string ?? "",
          variables: try (optimizer["variables"]?.array ?? []).mapTyped(reader.weight))
      }
      try KerasReader(limits: limits).finish(&keras)
      return .intact(keras)
    } catch {
      return .outdated("the sidecar cannot be used: \(error.message)")
    }
  }

  /// Lets the sidecar describe a graph that computes the same as the one it was made for, when it described that one.
  static func renew(in model: inout Model, madeOf original: Model, path: String) throws(FormatError) {
    guard case .intact = read(original, path: path), let text = model.metadata[prefix + Key.weights.rawValue] else {
      return
    }
    let index = try JSONValue.parse(text, limits: ReadLimits())
    model.metadata[prefix + Key.digest.rawValue] = try digest(of: model, index)
  }

  private static func digest(of model: Model, _ index: JSONValue) throws(FormatError) -> String {
    try GraphDigest.of(model, weights: initializers(in: index).subtracting(WeightIndex(model).besideNames))
  }

  /// The names of all initializers that an index of variables mentions.
  private static func initializers(in json: JSONValue) -> Set<String> {
    var names: Set<String> = []
    var pending = [json]
    while let next = pending.popLast() {
      if let name = next["initializer"]?.string { names.insert(name) }
      pending += next.array ?? next.object.map { Array($0.values) } ?? []
    }
    return names
  }
}

/// The variables of a sidecar by the names of their initializers.
private struct WeightIndex {
  private let tensors: [String: Tensor]
  /// The initializers that are not in the graph.
  let besideNames: Set<String>

  init(_ model: Model) {
    let beside = model.trainingInfo.compactMap(\.algorithm).filter { $0.name == KerasSidecar.graphName }
      .flatMap(\.initializers)
    besideNames = Set(beside.map(\.name))
    tensors = Dictionary(
      (beside + model.graph.initializers).map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
  }

  func weight(_ json: JSONValue) throws(FormatError) -> KerasWeight {
    let (name, path) = (json["name"]?.string ?? "", json["path"]?.string ?? "")
    guard let initializer = json["initializer"]?.string else {
      return KerasWeight(
        name: name, path: path,
        value: .failure(FormatError(.missing, "the weight could not be read when the model was converted", at: path)))
    }
    guard var tensor = tensors[initializer] else {
      throw FormatError(.missing, "the variable \"\(path)\" is no longer in the model")
    }
    // How the ONNX file holds the elements means nothing to Keras.
    tensor.encoding = TensorEncoding()
    return KerasWeight(name: name, path: path, value: .success(tensor))
  }

  func group(_ json: JSONValue) throws(FormatError) -> KerasWeightGroup {
    KerasWeightGroup(
      name: json["name"]?.string ?? "", path: json["path"]?.string ?? "",
      weights: try (json["weights"]?.array ?? []).mapTyped(weight))
  }

  func tree(_ json: JSONValue) throws(FormatError) -> WeightTree {
    var tree = WeightTree(path: json["path"]?.string ?? "/")
    tree.layerName = json["name"]?.string
    tree.variables = try (json["variables"]?.array ?? []).mapTyped(weight)
    for (name, child) in json["children"]?.object ?? [:] { tree.children[name] = try self.tree(child) }
    return tree
  }
}

extension Optional {
  /// `map` that keeps the type of the error.
  func mapTyped<Result>(_ transform: (Wrapped) throws(FormatError) -> Result) throws(FormatError) -> Result? {
    guard let self else { return nil }
    return try transform(self)
  }
}
