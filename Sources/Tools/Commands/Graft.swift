import ArgumentParser
import NNFormat
import NNTraining

/// `nnfmt graft`: puts the weights of one model into another with a new end.
struct GraftCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graft",
    abstract: "Put the weights of one model into another with a new end, to be trained on.",
    discussion: """
      Examples:
        nnfmt graft trained.keras new.keras start.keras --freeze "dense*"
        nnfmt train start.keras --data flowers.npz --epochs 5 --output flowers.keras
      """)

  @Argument(help: ArgumentHelp("The model with the weights.", valueName: "BASE"))
  var base: String

  @Argument(help: ArgumentHelp("The model with the layers.", valueName: "HEAD"))
  var head: String

  @Argument(help: ArgumentHelp("The file to write.", valueName: "OUT"))
  var out: String

  @Flag(help: "Match layers with weights by their order, not by name.")
  var byPosition = false

  @Option(
    help: ArgumentHelp(
      "Layers that training is to leave as they are; * stands for any text. Repeatable.", valueName: "PATTERN"))
  var freeze: [String] = []

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    guard case .keras(let source) = try reading.read(base).content else {
      throw FormatError(
        .unsupported, "weights are grafted between Keras models", file: base, advice: "Convert it first")
    }
    guard case .keras(let target) = try reading.read(head).content else {
      throw FormatError(
        .unsupported, "weights are grafted between Keras models", file: head, advice: "Convert it first")
    }
    let patterns = freeze.map(NamePattern.init)
    let graft = try Graft(source, onto: target, byPosition: byPosition) { name in
      patterns.contains { $0.matches(name) }
    }
    guard graft.entries.contains(where: { $0.outcome == .loaded }) else {
      throw FormatError(.mismatch, "no layer gets weights from \(base)", file: head)
    }
    try KerasWriter.write(graft.model, to: out)
    output.json ? print(json(graft).text(.indented)) : printTable(graft)
  }

  private func printTable(_ graft: Graft) {
    var table = Table(("Layer", .left), ("From", .left), ("Parameters", .right), ("", .left), ("", .left))
    for entry in graft.entries {
      table.add(
        entry.layer, entry.source ?? "", Figures.grouped(entry.parameterCount), entry.outcome.rawValue,
        entry.isFrozen ? "frozen" : "")
    }
    table.print()
  }

  private func json(_ graft: Graft) -> JSONValue {
    [
      "schema": "nnfmt.graft/1", "file": .string(out),
      "layers": .array(
        graft.entries.map { entry in
          [
            "name": .string(entry.layer), "source": entry.source.map(JSONValue.string) ?? .null,
            "outcome": .string(entry.outcome.rawValue), "parameters": .int(entry.parameterCount),
            "frozen": .bool(entry.isFrozen),
          ]
        }),
    ]
  }
}
