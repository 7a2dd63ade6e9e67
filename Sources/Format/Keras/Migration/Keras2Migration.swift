import OrderedCollections

/// Rewrites the configuration of a Keras 3 model as Keras 2 (tf_keras) has it in HDF5 files.
enum Keras2Migration {
  /// The version that files of this generation name.
  static let version = "2.21.0"

  /// The model as Keras 2 describes it, and what it does not take along: how the model was compiled.
  ///
  /// - Throws: `FormatError` of kind `unsupported` that names the layer for which Keras 2 has nothing that computes the
  ///   same.
  static func toKeras2(_ model: KerasModel) throws(FormatError) -> (model: KerasModel, notes: [ConversionNote]) {
    // What Keras 1 wrote is brought up to date and from there to Keras 2.
    let model = try model.generation == 1 ? ConfigurationMigration.toKeras3(model) : model
    guard let configuration = model.configuration, model.generation >= 3 else { return (model, []) }
    var result = model
    var notes = [ConversionNote(.changed, "configuration", "it is written as Keras 2 has it")]
    do throws(FormatError) {
      result.configuration = try entry(configuration)
    } catch {
      throw error.inFile(model.path)
    }
    result.kerasVersion = version
    result.metadata = nil
    result.preserved = nil
    if model.trainingConfiguration != nil || model.optimizer != nil {
      notes.append(
        ConversionNote(.dropped, "training", "losses, metrics and optimizer are described in the way of Keras 3"))
    }
    result.trainingConfiguration = nil
    result.optimizer = nil
    try result.rebindLayers()
    try ONNXSidecar.renew(in: &result, madeOf: model)
    return (result, notes)
  }

  /// One layer or model with all below it.
  private static func entry(_ json: JSONValue) throws(FormatError) -> JSONValue {
    guard let className = json["class_name"]?.string, let configuration = json["config"] else { return json }
    let registered = json["registered_name"]?.string.flatMap { $0.contains(">") ? $0 : nil }
    var content: JSONValue
    switch className {
    case "Functional", "Model": content = try functional(json)
    case "Sequential":
      content = ["name": configuration["name"] ?? "sequential", "layers": .array(try entries(of: configuration))]
    default: content = try layer(className, json)
    }
    if let wrapped = configuration["layer"], wrapped["class_name"] != nil {
      content = content.setting("layer", to: try entry(wrapped))
    }
    return ["class_name": .string(registered ?? className), "config": content]
  }

  private static func entries(of configuration: JSONValue) throws(FormatError) -> [JSONValue] {
    try (configuration["layers"]?.array ?? []).mapTyped(entry)
  }

  private static func functional(_ json: JSONValue) throws(FormatError) -> JSONValue {
    let configuration = json["config"] ?? [:]
    let model = try KerasConfigurationParser(generation: 3, limits: ReadLimits()).model(json)
    let numbering = CallNumbering(model)
    func reference(_ reference: KerasTensorReference, _ keywords: JSONValue?, isOutput: Bool = false) -> JSONValue {
      let list: [JSONValue] = [
        .string(reference.layer), .int(numbering.keras2Number(reference, isOutput: isOutput)), .int(reference.output),
      ]
      return .array(list + (keywords.map { [$0] } ?? []))
    }
    var layers: [JSONValue] = []
    for (layer, stated) in zip(model.sublayers, configuration["layers"]?.array ?? []) {
      if layer.isOperation { throw unsupported(layer.name, layer.className, "an operation between layers") }
      var calls: [JSONValue] = []
      for call in layer.calls {
        guard call.arguments.count == 1, call.keywordArguments.values.allSatisfy({ $0.tensors.isEmpty }) else {
          throw unsupported(layer.name, layer.className, "a call with several arguments")
        }
        var keywords: OrderedDictionary<String, JSONValue> = [:]
        for (name, argument) in call.keywordArguments {
          if case .constant(let json) = argument, !json.isNull { keywords[name] = json }
        }
        calls.append(.array(call.tensors.map { reference($0, .object(keywords)) }))
      }
      layers.append(
        try entry(stated).setting("name", to: .string(layer.name)).setting("inbound_nodes", to: .array(calls)))
    }
    func ends(_ key: String) throws(FormatError) -> JSONValue {
      let references = try CallParser.references(configuration[key], label: model.configuration.label)
      return .array(references.map { reference($0, nil, isOutput: key == "output_layers") })
    }
    return [
      "name": configuration["name"] ?? "model", "trainable": configuration["trainable"] ?? true,
      "layers": .array(layers), "input_layers": try ends("input_layers"), "output_layers": try ends("output_layers"),
    ]
  }

  /// What Keras 2's layers do not know.
  private static let dropped: Set = [
    "quantization_config", "lora_rank", "lora_alpha", "rms_scaling", "optional", "build_config", "shared_object_id",
  ]
  /// Layers of Keras 3 alone.
  private static let newClasses: Set = [
    "RMSNormalization", "ReversibleEmbedding", "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "Pipeline",
    "STFTSpectrogram", "MelSpectrogram", "JaxLayer", "TorchModuleWrapper",
  ]
  /// The functions that are the same in both generations.
  private static let activations: Set = [
    "linear", "relu", "elu", "selu", "gelu", "sigmoid", "tanh", "softmax", "softplus", "softsign", "exponential",
    "mish",
    "swish",
  ]

  private static func layer(_ className: String, _ json: JSONValue) throws(FormatError) -> JSONValue {
    let configuration = json["config"] ?? [:]
    let name = configuration["name"]?.string ?? className
    guard !newClasses.contains(className), configuration["rms_scaling"]?.bool != true else {
      throw unsupported(name, className, "this layer")
    }
    var result: OrderedDictionary<String, JSONValue> = [:]
    for (key, value) in configuration.object ?? [:] where !dropped.contains(key) {
      switch key {
      case "batch_shape": result["batch_input_shape"] = value
      case "dtype": result[key] = try policy(value, name, className)
      case "activation": result[key] = try activation(value, name, className)
      case "negative_slope" where className == "LeakyReLU": result["alpha"] = value
      default: result[key] = plain(value)
      }
    }
    return .object(result)
  }

  /// Initializers and their like: Keras 2 refuses arguments that it does not know.
  private static func plain(_ value: JSONValue) -> JSONValue {
    guard let className = value["class_name"], let configuration = value["config"]?.object else { return value }
    let known = configuration.filter { !["input_axes", "output_axes"].contains($0.key) }
    return ["class_name": className, "config": .object(known)]
  }

  private static func policy(_ value: JSONValue, _ name: String, _ className: String) throws(FormatError) -> JSONValue {
    guard let kind = value["class_name"]?.string else { return value }
    guard kind == "DTypePolicy", let policy = value["config"]?["name"] else {
      throw unsupported(name, className, "its policy of types")
    }
    let isMixed = policy.string?.hasPrefix("mixed_") == true
    return isMixed ? ["class_name": "Policy", "config": ["name": policy]] : policy
  }

  private static func activation(_ value: JSONValue, _ name: String, _ className: String) throws(FormatError)
    -> JSONValue
  {
    if value.isNull { return value }
    let function = value.string ?? (value["class_name"]?.string == "function" ? value["config"]?.string : nil)
    guard let function else { throw unsupported(name, className, "a layer as its activation") }
    if function == "silu" { return "swish" }
    guard activations.contains(function) else { throw unsupported(name, className, "the activation \"\(function)\"") }
    return .string(function)
  }

  private static func unsupported(_ name: String, _ className: String, _ what: String) -> FormatError {
    FormatError(
      .unsupported, "\(what) has no equal in Keras 2", at: "layer \"\(name)\" (\(className))",
      advice: "Leave --keras away to write the file for Keras 3")
  }
}
