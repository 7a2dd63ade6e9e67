import OrderedCollections

/// Rewrites the configuration of any generation of Keras as Keras 3 writes it into archives.
struct ConfigurationMigration {
  let generation: Int

  /// The model as Keras 3 describes it: configuration, training configuration, optimizer state and version.
  ///
  /// - Throws: `FormatError` of kind `unsupported` where Keras 3 has nothing that computes the same.
  static func toKeras3(_ model: KerasModel) throws(FormatError) -> KerasModel {
    guard let configuration = model.configuration else { return model }
    var result = model
    let migration = ConfigurationMigration(generation: model.generation)
    result.configuration = try migration.entry(configuration, position: 0)
    result.trainingConfiguration = model.trainingConfiguration.map(TrainingConfiguration.archiveForm)
    if model.generation < 3 {
      result.kerasVersion = KerasWriter.version
      result.metadata = nil
      result.optimizer = model.optimizer.map { OptimizerMigration.toKeras3($0, of: model) }
      try result.rebindLayers()
    }
    try ONNXSidecar.renew(in: &result, madeOf: model)
    return result
  }

  /// One layer or model with all below it.
  func entry(_ json: JSONValue, position: Int, name: String? = nil) throws(FormatError) -> JSONValue {
    let isFlat = json["config"] == nil
    guard let stored = json["class_name"]?.string ?? (isFlat ? json["name"]?.string : nil) else { return json }
    var configuration = json["config"] ?? flatConfiguration(json)
    if configuration.array != nil { configuration = ["name": "sequential", "layers": configuration] }
    var className = stored.hasPrefix("Keras>") ? String(stored.dropFirst("Keras>".count)) : stored
    if className == "Model" { className = "Functional" }
    let registered = json["registered_name"]?.string.flatMap { $0.contains(">") ? $0 : nil }
    let custom = registered ?? (className.contains(">") ? className : nil)
    if let custom { className = custom.split(separator: ">").last.map(String.init) ?? custom }
    if generation < 3 {
      let given = configuration["name"]?.string ?? (isFlat ? nil : json["name"]?.string)
      configuration = configuration.setting(
        "name", to: .string(Self.clean(name ?? given ?? Self.name(className, position))))
      if custom == nil { (className, configuration) = try LayerMigration.migrated(className, configuration) }
    }
    configuration = try children(of: configuration, className: className)
    let isOperation = generation >= 3 && KerasConfigurationParser.isLegacyOperation(json)
    let ownModule = isOperation ? .string(KerasOperation.module(of: className)) : Self.module(of: className)
    let ownName: JSONValue = isOperation || className == "Functional" ? .string(className) : .null
    var result: OrderedDictionary<String, JSONValue> = [
      "module": json["module"].flatMap(keras3Module) ?? (custom == nil ? ownModule : .null),
      "class_name": .string(className), "config": configuration,
      "registered_name": custom.map { .string($0) } ?? ownName,
    ]
    for key in ["build_config", "name", "inbound_nodes"] where !isFlat { result[key] = json[key] }
    if generation < 3, result["name"] != nil { result["name"] = configuration["name"] }
    return .object(result)
  }

  private func children(of configuration: JSONValue, className: String) throws(FormatError) -> JSONValue {
    if let layers = configuration["layers"]?.array {
      guard generation < 3 else {
        var entries: [JSONValue] = []
        for layer in layers { entries.append(try entry(layer, position: entries.count)) }
        return configuration.setting("layers", to: .array(entries))
      }
      return className == "Functional"
        ? try functional(configuration, layers) : try sequential(configuration, layers)
    }
    // The layer of a wrapper, or one in the place of an activation function.
    for key in ["layer", "activation"] {
      guard let inner = configuration[key], inner["class_name"] != nil, inner["config"]?.object != nil else { continue }
      return configuration.setting(key, to: try entry(inner, position: 0))
    }
    return configuration
  }

  private func sequential(_ configuration: JSONValue, _ layers: [JSONValue]) throws(FormatError) -> JSONValue {
    var entries: [JSONValue] = []
    var names: Set<String> = []
    for (index, layer) in layers.enumerated() {
      var migrated = try entry(layer, position: index)
      // Keras 0.3 calls all layers of a class alike.
      if let name = migrated["config"]?["name"]?.string, !names.insert(name).inserted {
        migrated = try entry(layer, position: index, name: "\(name)_\(index)")
        names.insert("\(name)_\(index)")
      }
      if index == 0, let input = Self.input(for: layer, before: migrated) { entries.append(input) }
      entries.append(migrated)
      if LayerMigration.needsHardSigmoid(layer), let name = migrated["config"]?["name"]?.string {
        entries.append(try entry(Self.hardSigmoid(after: name), position: index))
      }
    }
    return configuration.setting("layers", to: .array(entries))
  }

  private func functional(_ configuration: JSONValue, _ layers: [JSONValue]) throws(FormatError) -> JSONValue {
    var outputs: [String: String] = [:]
    for layer in layers {
      guard let name = layer["name"]?.string ?? layer["config"]?["name"]?.string else { continue }
      outputs[name] = Self.clean(name) + (LayerMigration.needsHardSigmoid(layer) ? "_hard_sigmoid" : "")
    }
    let model = try KerasConfigurationParser(generation: generation, limits: ReadLimits())
      .model(["class_name": "Functional", "config": configuration])
    let connections = FunctionalConnections(model, outputs: outputs)
    var entries: [JSONValue] = []
    for (index, layer) in layers.enumerated() {
      let calls = connections.rewritten(layer["inbound_nodes"] ?? [])
      var migrated = try entry(layer, position: index)
      let name = migrated["config"]?["name"]?.string ?? ""
      migrated = migrated.setting("name", to: .string(name)).setting("inbound_nodes", to: calls)
      entries.append(migrated)
      guard LayerMigration.needsHardSigmoid(layer) else { continue }
      let own = (calls.array ?? []).indices.map { call -> JSONValue in [[.string(name), .int(call), 0, [:]]] }
      let activation = try entry(Self.hardSigmoid(after: name), position: index)
      entries.append(
        activation.setting("name", to: .string("\(name)_hard_sigmoid")).setting("inbound_nodes", to: .array(own)))
    }
    return configuration.setting("layers", to: .array(entries))
      .setting("input_layers", to: configuration["input_layers"].map { connections.ends($0, isOutput: false) })
      .setting("output_layers", to: configuration["output_layers"].map { connections.ends($0, isOutput: true) })
  }

  /// The activation of an old layer as a layer of its own.
  private static func hardSigmoid(after name: String) -> JSONValue {
    [
      "class_name": "Activation",
      "config": ["name": .string("\(name)_hard_sigmoid"), "activation": "hard_sigmoid"],
    ]
  }

  /// A name as Keras 3 allows it: without `/`.
  fileprivate static func clean(_ name: String) -> String { name.replacing("/", with: "_") }

  /// The input layer that older Sequential models leave to their first layer's arguments.
  private static func input(for first: JSONValue, before migrated: JSONValue) -> JSONValue? {
    guard let className = first["class_name"]?.string ?? first["name"]?.string, className != "InputLayer",
      first["config"]?["layers"] == nil, first["config"]?.array == nil
    else { return nil }
    let configuration = LayerConfiguration(json: first["config"] ?? first, generation: 2, label: "")
    let shape =
      className == "Embedding" && configuration["batch_input_shape"] == nil
      ? [nil, configuration["input_length"]?.int] : configuration.inputShape
    guard let shape else { return nil }
    let dtype = configuration["input_dtype"]?.string ?? DTypePolicy(configuration["dtype"]).compute.name
    return [
      "module": "keras.layers", "class_name": "InputLayer",
      "config": [
        "batch_shape": .array(shape.map { $0.map { .int($0) } ?? .null }), "dtype": .string(dtype), "sparse": false,
        "name": .string(
          "\(migrated["config"]?["name"]?.string ?? KerasConfigurationParser.snakeCase(className))_input"),
      ], "registered_name": .null,
    ]
  }

  private func flatConfiguration(_ json: JSONValue) -> JSONValue {
    var members = json.object ?? [:]
    if members["class_name"] == nil { members["name"] = nil }
    if let name = members["custom_name"] { members["name"] = name }
    for key in ["class_name", "custom_name"] { members[key] = nil }
    return .object(members)
  }

  private func keras3Module(_ json: JSONValue) -> JSONValue? {
    guard let name = json.string, !name.hasPrefix("tf_keras"), generation == 3 else { return nil }
    return json
  }

  private static func name(_ className: String, _ position: Int) -> String {
    KerasConfigurationParser.snakeCase(className) + (position == 0 ? "" : "_\(position)")
  }

  private static func module(of className: String) -> JSONValue {
    switch className {
    case "Sequential": "keras"
    case "Functional": "keras.src.models.functional"
    default: "keras.layers"
    }
  }
}

extension KerasModel {
  /// Parses the configuration anew and gives each layer the variables that its namesake had.
  mutating func rebindLayers() throws(FormatError) {
    guard let configuration, let old = root else { return }
    var new = try KerasConfigurationParser(generation: generation, limits: ReadLimits()).model(configuration)
    let places = try new.adoptWeights(of: old)
    if places < old.all.count(where: { !$0.weights.isEmpty }) {
      throw FormatError(
        .unsupported, "a layer with variables has no counterpart in the other generation of Keras", file: path)
    }
    root = new
  }
}

extension KerasLayer {
  /// The variables as Keras 3 shapes them: Keras 2 gives those of a `LayerNormalization` the order in which its axes are
  /// listed, but counts their elements in the order of the axes themselves.
  private var weightsInOrderOfAxes: OrderedDictionary<String, KerasWeight> {
    get throws(FormatError) {
      guard className == "LayerNormalization", let axes = try configuration.ints("axis"), axes != axes.sorted() else {
        return weights
      }
      let order = axes.indices.sorted { axes[$0] < axes[$1] }
      var result = weights
      for (name, weight) in weights {
        let tensor = try weight.tensor()
        guard tensor.shape.count == order.count else { continue }
        let shape = order.map { tensor.shape[$0] }
        result[name] = KerasWeight(
          name: weight.name, path: weight.path, value: .success(try tensor.reshaped(to: shape)))
      }
      return result
    }
  }

  /// Takes the variables of the layers of the same names, and tells how many layers took some.
  fileprivate mutating func adoptWeights(of old: KerasLayer) throws(FormatError) -> Int {
    weights = try old.weightsInOrderOfAxes
    var count = weights.isEmpty ? 0 : 1
    let places = Dictionary(sublayers.enumerated().map { ($1.name, $0) }) { first, _ in first }
    for layer in old.sublayers {
      guard let place = places[ConfigurationMigration.clean(layer.name)] else { continue }
      count += try sublayers[place].adoptWeights(of: layer)
    }
    return count
  }
}
