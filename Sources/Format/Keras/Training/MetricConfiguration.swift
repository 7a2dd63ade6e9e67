/// Metrics as Keras states them in compile settings, and back.
enum MetricConfiguration {
  /// The metrics of a model with one output; those that are not known are named.
  static func metrics(_ json: JSONValue?) -> (known: [Metric], unknown: [String]) {
    var (known, unknown): ([Metric], [String]) = ([], [])
    var list = json?.array ?? json.map { $0.isNull ? [] : [$0] } ?? []
    if list.count == 1, let inner = list[0].array { list = inner }
    for entry in list where !entry.isNull {
      if let metric = metric(entry) { known.append(metric) } else { unknown.append(String(entry.text().prefix(60))) }
    }
    return (known, unknown)
  }

  /// A metric by name or as an object.
  static func metric(_ json: JSONValue) -> Metric? {
    let c = json["config"]
    let name = json.string ?? json["class_name"]?.string ?? ""
    let label = c?["name"]?.string ?? (json.string == nil ? KerasConfigurationParser.snakeCase(name) : name)
    func threshold(_ key: String) -> Float { (c?[key]?[0] ?? c?[key])?.float ?? 0.5 }
    switch name {
    case "accuracy", "acc", "Accuracy": return Metric(label, .accuracy)
    case "BinaryAccuracy", "binary_accuracy": return Metric(label, .binaryAccuracy(threshold: threshold("threshold")))
    case "CategoricalAccuracy", "categorical_accuracy": return Metric(label, .categoricalAccuracy)
    case "SparseCategoricalAccuracy", "sparse_categorical_accuracy": return Metric(label, .sparseCategoricalAccuracy)
    case "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "top_k_categorical_accuracy",
      "sparse_top_k_categorical_accuracy":
      return Metric(label, .topK(c?["k"]?.int ?? 5))
    case "Precision": return Metric(label, .precision(threshold: threshold("thresholds")))
    case "Recall": return Metric(label, .recall(threshold: threshold("thresholds")))
    case "AUC":
      guard c?["multi_label"]?.bool != true, c?["from_logits"]?.bool != true else { return nil }
      return Metric(
        label,
        .areaUnderCurve(thresholds: c?["num_thresholds"]?.int ?? 200, isPrecisionRecall: c?["curve"]?.string == "PR"))
    case "F1Score":
      guard let average = (c?["average"]?.string).flatMap(Metric.F1Average.init(rawValue:)) else { return nil }
      return Metric(label, .f1(average: average, threshold: c?["threshold"]?.float))
    case "RootMeanSquaredError": return Metric(label, .rootMeanSquaredError)
    default:
      guard let kind = LossConfiguration.kind(name) else { return nil }
      var loss = Loss(kind)
      loss.fromLogits = c?["from_logits"]?.bool ?? false
      loss.labelSmoothing = c?["label_smoothing"]?.double ?? 0
      return Metric(label, .loss(loss))
    }
  }

  /// The spelling of archives.
  static func json(_ metric: Metric) -> JSONValue {
    func object(_ name: String, _ members: JSONValue) -> JSONValue {
      [
        "module": "keras.metrics", "class_name": .string(name),
        "config": members.setting("name", to: .string(metric.name)).setting("dtype", to: "float32"),
        "registered_name": .null,
      ]
    }
    switch metric.kind {
    case .accuracy: return .string(metric.name == "acc" ? "acc" : "accuracy")
    case .binaryAccuracy(let threshold): return object("BinaryAccuracy", ["threshold": .number("\(threshold)")])
    case .categoricalAccuracy: return object("CategoricalAccuracy", [:])
    case .sparseCategoricalAccuracy: return object("SparseCategoricalAccuracy", [:])
    case .topK(let k): return object("TopKCategoricalAccuracy", ["k": .int(k)])
    case .precision(let threshold): return object("Precision", ["thresholds": .number("\(threshold)")])
    case .recall(let threshold): return object("Recall", ["thresholds": .number("\(threshold)")])
    case .f1(let average, let threshold):
      return object(
        "F1Score",
        ["average": .string(average.rawValue), "threshold": threshold.map { .number("\($0)") } ?? .null])
    case .areaUnderCurve(let thresholds, let isPrecisionRecall):
      return object("AUC", ["num_thresholds": .int(thresholds), "curve": isPrecisionRecall ? "PR" : "ROC"])
    case .rootMeanSquaredError: return object("RootMeanSquaredError", [:])
    case .loss(let loss): return .string(LossConfiguration.functionName(loss.kind))
    }
  }
}
