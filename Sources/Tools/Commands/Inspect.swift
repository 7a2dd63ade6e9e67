import ArgumentParser
import NNFormat

/// `nnfmt inspect`: shows what a model file holds. Nothing in the file is executed, no link is followed.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a model file: layers, shapes, parameters, training, findings.",
    discussion: """
      Works on every Keras layout, also on models that cannot be run. Weights are not read unless --stats asks for it.

      Examples:
        nnfmt inspect model.h5
        nnfmt inspect model.keras --weights --stats
        nnfmt inspect model.keras --layer dense_1
        nnfmt inspect model.weights.h5 --architecture config.json --json
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "FILE"))
  var file: String

  @Flag(help: "List every stored tensor.")
  var weights = false

  @Flag(help: "Read the weights: range, mean, deviation, zeros, NaN and infinite values of each tensor.")
  var stats = false

  @Flag(help: "Show layers and their tensors as a tree, with the place of each in the file.")
  var tree = false

  @Option(help: ArgumentHelp("Show one layer with its configuration and tensors.", valueName: "NAME"))
  var layer: String?

  @OptionGroup var model: ModelArgument
  @OptionGroup var shared: SharedOptions

  func run() throws {
    let report = ModelReport(try model.read(file), withStatistics: stats)
    let row = try layer.map { name in
      guard let row = report.layer(named: name) else {
        throw FormatError(.missing, "has no layer \"\(name)\"", file: file, advice: "nnfmt inspect lists the layers")
      }
      return row
    }
    if shared.json {
      print((row.map { ReportView(report).json(of: $0) } ?? report.json).text(.indented))
    } else if let row {
      ReportView(report).print(row)
    } else {
      ReportView(report).print(weights: weights || stats, tree: tree)
    }
  }
}
