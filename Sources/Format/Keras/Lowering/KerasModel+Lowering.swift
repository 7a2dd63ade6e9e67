extension KerasModel {
  /// The operator set that lowering emits unless asked for another: ONNX Runtime reads it since 1.18 of 2024.
  public static let defaultOperatorSetVersion = 21

  /// The operator sets that lowering can emit.
  public static let operatorSetVersions = 13...28

  /// The network as a graph of ONNX operators: what inference computes, in the same order and names.
  ///
  /// - Parameter operatorSetVersion: the version of the standard operator set to emit; younger operators are written in
  ///   equal older ones.
  /// - Throws: `FormatError` of kind `unsupported` that names the first layer without a counterpart and its class, or of
  ///   kind `missing` or `mismatch` when weights are not there or do not fit.
  public func lowered(operatorSetVersion: Int = Self.defaultOperatorSetVersion) throws(FormatError) -> Model {
    do throws(FormatError) {
      return try lowering(isTolerant: false, operatorSetVersion: operatorSetVersion).model
    } catch {
      throw error.inFile(path)
    }
  }

  /// The file format version that belongs to an operator set: the first one that onnx wrote it with.
  private static func irVersion(operatorSetVersion: Int) -> Int {
    switch operatorSetVersion {
    case ...14: 7
    case 15...18: 8
    case 19...20: 9
    case 21...22: 10
    case 23: 11
    case 24: 12
    case 25...27: 13
    default: 14
    }
  }

  /// Where findings put what concerns the weights as a whole.
  var weightsPlace: String { layout == .legacyModel ? "/model_weights" : "model.weights.h5" }

  /// Refuses layers that need weights when the file is one of layers alone.
  func checkForWeights() throws(FormatError) {
    guard layout == .configuration, root?.all.contains(where: { $0.variableRules?.isEmpty == false }) == true else {
      return
    }
    throw FormatError(
      .unsupported, "holds layers without weights", file: path,
      advice: "Name the weights file instead, and give this one with --architecture")
  }

  /// The lowered model and how it came about.
  func lowering(
    isTolerant: Bool, operatorSetVersion: Int = Self.defaultOperatorSetVersion, limits: ReadLimits = ReadLimits()
  ) throws(FormatError) -> (model: Model, lowering: Lowering) {
    guard Self.operatorSetVersions.contains(operatorSetVersion) else {
      throw FormatError(
        .unsupported, "operator set \(operatorSetVersion) cannot be written",
        advice: "Choose one from \(Self.operatorSetVersions.lowerBound) to \(Self.operatorSetVersions.upperBound)")
    }
    guard let root else {
      throw FormatError(
        .unsupported, "holds weights without layers", advice: "Give the layers with --architecture FILE")
    }
    if !isTolerant, weightGroups.isEmpty, layout != .configuration,
      let lack = findings.first(where: { $0.code == "missing-weights" && $0.place == weightsPlace })
    {
      throw FormatError(.missing, lack.message, at: lack.place)
    }
    if !isTolerant { try checkForWeights() }
    var lowering = Lowering(
      operatorSetVersion: operatorSetVersion, isTolerant: isTolerant, limits: limits)
    lowering.graph.name = root.name
    let outputs = try lowering.rootModel(root)
    try lowering.finishOutputs(outputs, of: root)
    var model = Model(
      graph: lowering.graph, operatorSets: lowering.operatorSets,
      irVersion: Self.irVersion(operatorSetVersion: operatorSetVersion))
    model.producerName = "nnfmt"
    model.producerVersion = FormatInformation.version
    return (model, lowering)
  }
}

extension Lowering {
  /// Adds the model's inputs and everything that follows from them.
  mutating func rootModel(_ root: KerasLayer) throws(FormatError) -> [LoweredValue] {
    if root.isSequential {
      let input = try sequentialInput(root)
      return try sequential(root, input: input, scope: "", depth: 0)
    }
    if root.isFunctional {
      let references = try CallParser.references(root.configuration["input_layers"], label: root.configuration.label)
      var inputs: [LoweredValue] = []
      for reference in references {
        guard let layer = root.sublayers.first(where: { $0.name == reference.layer }) else {
          throw FormatError(.malformed, "input_layers names \"\(reference.layer)\", which is no layer of the model")
        }
        inputs.append(try input(named: layer.name, layer: layer, shape: layer.configuration.inputShape))
      }
      return try functional(root, inputs: inputs, scope: "", depth: 0)
    }
    throw FormatError(
      .unsupported, "the model is of class \"\(root.className)\", whose Python code defines how its layers connect",
      at: "layer \"\(root.name)\"", advice: "Save a Sequential or Functional model instead")
  }

  /// Declares the graph's outputs. A value that is also an input, or is listed twice, gets a node of its own.
  mutating func finishOutputs(_ outputs: [LoweredValue], of root: KerasLayer) throws(FormatError) {
    let call = LayerCall(layer: root, scope: root.name, index: 0, inputs: [], arguments: nil)
    var taken = Set(graph.inputs.map(\.name))
    for output in outputs {
      var value = output
      if !taken.insert(value.name).inserted { value = try add("Identity", [value], in: call, suffix: "output") }
      taken.insert(value.name)
      let type: ValueType? = value.elementType.map { .tensor($0, value.shape) }
      graph.outputs.append(Value(name: value.name, type: type))
    }
  }

  /// Declares an input of the graph. The batch is always symbolic: a model that was built by a call states the batch of
  /// that call, which binds nobody.
  mutating func input(named name: String, layer: KerasLayer, shape: [Int?]?) throws(FormatError) -> LoweredValue {
    guard let shape else {
      throw FormatError(
        .unsupported, "the model was never built: neither its configuration nor a kernel tells the input shape",
        at: "layer \"\(layer.name)\" (\(layer.className))")
    }
    if let extent = shape.dropFirst().compactMap(\.self).first(where: { $0 < 0 }) {
      throw FormatError(
        .malformed, "the input shape has an extent of \(extent)", at: "layer \"\(layer.name)\" (\(layer.className))")
    }
    let dimensions = shape.enumerated().map { axis, extent in
      axis == 0 ? .symbolic("batch") : extent.map(Dimension.known) ?? .symbolic("\(name)_\(axis)")
    }
    // A layer's policy says what it computes in; Keras feeds it float32 unless an InputLayer says otherwise.
    let isInputLayer = layer.className == "InputLayer"
    let declared = ElementType.allCases.first { $0.name == layer.configuration["dtype"]?.string }
    let elementType = isInputLayer ? declared ?? layer.configuration.policy.compute : .float32
    let value = Value(name: unique(name), elementType: elementType, shape: Shape(dimensions))
    graph.inputs.append(value)
    inference.addInput(value)
    return LoweredValue(name: value.name, type: inference[value.name] ?? InferredValue())
  }
}
