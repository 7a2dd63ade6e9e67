import ArgumentParser
import NNEngine
import NNFormat
import NNTraining

/// `nnfmt perceptron`: one neuron by the perceptron rule.
struct PerceptronCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perceptron",
    abstract: "Train one neuron with a step; says whether a line separates the two classes.",
    discussion: """
      Data: .csv with a target column, .npz with x and y, or .npy with --targets. Classes are two words or two numbers; the
      second in order is 1.

      Examples:
        nnfmt perceptron iris.csv --target species --epochs 100 --output neuron.onnx

      Exit status: 0 separated, 1 not separated after the epochs given.
      """)

  @Argument(help: ArgumentHelp("The rows: .csv, .npz or .npy.", valueName: "DATA"))
  var data: String

  @Option(help: ArgumentHelp("The targets of .npy data.", valueName: "FILE"))
  var targets: String?

  @Option(
    help: ArgumentHelp("The target column of .csv data, by name or number (default: the last).", valueName: "COLUMN"))
  var target: String?

  @Option(help: ArgumentHelp("Most epochs (default: 100).", valueName: "N"))
  var epochs = 100

  @Option(help: ArgumentHelp("The learning rate (default: 1).", valueName: "X"))
  var learningRate = 1.0

  @Option(name: .customLong("output"), help: ArgumentHelp("Write the neuron to this .onnx file.", valueName: "FILE"))
  var file: String?

  @Flag(help: "Leave rows that cannot be read out.")
  var skipBad = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if epochs < 1 { throw ValidationError("--epochs must be 1 or more.") }
    if !(learningRate > 0 && learningRate.isFinite) { throw ValidationError("--learning-rate must be above 0.") }
    if let file, !file.hasSuffix(".onnx") { throw ValidationError("--output takes a .onnx file.") }
  }

  func run() throws {
    let rows = try DataFile.read(
      data, targets: targets, target: target, skipsBad: skipBad,
      inputs: [Value(name: "x", elementType: .float32, shape: nil)])
    let (labels, names) = try classes(rows)
    let values = try rows.inputs[0].doubles()
    let width = labels.isEmpty ? 0 : values.count / labels.count
    var neuron = Perceptron(inputCount: width)
    let outcome: Perceptron.Outcome
    do throws(EngineError) {
      outcome = try neuron.fit(
        labels.indices.map { Array(values[$0 * width..<($0 + 1) * width]) }, labels: labels, rate: learningRate,
        epochs: epochs)
    } catch {
      throw FormatError(.mismatch, error.message, file: data)
    }
    if let file { try ONNXFile.write(neuron.model, to: file) }
    output.json ? print(json(neuron, outcome).text(.indented)) : show(neuron, outcome, names, labels.count)
    if case .notSeparated = outcome { throw NegativeAnswer() }
  }

  /// 0 or 1 for each row, and what these stand for.
  private func classes(_ rows: LabelledData) throws -> (labels: [Int], names: [String]) {
    let values = try rows.targets.doubles()
    let kinds = Set(values).sorted()
    guard kinds.count == 2 else {
      throw FormatError(
        .mismatch, "the targets have \(kinds.count) different values, and a neuron tells two apart", file: data)
    }
    let names = kinds.map { value in
      rows.classNames.flatMap { all in Int(exactly: value).map { all[$0] } }
        ?? (Int(exactly: value).map(String.init) ?? "\(value)")
    }
    return (values.map { $0 == kinds[1] ? 1 : 0 }, names)
  }

  private func show(_ neuron: Perceptron, _ outcome: Perceptron.Outcome, _ names: [String], _ count: Int) {
    switch outcome {
    case .converged(let epoch): print("separated: every row is on its side since epoch \(epoch)")
    case .notSeparated(let errors):
      print("not separated: \(errors) of \(count) rows are on the wrong side after \(epochs) epochs;")
      print("no line separates the classes, or more epochs are needed")
    }
    print("weights    \(neuron.weights.map { Figures.short($0) }.joined(separator: ", "))")
    print("bias       \(Figures.short(neuron.bias)), the threshold \(Figures.short(-neuron.bias))")
    if let boundary = neuron.boundary {
      print(
        "boundary   x2 = \(Figures.short(boundary.slope)) x1 + \(Figures.short(boundary.intercept)), \(names[1]) on the side of the weights"
      )
    }
  }

  private func json(_ neuron: Perceptron, _ outcome: Perceptron.Outcome) -> JSONValue {
    var (epoch, errors): (JSONValue, Int) = (.null, 0)
    switch outcome {
    case .converged(let number): epoch = .int(number)
    case .notSeparated(let count): errors = count
    }
    return [
      "schema": "nnfmt.perceptron/1", "data": .string(data), "separated": .bool(errors == 0), "epoch": epoch,
      "errors": .int(errors), "weights": .array(neuron.weights.map { .double($0) }), "bias": .double(neuron.bias),
      "slope": neuron.boundary.map { .double($0.slope) } ?? .null,
      "intercept": neuron.boundary.map { .double($0.intercept) } ?? .null,
    ]
  }
}
