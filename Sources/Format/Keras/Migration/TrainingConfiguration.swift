import OrderedCollections

/// What a model was compiled with, in the spelling of legacy files (`training_config`) or of archives (`compile_config`).
enum TrainingConfiguration {
  /// The optimizer's arguments in either spelling.
  static func optimizerConfiguration(_ training: JSONValue?) -> JSONValue? {
    (training?["optimizer_config"] ?? training?["optimizer"])?["config"]
  }

  /// The legacy spelling; `nil` for a model that was compiled without an optimizer, which that spelling cannot say.
  static func legacyForm(_ training: JSONValue) -> JSONValue? {
    guard training["optimizer_config"] == nil else { return training }
    guard var members = training.object, let optimizer = training["optimizer"], !optimizer.isNull else { return nil }
    members["optimizer"] = nil
    if let text = optimizer.string {
      members["optimizer_config"] = ["class_name": .string(text), "config": [:]]
    } else {
      members["optimizer_config"] = [
        "class_name": optimizer["class_name"] ?? .null, "config": optimizer["config"] ?? [:],
      ]
    }
    for key in ["loss_weights", "loss", "metrics", "weighted_metrics"] where members[key] == nil {
      members[key] = .null
    }
    return .object(members)
  }

  /// The archive's spelling, as Keras 3 understands it.
  static func archiveForm(_ training: JSONValue) -> JSONValue {
    guard let legacy = training["optimizer_config"] else { return training }
    var members: OrderedDictionary<String, JSONValue> = ["optimizer": optimizer(legacy)]
    for (key, value) in training.object ?? [:] {
      switch key {
      case "optimizer_config", "sample_weight_mode": continue
      case "loss": members[key] = mapped(value, in: "keras.losses")
      case "metrics", "weighted_metrics": members[key] = metrics(value)
      default: members[key] = value
      }
    }
    return .object(members)
  }

  private static func optimizer(_ json: JSONValue) -> JSONValue {
    guard let className = json["class_name"]?.string else { return json }
    let isOwn = !className.hasPrefix("Custom>") || className == "Custom>Adam" || className == "Custom>SGD"
    let plain = className.split(separator: ">").last.map(String.init) ?? className
    var configuration: OrderedDictionary<String, JSONValue> = [:]
    for (key, value) in json["config"]?.object ?? [:] {
      switch key {
      case "lr": configuration["learning_rate"] = value
      case "learning_rate": configuration[key] = mapped(value, in: "keras.optimizers.schedules")
      // Arguments that Keras 3 has no more; a decay of zero and its own kind of compilation say nothing.
      case "decay", "is_legacy_optimizer", "jit_compile": continue
      case "epsilon" where value.isNull: continue
      default: configuration[key] = value
      }
    }
    return [
      "module": isOwn ? "keras.optimizers" : .null, "class_name": .string(plain), "config": .object(configuration),
      "registered_name": isOwn ? .null : .string(className),
    ]
  }

  /// Keras 2 nests the metrics in a list for each output, also where there is one output.
  private static func metrics(_ json: JSONValue) -> JSONValue {
    if let outputs = json.array, outputs.count == 1, outputs[0].array != nil {
      return mapped(outputs[0], in: "keras.metrics")
    }
    return mapped(json, in: "keras.metrics")
  }

  /// Gives serialised objects their module, and functions in a wrapper their bare name.
  private static func mapped(_ json: JSONValue, in module: String) -> JSONValue {
    if let elements = json.array { return .array(elements.map { mapped($0, in: module) }) }
    guard let members = json.object else { return json }
    guard let className = json["class_name"]?.string else {
      return .object(members.mapValues { mapped($0, in: module) })
    }
    guard json["module"] == nil else { return json }
    if className.hasSuffix("Wrapper"), let function = json["config"]?["fn"]?.string { return .string(function) }
    var configuration = json["config"] ?? [:]
    configuration = configuration.setting("fn", to: nil)
    if configuration["reduction"]?.string == "auto" {
      configuration = configuration.setting("reduction", to: "sum_over_batch_size")
    }
    return [
      "module": .string(module), "class_name": .string(className), "config": configuration, "registered_name": .null,
    ]
  }
}
