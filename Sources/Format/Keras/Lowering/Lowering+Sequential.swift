extension Lowering {
  /// Runs a value through the layers of a Sequential model.
  mutating func sequential(
    _ model: KerasLayer, input: LoweredValue, scope: String, depth: Int
  ) throws(FormatError) -> [LoweredValue] {
    var values = [input]
    for layer in model.sublayers where layer.className != "InputLayer" {
      let call = LayerCall(
        layer: layer, scope: self.scope(of: layer, in: scope), index: 0, inputs: values, arguments: nil)
      values = try self.call(call, depth: depth)
    }
    return values
  }

  /// The input of a Sequential model that nothing is connected to.
  mutating func sequentialInput(_ model: KerasLayer) throws(FormatError) -> LoweredValue {
    guard let first = model.sublayers.first else {
      throw FormatError(.unsupported, "the model has no layers", at: "layer \"\(model.name)\" (Sequential)")
    }
    let (source, shape) = Self.inputSource(of: model)
    let name = source?.className == "InputLayer" ? source?.name ?? first.name : "\(first.name)_input"
    return try input(named: name, layer: source ?? first, shape: shape)
  }

  /// The layer that states a model's input shape, and the shape with the batch in front.
  ///
  /// Asked in turn: the first layer's own configuration, or that of the first layer of a model in its place; what Keras
  /// noted when it built the model; the first kernel behind layers that keep the number of features.
  private static func inputSource(of model: KerasLayer) -> (KerasLayer?, [Int?]?) {
    guard let first = model.sublayers.first else { return (nil, nil) }
    if first.isModel, case (let source?, let shape?) = inputSource(of: first) { return (source, shape) }
    if let shape = first.configuration.inputShape { return (first, shape) }
    if let shape = model.buildShape ?? first.buildShape { return (first, [nil] + shape.dropFirst()) }
    for layer in model.sublayers {
      if let kernel = layer.weights["kernel"] ?? layer.weights["gamma"] ?? layer.weights["beta"],
        let shape = try? kernel.tensor().shape, let features = shape.first, !layer.isModel
      {
        return (first, [nil, features])
      }
      if layer.className == "Embedding" { return (first, [nil, nil]) }
      guard featureKeeping.contains(layer.className) else { break }
    }
    return (first, nil)
  }

  /// Classes that hand on as many features as they get when the input has two axes.
  private static let featureKeeping: Set = [
    "InputLayer", "Flatten", "Dropout", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "GaussianNoise",
    "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Rescaling",
  ]

  /// A path for a layer that no other layer has, whatever slashes the names hold. The same layer gets the same path.
  mutating func scope(of layer: KerasLayer, in parent: String) -> String {
    let key = "\(parent)\u{0}\(layer.name)"
    if let known = scopes[key] { return known }
    let plain = parent.isEmpty ? layer.name : "\(parent)/\(layer.name)"
    var scope = plain
    var number = 1
    while !usedScopes.insert(scope).inserted {
      scope = "\(plain)_\(number)"
      number += 1
    }
    scopes[key] = scope
    return scope
  }
}
