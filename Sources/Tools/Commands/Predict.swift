import ArgumentParser
import NNEngine
import NNFormat

/// `nnfmt predict`: runs a network on arrays or tables of numbers.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a network on .npy, .npz, .pb or CSV data.",
    discussion: """
      Without --output, prints for each row the class or the values, the best classes and the margin between the first two.

      Examples:
        nnfmt predict digits.keras --input images.npy --labels digits.txt --top 3
        nnfmt predict model.h5 --input a=left.npy --input b=right.npy --output out.npz
        cut -d, -f2- rows.csv | nnfmt predict model.h5 --input - --output -
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "MODEL"))
  var path: String

  @Option(
    help: ArgumentHelp(
      "Data: .npy, .npz, .pb, CSV, or - for CSV on standard input; NAME= in front picks the network's input. Repeatable.",
      valueName: "[NAME=]FILE"))
  var input: [String] = []

  @Option(
    help: ArgumentHelp(
      "Write the outputs: .npy (one output), .npz (all by name), .csv, DIR/ (output_0.pb ...), or - for CSV on standard output.",
      valueName: "FILE"))
  var output: String?

  @Option(help: ArgumentHelp("Run this many rows at a time (default: all).", valueName: "N"))
  var batch: Int?

  @Option(help: ArgumentHelp("Show the K best classes of each row.", valueName: "K"))
  var top: Int?

  @Option(help: ArgumentHelp("Names of the classes, one a line.", valueName: "FILE"))
  var labels: String?

  @Option(help: ArgumentHelp("Mark rows whose margin is below X as uncertain.", valueName: "X"))
  var minMargin: Double?

  @Option(help: ArgumentHelp("True classes (.npy of integers or CSV): also print the accuracy.", valueName: "FILE"))
  var truth: String?

  @Option(
    help: ArgumentHelp(
      "Compare the outputs with these arrays (.npz, .npy or CSV) instead of printing them; exit status 1 if they differ.",
      valueName: "FILE"))
  var expect: String?

  @Option(
    help: ArgumentHelp(
      "With --expect: the largest difference allowed, relative to an output's largest value.", valueName: "X"))
  var tolerance = 1e-5

  @OptionGroup var engine: EngineArguments
  @OptionGroup var model: ModelArgument
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if input.isEmpty { throw ValidationError("predict needs --input FILE.") }
    if let batch, batch < 1 { throw ValidationError("--batch must be 1 or more.") }
    if shared.json, output == "-" { throw ValidationError("--json and --output - both claim standard output.") }
    if expect != nil, output != nil {
      throw ValidationError("--expect prints a comparison; it does not go with --output.")
    }
    if let top, top < 1 { throw ValidationError("--top must be 1 or more.") }
  }

  func run() throws {
    do {
      try predict()
    } catch let error as FormatError {
      throw error.inFile(path)
    } catch let error as EngineError {
      throw FormatError(
        error.kind == .unsupported ? .unsupported : .mismatch, error.description.trimmingStop, file: path)
    }
  }

  private func predict() throws {
    let network = try Network(
      try model.read(path).model(), options: engine.options(threads: shared.threads, model.reading.limits))
    let labelNames = try labels.map { try LabelFile.read($0) }
    let inputs = try TensorInput.assign(try givenInputs(network.inputs), to: network.inputs)
    let progress = RowProgress(isShown: !shared.quiet && batch != nil, rows: inputs.values.first?.shape.first ?? 0)
    let results = try network.run(inputs, rowsPerRun: batch) { progress.show($0) }
    progress.finish()
    if let expect { return try compare(results, with: expect) }
    if let output {
      try OutputFile.write(results, to: output)
      if output != "-" {
        shared.note("\(results.count == 1 ? "1 output" : "\(results.count) outputs") written to \(output)")
      }
      if !shared.json { return try printAccuracy(results, onStandardError: output == "-") }
    }
    let view = try PredictionView(
      results, labels: labelNames, top: top, minimumMargin: minMargin, truth: try trueClasses(results))
    if shared.json { print(view.json(model: path).text(.indented)) } else { view.print() }
  }

  /// The inputs in the order given, with the names in front of `=`, as far as the network knows them.
  private func givenInputs(_ inputs: [Value]) throws(FormatError) -> [(name: String?, input: TensorInput)] {
    var given: [(name: String?, input: TensorInput)] = []
    for argument in input {
      if let mark = argument.firstIndex(of: "="), mark > argument.startIndex {
        let name = String(argument[..<mark])
        if inputs.contains(where: { $0.name == name }) || !FileSystem.exists(argument) {
          let file = String(argument[argument.index(after: mark)...])
          let isText = inputs.contains { $0.name == name && $0.elementType == .string }
          given.append((name, try TensorInput.read(file, asText: isText)))
          continue
        }
      }
      let isText = !inputs.isEmpty && inputs.allSatisfy { $0.elementType == .string }
      given.append((nil, try TensorInput.read(argument, asText: isText)))
    }
    return given
  }

  /// Prints how far each output is from the expected one.
  private func compare(_ results: [(name: String, tensor: Tensor)], with expected: String) throws {
    var rows: [JSONValue] = []
    var table = Table(("Output", .left), ("Largest difference", .right), ("Relative", .right), ("", .left))
    var isEqual = true
    let isText = results.allSatisfy { $0.tensor.elementType == .string }
    let arrays = try TensorInput.read(expected, asText: isText)
    for (name, actual, expected) in try TensorComparison.pairs(results, expected: arrays) {
      let comparison = try TensorComparison(actual, expected: expected)
      let isWithin = comparison.relativeDifference <= tolerance
      isEqual = isEqual && isWithin
      table.add(
        name, Figures.short(comparison.maximumDifference), Figures.short(comparison.relativeDifference),
        isWithin ? "" : "differs")
      rows.append([
        "name": .string(name), "maxDifference": .double(comparison.maximumDifference),
        "relativeDifference": .double(comparison.relativeDifference), "equal": .bool(isWithin),
      ])
    }
    if shared.json {
      let report: JSONValue = [
        "schema": "nnfmt.predict/1", "model": .string(path), "equal": .bool(isEqual), "comparison": .array(rows),
      ]
      print(report.text(.indented))
    } else {
      table.print()
    }
    if !isEqual { throw NegativeAnswer() }
  }

  /// The classes of --truth, all of which the output has.
  private func trueClasses(_ results: [(name: String, tensor: Tensor)]) throws(FormatError) -> [Int]? {
    guard let truth else { return nil }
    let classes = try LabelFile.indices(truth)
    guard results.count == 1, results[0].tensor.shape.count == 2 else { return classes }
    do throws(FormatError) {
      try LabelFile.check(classes, scores: results[0].tensor.shape[1])
    } catch {
      throw error.inFile(truth)
    }
    return classes
  }

  private func printAccuracy(_ results: [(name: String, tensor: Tensor)], onStandardError: Bool) throws(FormatError) {
    guard let classes = try trueClasses(results) else { return }
    let view = try PredictionView(results, labels: nil, top: nil, minimumMargin: nil, truth: classes)
    guard let text = view.accuracyText else { return }
    if onStandardError { Terminal.note(text) } else { print(text) }
  }
}

extension String {
  /// The text without a full stop at its end.
  var trimmingStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
