import ArgumentParser
import NNFormat

/// `nnfmt create`: writes a new network with fresh weights.
struct Create: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a new network of dense layers with fresh weights.",
    discussion: """
      Layers: dense UNITS [ACTIVATION] [INITIALIZER], flatten, dropout RATE, batchnorm [MOMENTUM], layernorm,
      embedding ROWS WIDTH, reshape 4x4, rescaling SCALE [OFFSET], activation NAME, or an activation by its name.

      Examples:
        nnfmt create digits.keras --input 64 --layers "dense 48 relu, dense 24 relu, dense 10 softmax"
        nnfmt create flowers.h5 --input 192,192,3 --layers "flatten, dense 500 relu, dense 50 relu, dense 5 softmax"
      """)

  @Argument(help: ArgumentHelp("The file to write: .keras, .h5, .weights.h5, .json or .onnx.", valueName: "OUT"))
  var path: String

  @Option(help: ArgumentHelp("The shape of a row, such as 64 or 192,192,3.", valueName: "SHAPE"))
  var input: NumberList

  @Option(help: ArgumentHelp("The layers, separated by commas.", valueName: "LIST"))
  var layers: String

  @Option(help: ArgumentHelp("Where the random weights start (default: 0).", valueName: "N"))
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("The loss to compile with; with --optimizer and --metrics.", valueName: "NAME"))
  var loss: String?

  @Option(help: ArgumentHelp("The optimizer to compile with (default with --loss: adam).", valueName: "NAME"))
  var optimizer: String?

  @Option(help: ArgumentHelp("Metrics to compile with, separated by commas.", valueName: "LIST"))
  var metrics: String?

  @OptionGroup var output: OutputOptions

  func run() throws {
    let specifications = try LayerSpecification.list(layers)
    guard !specifications.isEmpty else { throw ValidationError("--layers names no layer.") }
    var model = try NetworkBuilder.sequential(input: input.values, specifications, seed: seed)
    if let loss {
      model = model.compiled(
        loss: try TrainingNames.loss(loss), optimizer: try TrainingNames.optimizer(optimizer ?? "adam", rate: nil),
        metrics: try TrainingNames.metrics(metrics))
    }
    if path.hasSuffix(".onnx") {
      try ONNXFile.write(try model.lowered(), to: path)
    } else {
      try KerasWriter.write(model, to: path)
    }
    let count = model.weights.reduce(0) { $0 + ((try? $1.tensor().count) ?? 0) }
    if output.json {
      print(
        (["schema": "nnfmt.create/1", "file": .string(path), "parameters": .int(count)] as JSONValue).text(.indented))
    } else {
      output.note("\(specifications.count) layers, \(Figures.grouped(count)) parameters written to \(path)")
    }
  }
}

/// Losses, optimizers and metrics by the names that users type.
enum TrainingNames {
  static func loss(_ name: String) throws(FormatError) -> Loss {
    guard let loss = CompileSettings.loss(named: name) else {
      throw FormatError(
        .unsupported, "there is no loss \"\(name)\"",
        advice: "Losses are " + CompileSettings.lossNames.joined(separator: ", "))
    }
    return loss
  }

  static func optimizer(_ name: String, rate: Double?) throws(FormatError) -> Optimizer {
    guard var optimizer = CompileSettings.optimizer(named: name) else {
      throw FormatError(
        .unsupported, "there is no optimizer \"\(name)\"",
        advice: "Optimizers are " + CompileSettings.optimizerNames.joined(separator: ", "))
    }
    if let rate { optimizer.learningRate = .constant(rate) }
    return optimizer
  }

  static func metrics(_ names: String?) throws(FormatError) -> [Metric] {
    var metrics: [Metric] = []
    for name in (names ?? "").split(separator: ",").map({ $0.filter { $0 != " " } }) where !name.isEmpty {
      guard let metric = CompileSettings.metric(named: name) else {
        throw FormatError(
          .unsupported, "there is no metric \"\(name)\"",
          advice: "Metrics are accuracy, binary_accuracy, topK such as top5, auc, precision, recall, f1, mae, mse, rmse"
        )
      }
      metrics.append(metric)
    }
    return metrics
  }
}
