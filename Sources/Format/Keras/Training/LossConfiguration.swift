/// Losses and metrics as Keras states them in compile settings, and back.
enum LossConfiguration {
  /// Keras's names, its class name first and the name of the function second, older short ones after them.
  static let names: [(kind: Loss.Kind, names: [String])] = [
    (.categoricalCrossEntropy, ["CategoricalCrossentropy", "categorical_crossentropy"]),
    (.sparseCategoricalCrossEntropy, ["SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"]),
    (.binaryCrossEntropy, ["BinaryCrossentropy", "binary_crossentropy", "bce", "BCE"]),
    (.meanSquaredError, ["MeanSquaredError", "mean_squared_error", "mse", "MSE"]),
    (.meanAbsoluteError, ["MeanAbsoluteError", "mean_absolute_error", "mae", "MAE"]),
    (.meanAbsolutePercentageError, ["MeanAbsolutePercentageError", "mean_absolute_percentage_error", "mape", "MAPE"]),
    (.meanSquaredLogarithmicError, ["MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", "msle", "MSLE"]),
    (.huber, ["Huber", "huber", "huber_loss"]), (.logCosh, ["LogCosh", "log_cosh", "logcosh", "LogCoshError"]),
    (.klDivergence, ["KLDivergence", "kl_divergence", "kld", "KLD", "kullback_leibler_divergence"]),
    (.poisson, ["Poisson", "poisson"]), (.hinge, ["Hinge", "hinge"]),
    (.squaredHinge, ["SquaredHinge", "squared_hinge"]),
    (.categoricalHinge, ["CategoricalHinge", "categorical_hinge"]),
    (.cosineSimilarity, ["CosineSimilarity", "cosine_similarity"]),
    (.binaryFocalCrossEntropy, ["BinaryFocalCrossentropy", "binary_focal_crossentropy"]),
    (.categoricalFocalCrossEntropy, ["CategoricalFocalCrossentropy", "categorical_focal_crossentropy"]),
  ]

  static func kind(_ name: String) -> Loss.Kind? { names.first { $0.names.contains(name) }?.kind }

  /// The function's name of a loss.
  static func functionName(_ kind: Loss.Kind) -> String { names.first { $0.kind == kind }?.names[1] ?? kind.rawValue }

  /// The losses of compile settings that state several, with their weights and metrics; none when there is one.
  static func outputs(_ json: JSONValue) throws(FormatError) -> [TrainingOutput] {
    var entries: [(name: String, place: Int, loss: JSONValue)] = []
    if let list = json["loss"]?.array {
      entries = list.enumerated().map { ("", $0.offset, $0.element) }
    } else if json["loss"]?["class_name"] == nil, let members = json["loss"]?.object {
      entries = members.enumerated().map { ($0.element.key, $0.offset, $0.element.value) }
    }
    guard entries.count > 1 else { return [] }
    var outputs: [TrainingOutput] = []
    for entry in entries {
      func part(_ key: String) -> JSONValue? {
        json[key]?.array == nil ? json[key]?[entry.name] : json[key]?[entry.place]
      }
      guard !entry.loss.isNull else {
        throw FormatError(.unsupported, "an output without a loss among others is not known to training")
      }
      var output = TrainingOutput(entry.name, loss: try loss(entry.loss))
      output.weight = part("loss_weights")?.double ?? 1
      output.metrics = MetricConfiguration.metrics(part("metrics")).known
      outputs.append(output)
    }
    return outputs
  }

  /// The loss of a model with one output.
  static func loss(_ json: JSONValue) throws(FormatError) -> Loss {
    if let list = json.array, list.count == 1 { return try loss(list[0]) }
    if json["class_name"] == nil, let members = json.object, members.count == 1, let only = members.values.first {
      return try loss(only)
    }
    let function = json["class_name"]?.string == "function" ? json["config"]?.string : nil
    let name = json.string ?? function ?? json["class_name"]?.string ?? ""
    guard let kind = kind(name) else {
      let shown = name.isEmpty ? String(json.text().prefix(60)) : name
      throw FormatError(.unsupported, "the loss \"\(shown)\" is not known to training")
    }
    var loss = Loss(kind)
    guard let c = json["config"], c.object != nil else { return loss }
    loss.fromLogits = c["from_logits"]?.bool ?? false
    loss.labelSmoothing = c["label_smoothing"]?.double ?? 0
    loss.delta = c["delta"]?.double ?? 1
    loss.gamma = c["gamma"]?.double ?? 2
    loss.alpha = c["alpha"]?.double ?? 0.25
    loss.balancesClasses = c["apply_class_balancing"]?.bool ?? false
    if let axis = c["axis"]?.int, axis != -1 {
      throw FormatError(.unsupported, "a loss over axis \(axis) is not known")
    }
    if let ignored = c["ignore_class"], !ignored.isNull {
      throw FormatError(.unsupported, "a loss that ignores a class is not known to training")
    }
    switch c["reduction"]?.string ?? "auto" {
    case "sum": loss.reduction = .sum
    case "mean_with_sample_weight": loss.reduction = .meanOverWeights
    case "sum_over_batch_size", "mean", "auto": break
    case let other: throw FormatError(.unsupported, "the loss's reduction \"\(other)\" is not known to training")
    }
    return loss
  }

  /// The spelling of archives: the bare name where nothing else is to be said.
  static func json(_ loss: Loss) -> JSONValue {
    guard let entry = names.first(where: { $0.kind == loss.kind }) else { return .null }
    if loss == Loss(loss.kind) { return .string(entry.names[1]) }
    let reduction =
      switch loss.reduction {
      case .sum: "sum"
      case .meanOverRows: "sum_over_batch_size"
      case .meanOverWeights: "mean_with_sample_weight"
      }
    var c: JSONValue = ["name": .string(entry.names[1]), "reduction": .string(reduction)]
    switch loss.kind {
    case .categoricalCrossEntropy, .binaryCrossEntropy, .categoricalFocalCrossEntropy, .binaryFocalCrossEntropy:
      c = c.setting("from_logits", to: .bool(loss.fromLogits))
      c = c.setting("label_smoothing", to: .double(loss.labelSmoothing))
    case .sparseCategoricalCrossEntropy: c = c.setting("from_logits", to: .bool(loss.fromLogits))
    case .huber: c = c.setting("delta", to: .double(loss.delta))
    default: break
    }
    if loss.kind == .binaryFocalCrossEntropy || loss.kind == .categoricalFocalCrossEntropy {
      c = c.setting("gamma", to: .double(loss.gamma)).setting("alpha", to: .double(loss.alpha))
    }
    if loss.kind == .binaryFocalCrossEntropy {
      c = c.setting("apply_class_balancing", to: .bool(loss.balancesClasses))
    }
    return [
      "module": "keras.losses", "class_name": .string(entry.names[0]), "config": c, "registered_name": .null,
    ]
  }
}
