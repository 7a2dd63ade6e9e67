extension ONNXSidecar {
  /// What a Keras model carries of an ONNX file.
  enum Contents {
    /// Nothing: the layers were not made from an ONNX file, or lost what they carried.
    case none
    /// The ONNX model, with the weights that the layers have now.
    case intact(Model)
    /// The sidecar no longer describes the layers; the message says why.
    case outdated(String)
  }

  /// Restores the ONNX model that layers were made from, when they are still the same.
  static func read(_ keras: KerasModel, limits: ReadLimits = ReadLimits()) -> Contents {
    guard let sidecar = keras.onnxSidecar else { return .none }
    do throws(FormatError) {
      var (model, entries) = try sidecar.parts(limits: limits)
      guard entries[.layers] == LayerDigest.ofLayers(in: keras) else {
        return .outdated("the layers were changed since they were made from an ONNX model")
      }
      var weights = Dictionary(try WeightExchange.tensors(of: keras).map { ($0, $1) }) { first, _ in first }
      let index = try JSONValue.parse(entries[.weights] ?? "", limits: limits).array ?? []
      for entry in index { try fill(&model.graph, entry, &weights, limits) }
      guard try entries[.constants] == LayerDigest.ofWeights(weights) else {
        return .outdated("weights that the ONNX model has in another form were changed")
      }
      try ModelValidator.throwIfTangled(model)
      return .intact(model)
    } catch {
      return .outdated("the ONNX model in the file cannot be used: \(error.message)")
    }
  }

  /// The model that is carried, and what its entries say, which are no longer in it.
  func parts(limits: ReadLimits = ReadLimits()) throws(FormatError) -> (model: Model, entries: [Key: String]) {
    var model = try model(limits: limits)
    var entries: [Key: String] = [:]
    for key in Key.allCases.reversed() {
      guard let last = model.metadata.entries.popLast(), last.key == Self.prefix + key.rawValue else {
        throw FormatError(.malformed, "it does not say which weights are its own")
      }
      entries[key] = last.value
    }
    return (model, entries)
  }

  /// The model as it is carried: with entries of its own, and without the elements that weights hold.
  package func model(limits: ReadLimits = ReadLimits()) throws(FormatError) -> Model {
    switch content {
    case .model(let model): return model
    case .stored(let bytes):
      let tensor = try bytes.get()
      guard tensor.elementType == .uint8 else { throw FormatError(.malformed, "it is no run of bytes") }
      return try ONNXFile.read(try tensor.region(named: "the carried model"), path: nil, limits: limits)
    }
  }

  /// Gives an initializer its elements from a weight, which is then accounted for.
  private static func fill(
    _ graph: inout Graph, _ entry: JSONValue, _ weights: inout [String: Tensor], _ limits: ReadLimits
  ) throws(FormatError) {
    guard let place = entry["initializer"]?.int, graph.initializers.indices.contains(place),
      let name = entry["weight"]?.string, let shape = entry["shape"]?.ints, shape.count <= limits.rank,
      let isTransposed = entry["transposed"]?.bool, !isTransposed || shape.count == 2
    else { throw FormatError(.malformed, "its list of weights is damaged") }
    let empty = graph.initializers[place].tensor
    guard let weight = weights.removeValue(forKey: name) else {
      throw FormatError(.missing, "the weight \"\(name)\" is missing, or stands for two initializers")
    }
    guard empty.shape == [0], empty.elementType == weight.elementType, checkedProduct(shape) == weight.count else {
      throw FormatError(.mismatch, "the weight \"\(name)\" is \(weight.typeText) and does not fit \(Shape(shape))")
    }
    var tensor = try weight.reshaped(to: isTransposed ? shape.reversed() : shape)
    if isTransposed { tensor = try tensor.transposed([1, 0]) }
    tensor.adoptDescription(of: empty)
    graph.initializers[place].tensor = tensor
  }
}
