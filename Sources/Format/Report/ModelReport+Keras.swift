import OrderedCollections

extension ModelReport {
  /// Describes a Keras file. Layers that cannot be run are shown as far as they are understood.
  mutating func describe(_ model: KerasModel) {
    version = model.kerasVersion
    producer = model.backend.map { "Keras on \($0)" } ?? "Keras"
    name = model.root?.name
    findings = model.findings
    training = Self.training(of: model)
    if let backend = model.backend { metadata["backend"] = backend }
    if let date = model.metadata?["date_saved"]?.string { metadata["date_saved"] = date }
    describeSidecar(of: model)
    guard model.root != nil else { return describeGroups(model) }
    describeLayers(model)
  }

  /// The ONNX model that the layers were made from, without asking whether it still fits them.
  private mutating func describeSidecar(of model: KerasModel) {
    guard let sidecar = model.onnxSidecar else { return }
    do throws(FormatError) {
      let original = try sidecar.model()
      let producer = [original.producerName, original.producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
      let sets = original.operatorSets.map { "\($0.domain.isEmpty ? "ai.onnx" : $0.domain) \($0.version)" }
      metadata["onnx"] =
        "made from an ONNX model that is carried along (\(([producer] + sets).filter { !$0.isEmpty }.joined(separator: ", ")))"
    } catch {
      findings.append(
        Finding(
          .warning, "unreadable-onnx", "the ONNX model that is carried along cannot be read: \(error.message)",
          at: error.place ?? model.path))
    }
  }

  private mutating func describeLayers(_ model: KerasModel) {
    guard let root = model.root else { return }
    var lowering = Lowering(
      operatorSetVersion: KerasModel.defaultOperatorSetVersion, isTolerant: true, limits: ReadLimits())
    do throws(FormatError) {
      let results = try lowering.rootModel(root)
      outputs = results.map { ValueRow(name: $0.name, elementType: $0.elementType, shape: $0.shape) }
    } catch {
      findings.append(Finding(.warning, "not-runnable", error.message, at: error.place ?? root.name))
    }
    inputs = lowering.graph.inputs.map { ValueRow(name: $0.name, elementType: $0.elementType, shape: $0.shape) }
    var known = KnownProblems(findings)
    for problem in lowering.problems where known.insert(problem) {
      findings.append(Finding(.warning, "not-runnable", problem.message, at: problem.place ?? root.name))
    }
    var seen: Set<String> = []
    let shapes = lowering.layers.map { ($0.scope, $0.outputs.first?.shape) } + inputs.map { ($0.name, $0.shape) }
    let outputShapes = Dictionary(shapes.compactMap { name, shape in shape.map { (name, $0) } }) { first, _ in first }
    for layer in root.sublayers {
      add(
        layer, scope: layer.name, depth: 0, trainable: root.configuration["trainable"]?.bool != false, outputShapes,
        &seen)
    }
    if !root.isModel { add(root, scope: root.name, depth: 0, trainable: true, outputShapes, &seen) }
    parameters.total = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    parameters.bytes = tensors.reduce(0) { $0 + $1.bytes }
  }

  private mutating func add(
    _ layer: KerasLayer, scope: String, depth: Int, trainable: Bool, _ outputShapes: [String: Shape],
    _ seen: inout Set<String>
  ) {
    let isTrainable = trainable && layer.configuration["trainable"]?.bool != false
    let rules = layer.variableRules ?? []
    var names: [String] = []
    var count = 0
    for (name, weight) in layer.weights {
      guard case .success(let tensor) = weight.value else { continue }
      let tensorName = "\(scope)/\(name)"
      names.append(tensorName)
      guard seen.insert(tensorName).inserted else { continue }
      tensors.append(
        TensorRow(
          name: tensorName, elementType: tensor.elementType, shape: tensor.shape, bytes: tensor.byteCount,
          place: weight.path))
      count += tensor.count
      if isTrainable, rules.first(where: { $0.name == name })?.isTrainable ?? true {
        parameters.trainable += tensor.count
      }
    }
    let shape =
      outputShapes[scope] ?? (layer.className == "InputLayer" ? layer.configuration.inputShape.map(Self.shape) : nil)
    let rowIndex = layers.count
    layers.append(
      LayerRow(
        name: scope, type: layer.className, outputShape: shape, parameters: count, isTrainable: isTrainable,
        activation: Self.activationName(layer.configuration["activation"]), depth: depth, tensors: names,
        configuration: layer.configuration.json,
        inputs: layer.calls.flatMap { $0.tensors.map(\.layer) }, precision: layer.precision))
    for sublayer in layer.sublayers {
      add(sublayer, scope: "\(scope)/\(sublayer.name)", depth: depth + 1, trainable: isTrainable, outputShapes, &seen)
    }
    layers[rowIndex].parameters = layers[rowIndex...].filter { $0.depth == depth || $0.depth == depth + 1 }
      .reduce(0) { $0 + $1.parameters }
  }

  /// A weights-only file: a row for each group that it has.
  private mutating func describeGroups(_ model: KerasModel) {
    for group in model.weightGroups {
      var names: [String] = []
      var count = 0
      for weight in group.weights {
        guard case .success(let tensor) = weight.value else { continue }
        let name = "\(group.name)/\(weight.name)"
        names.append(name)
        count += tensor.count
        tensors.append(
          TensorRow(
            name: name, elementType: tensor.elementType, shape: tensor.shape, bytes: tensor.byteCount,
            place: weight.path))
      }
      layers.append(
        LayerRow(
          name: group.name, type: "weights", outputShape: nil, parameters: count, isTrainable: true, activation: nil,
          depth: 0, tensors: names, configuration: nil, inputs: []))
      parameters.total += count
      parameters.trainable += count
    }
    parameters.bytes = tensors.reduce(0) { $0 + $1.bytes }
    findings.append(
      Finding(
        .note, "weights-only", "the file holds weights without layers; --architecture FILE adds them", at: model.path))
  }

  /// A shape whose open extents are the batch and unknown ones.
  private static func shape(_ extents: [Int?]) -> Shape {
    Shape(
      extents.enumerated().map { axis, extent in
        extent.map(Dimension.known) ?? (axis == 0 ? .symbolic("batch") : .unknown)
      })
  }

  /// An activation's name, whether the configuration gives a name, a function or a layer.
  static func activationName(_ json: JSONValue?) -> String? {
    json?.string ?? json?["config"]?.string ?? json?["class_name"]?.string
  }

  private static func training(of model: KerasModel) -> Training? {
    let configuration = model.trainingConfiguration
    let optimizer = configuration?["optimizer_config"] ?? configuration?["optimizer"]
    guard configuration != nil || model.optimizer != nil else { return nil }
    let name = optimizer?["class_name"]?.string ?? optimizer?.string ?? model.optimizer?.name
    let loss = Self.names(configuration?["loss"]).first
    guard name != nil || loss != nil else { return nil }
    return Training(
      optimizer: name, loss: loss, metrics: Self.names(configuration?["metrics"]),
      optimizerVariables: model.optimizer?.variables.count ?? 0)
  }

  /// The names in a loss or a list of metrics: text, serialised objects, or nested lists of them.
  private static func names(_ json: JSONValue?) -> [String] {
    guard let json else { return [] }
    if let name = json.string { return [name] }
    if let elements = json.array { return elements.flatMap { names($0) } }
    if let name = json["config"]?["name"]?.string ?? json["config"]?.string ?? json["class_name"]?.string {
      return [name]
    }
    return json.object.map { $0.values.flatMap { names($0) } } ?? []
  }
}
