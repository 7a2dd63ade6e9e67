/// What a model is compiled with: loss, optimizer and metrics.
public struct CompileSettings: Sendable {
  /// The loss; `nil` when the file states none.
  public var loss: Loss?
  /// The optimizer; `nil` when the file states none.
  public var optimizer: Optimizer?
  /// The metrics.
  public var metrics: [Metric] = []
  /// The losses of several outputs, in the file's order; names are empty where the file states none.
  public var outputs: [TrainingOutput] = []
  /// Metrics that the file states and training does not know; they are left out.
  public var unknownMetrics: [String] = []

  /// Nothing.
  public init() {}

  /// A loss by Keras's name: `mse`, `categorical_crossentropy` ...
  public static func loss(named name: String) -> Loss? { LossConfiguration.kind(name).map { Loss($0) } }

  /// The names of all losses.
  public static var lossNames: [String] { LossConfiguration.names.map { $0.names[1] } }

  /// An optimizer by Keras's name with its usual numbers.
  public static func optimizer(named name: String) -> Optimizer? {
    try? OptimizerConfiguration.optimizer(.string(name))
  }

  /// The names of all optimizers.
  public static let optimizerNames = [
    "sgd", "rmsprop", "adam", "adamw", "adamax", "nadam", "adagrad", "adadelta", "lion", "ftrl",
  ]

  /// A metric by name: `accuracy`, `auc`, `mae` ...
  public static func metric(named name: String) -> Metric? {
    switch name {
    case "auc": Metric("auc", .areaUnderCurve())
    case "precision": Metric("precision", .precision())
    case "recall": Metric("recall", .recall())
    case "f1": Metric("f1", .f1())
    case "rmse": Metric("rmse", .rootMeanSquaredError)
    case let name where name.hasPrefix("top"):
      Int(name.dropFirst(3)).flatMap { $0 > 0 ? Metric("top\($0)", .topK($0)) : nil }
    default: MetricConfiguration.metric(.string(name))
    }
  }
}

extension KerasModel {
  /// What the file says the model is compiled with.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for a loss or an optimizer that training does not know.
  public func compileSettings() throws(FormatError) -> CompileSettings {
    var settings = CompileSettings()
    guard let json = trainingConfiguration else { return settings }
    do throws(FormatError) {
      settings.outputs = try LossConfiguration.outputs(json)
      if settings.outputs.isEmpty, let loss = json["loss"], !loss.isNull {
        settings.loss = try LossConfiguration.loss(loss)
      }
      if let optimizer = json["optimizer"] ?? json["optimizer_config"], !optimizer.isNull {
        settings.optimizer = try OptimizerConfiguration.optimizer(optimizer)
      }
    } catch {
      throw error.inFile(path)
    }
    if settings.outputs.isEmpty {
      (settings.metrics, settings.unknownMetrics) = MetricConfiguration.metrics(json["metrics"])
    }
    return settings
  }

  /// The model compiled anew with a loss for each of several outputs.
  public func compiled(outputs: [TrainingOutput], optimizer: Optimizer) -> KerasModel {
    func members(_ value: (TrainingOutput) -> JSONValue) -> JSONValue {
      .object(.init(outputs.map { ($0.name, value($0)) }) { first, _ in first })
    }
    var result = compiled(loss: outputs.first?.loss ?? .meanSquaredError, optimizer: optimizer, metrics: [])
    result.trainingConfiguration = result.trainingConfiguration?
      .setting("loss", to: members { LossConfiguration.json($0.loss) })
      .setting("loss_weights", to: members { .double($0.weight) })
      .setting("metrics", to: members { .array($0.metrics.map(MetricConfiguration.json)) })
    return result
  }

  /// The model compiled anew.
  public func compiled(loss: Loss, optimizer: Optimizer, metrics: [Metric]) -> KerasModel {
    var result = self
    result.trainingConfiguration = [
      "optimizer": OptimizerConfiguration.json(optimizer), "loss": LossConfiguration.json(loss), "loss_weights": .null,
      "metrics": .array(metrics.map(MetricConfiguration.json)), "weighted_metrics": .null, "run_eagerly": false,
      "steps_per_execution": 1, "jit_compile": false,
    ]
    return result
  }
}
