import ArgumentParser
import NNEngine
import NNFormat

/// `nnfmt convert`: from one format to another, with the same numbers coming out.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert between Keras (.h5, .keras, .weights.h5) and ONNX, and report what changed.",
    discussion: """
      The ending of OUT decides the format. What ONNX cannot say of a Keras model (configuration, training state, names)
      travels in the file and comes back when it is converted back.

      Examples:
        nnfmt convert model.h5 model.onnx --check
        nnfmt convert model.keras model.onnx --opset 17
        nnfmt convert model.onnx model.keras
        nnfmt convert model.keras model.h5 --keras 2
        nnfmt convert weights.weights.h5 model.keras --architecture config.json
      """)

  @Argument(help: ArgumentHelp("The file to convert.", valueName: "IN"))
  var source: String

  @Argument(help: ArgumentHelp("The file to write.", valueName: "OUT"))
  var target: String

  @Option(help: ArgumentHelp("The operator set of an ONNX file: 13 to 28 (default: 21).", valueName: "N"))
  var opset: Int?

  @Option(
    help: ArgumentHelp(
      "The generation of Keras that an .h5 file is for, 2 (tf_keras) or 3 (default: that of the source).",
      valueName: "N"))
  var keras: Int?

  @Flag(help: "Write the weights of an ONNX file into a file beside it.")
  var externalData = false

  @Flag(help: "Read the result back and compare it with the source; exit status 1 if they differ.")
  var check = false

  @Flag(help: "Write weights alone: OUT must be .weights.h5, .safetensors or .npz.")
  var weightsOnly = false

  @Option(
    help: ArgumentHelp(
      "With --check: the largest difference allowed, relative to an output's largest value.", valueName: "X"))
  var tolerance = 1e-5

  @OptionGroup var model: ModelArgument
  @OptionGroup var shared: SharedOptions

  func run() throws {
    var conversion = Conversion()
    conversion.operatorSetVersion = opset
    conversion.writesExternalData = externalData
    conversion.kerasGeneration = keras
    if weightsOnly, try !ConversionTarget(path: target).isWeightsOnly {
      throw FormatError(
        .unsupported, "holds more than weights", file: target, advice: "Use .weights.h5, .safetensors or .npz")
    }
    let file = try model.read(source)
    let report = try conversion.convert(file, to: target)
    let comparison = check ? try ConversionCheck(file, result: target, architecture: source) : nil
    let isEqual = comparison.map { $0.isEqual(within: tolerance) }
    if shared.json {
      print(json(report, comparison, isEqual: isEqual).text(.indented))
    } else {
      for note in report.notes { print("\(note.kind.rawValue): \(note.subject): \(note.message)".onOneLine) }
      for line in comparison?.lines ?? [] { print("check: \(line)".onOneLine) }
      shared.note("\(report.targetFormat) written to \(target)")
    }
    if isEqual == false { throw NegativeAnswer() }
  }

  private func json(_ report: ConversionReport, _ comparison: ConversionCheck?, isEqual: Bool?) -> JSONValue {
    var members: [(String, JSONValue)] = [("schema", "nnfmt.convert/1")]
    for (key, value) in report.json.object ?? [:] { members.append((key, value)) }
    if let comparison, let isEqual {
      members.append(
        (
          "check",
          [
            "equal": .bool(isEqual), "tensors": .int(comparison.tensorCount),
            "differences": .array(comparison.differences.map(JSONValue.string)),
            "outputs": .array(
              comparison.outputs.map {
                ["name": .string($0.name), "relativeDifference": .double($0.relativeDifference)]
              }),
          ]
        ))
    }
    return .object(.init(uniqueKeysWithValues: members))
  }
}
