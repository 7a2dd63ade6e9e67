import ArgumentParser
import NNEngine
import NNFormat

/// `nnfmt convert`: from one format to another, with the same numbers coming out.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert between Keras (.h5, .keras, .weights.h5), ONNX and weights by name (.safetensors, .npz).",
    discussion: """
      The ending of OUT decides the format. What ONNX cannot say of a Keras model (configuration, training state, names)
      travels in the file and comes back when it is converted back; so does the ONNX model that a .keras or .h5 file was
      made from, with the weights that the layers have by then. A file of weights alone takes its layers from
      --architecture; its weights are matched by name, as dense/kernel, and have to be all there.

      Exit status: 0 done, 1 --check found a difference, 2 it could not be done, and nothing was written.

      Examples:
        nnfmt convert model.h5 model.onnx --check
        nnfmt convert model.keras model.onnx --opset 17
        nnfmt convert model.onnx model.keras
        nnfmt convert model.keras model.h5 --keras 2
        nnfmt convert old.onnx new.onnx --opset 21 --check
        nnfmt convert model.keras weights.safetensors --weights-only
        nnfmt convert weights.safetensors model.keras --architecture config.json
      """)

  @Argument(help: ArgumentHelp("The file to convert.", valueName: "IN"))
  var source: String

  @Argument(help: ArgumentHelp("The file to write.", valueName: "OUT"))
  var target: String

  @Option(
    help: ArgumentHelp(
      "The operator set of an ONNX file: 13 to 28 (default: 21, or that of an ONNX file IN).", valueName: "N"))
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

  @Flag(help: "With --architecture: keep its own weights where IN has none, or of another shape.")
  var partial = false

  @OptionGroup var model: ModelArgument
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if !tolerance.isFinite || tolerance < 0 { throw ValidationError("--tolerance must be a number from 0 on.") }
    if partial, model.architecture == nil { throw ValidationError("--partial needs --architecture FILE.") }
  }

  func run() throws {
    var conversion = Conversion()
    conversion.operatorSetVersion = opset
    conversion.writesExternalData = externalData
    conversion.kerasGeneration = keras
    if weightsOnly, try !ConversionTarget(path: target).isWeightsOnly {
      throw FormatError(
        .unsupported, "holds more than weights", file: target, advice: "Use .weights.h5, .safetensors or .npz")
    }
    let (file, exchange) = try readSource()
    let report = try conversion.convert(file, to: target)
    let dropped = Set(report.notes.filter { $0.kind == .dropped }.map(\.subject))
    let comparison =
      check ? try ConversionCheck(file, conversion, result: try model.reading.read(target), dropped: dropped) : nil
    let isEqual = comparison.map { $0.isEqual(within: tolerance) }
    if shared.json {
      print(json(report, exchange, comparison, isEqual: isEqual).text(.indented))
    } else {
      for line in exchange?.lines ?? [] { print(line.onOneLine) }
      for note in report.notes { print("\(note.kind.rawValue): \(note.subject): \(note.message)".onOneLine) }
      for line in comparison?.lines ?? [] { print("check: \(line)".onOneLine) }
      shared.note("\(report.targetFormat) written to \(target)")
    }
    if isEqual == false { throw NegativeAnswer() }
  }

  /// The source, with the layers of another file and what became of its weights.
  private func readSource() throws(FormatError) -> (ModelFile, WeightExchange.Report?) {
    guard let architecture = model.architecture else { return (try model.reading.read(source), nil) }
    let (file, layers) = (try model.reading.read(source), try model.reading.read(architecture))
    let (loaded, report) = try file.loading(into: layers, allowsPartial: partial)
    return (loaded, report)
  }

  private func json(
    _ report: ConversionReport, _ exchange: WeightExchange.Report?, _ comparison: ConversionCheck?, isEqual: Bool?
  ) -> JSONValue {
    var members: [(String, JSONValue)] = [("schema", "nnfmt.convert/1")]
    for (key, value) in report.json.object ?? [:] { members.append((key, value)) }
    if let exchange { members.append(("weights", exchange.json)) }
    if let comparison, let isEqual { members.append(("check", comparison.json(isEqual: isEqual))) }
    return .object(.init(uniqueKeysWithValues: members))
  }
}

extension WeightExchange.Report {
  /// The report for people: counts, then what was not loaded.
  fileprivate var lines: [String] {
    [
      "weights: \(loaded.count) loaded, \(missing.count) missing, \(unused.count) unused, \(mismatched.count) mismatched"
    ] + missing.map { "missing: \($0)" } + unused.map { "unused: \($0)" } + mismatched.map { "mismatched: \($0)" }
      + (optimizerVariableCount == 0
        ? [] : ["dropped: optimizer: \(optimizerVariableCount) variables beside the layers belong to other weights"])
  }

  fileprivate var json: JSONValue {
    func list(_ names: [String]) -> JSONValue { .array(names.map(JSONValue.string)) }
    return [
      "loaded": list(loaded), "missing": list(missing), "unused": list(unused), "mismatched": list(mismatched),
      "optimizer_variables_dropped": .int(optimizerVariableCount),
    ]
  }
}
