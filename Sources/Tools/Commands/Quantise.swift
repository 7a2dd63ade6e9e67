import ArgumentParser
import NNEngine
import NNFormat

/// `nnfmt quantise`: fewer bits for the weights of a network, with the error shown.
struct Quantise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantise",
    abstract: "Make a network smaller and faster, and show what that costs layer by layer.",
    discussion: """
      Schemes: dynamic rounds weights in the file and activations when the network runs; static rounds activations by ranges
      that --calibration-data gives; weight-only, float16 and bfloat16 store weights alone in fewer bits. Written are standard
      ONNX operators (--format qoperator: those that take quantised numbers, some of com.microsoft).

      Outputs are compared on --validation-data, else on the calibration data, else on random inputs where --report asks for
      it. Labelled data is an .npz with the inputs and y, one class a row.

      Exit status: 0 done, 1 a budget could not be held and nothing was written, 2 it could not be done.

      Examples:
        nnfmt quantise model.onnx small.onnx --scheme dynamic
        nnfmt quantise model.keras small.onnx --scheme weight-only --weight-type int4 --block-size 32
        nnfmt quantise model.onnx small.onnx --scheme static --calibration-data rows.npy --report report.json
        nnfmt quantise model.onnx small.onnx --scheme dynamic --validation-data test.npz --max-drop 0.005
      """, aliases: ["quantize"])

  @Argument(help: ArgumentHelp("The model file.", valueName: "IN"))
  var source: String

  @Argument(help: ArgumentHelp("The file to write.", valueName: "OUT"))
  var target: String

  @OptionGroup var options: QuantisationOptions

  @Option(
    help: ArgumentHelp("Find the ranges of activations on these rows (.npy, .npz, .csv).", valueName: "FILE"))
  var calibrationData: String?

  @Option(
    help: ArgumentHelp("Measure on these rows; an .npz with y also gives the accuracy.", valueName: "FILE"))
  var validationData: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --validation-data: leave layers as they are, the most sensitive first, until no more than this share of accuracy is lost (without labels: this relative error of the outputs).",
      valueName: "X"))
  var maxDrop: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Write nothing unless the result is so many times as fast on this machine.", valueName: "X"))
  var requireSpeedup: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Measure the speed with this many rows (default: 1).", valueName: "N"))
  var batch: Int?

  @Option(help: ArgumentHelp("Write the report as JSON, with - to standard output.", valueName: "FILE"))
  var report: String?

  @OptionGroup var model: ModelArgument
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if maxDrop != nil, validationData == nil { throw ValidationError("--max-drop needs --validation-data FILE.") }
    if let maxDrop, !(maxDrop >= 0 && maxDrop.isFinite) {
      throw ValidationError("--max-drop must be a number from 0 on.")
    }
    if let requireSpeedup, !(requireSpeedup > 0 && requireSpeedup.isFinite) {
      throw ValidationError("--require-speedup must be above 0.")
    }
    if let batch, batch < 1 { throw ValidationError("--batch must be 1 or more.") }
    if options.scheme == .calibrated, calibrationData == nil {
      throw ValidationError("--scheme static needs --calibration-data FILE.")
    }
    if options.scheme != .calibrated, calibrationData != nil {
      throw ValidationError("--calibration-data goes with --scheme static.")
    }
    if shared.json, report == "-" { throw ValidationError("--json and --report - both claim standard output.") }
    for (option, isGiven) in [("--batch", batch != nil), ("--seed", options.seed != nil)] where isGiven && !isMeasured {
      throw ValidationError("\(option) has an effect with data, --report or --require-speedup alone.")
    }
  }

  /// Whether networks run, and on random numbers where there are no others.
  var isMeasured: Bool {
    calibrationData != nil || validationData != nil || report != nil || requireSpeedup != nil
  }

  /// Opens the report, so that nothing is done when it cannot be written.
  ///
  /// - Throws: `FormatError` also when it is one of the files that are read or written.
  private func openReport() throws(FormatError) -> AtomicWriter? {
    guard let report, report != "-" else { return nil }
    let others = [source, target, calibrationData, validationData, model.architecture].compactMap(\.self)
    for path in others where FileSystem.isSame(path, report) {
      throw FormatError(
        .io, "the report would take the place of \(path)", file: report, advice: "Name another file with --report")
    }
    return try AtomicWriter(replacing: report)
  }

  func run() throws {
    do {
      var report = try openReport()
      var run = QuantisationRun(self)
      let result = try run.run()
      let json = result.json.text(.indented)
      if let file = report.take() {
        try file.write(Array((json + "\n").utf8))
        try file.commit()
      }
      if shared.json || self.report == "-" { print(json) } else { QuantisationView(result).print() }
      if result.refusal == nil {
        shared.note("\(result.targetFormat) written to \(target)")
      } else {
        throw NegativeAnswer()
      }
    } catch let error as FormatError {
      throw error.inFile(source)
    } catch let error as EngineError {
      throw FormatError(
        error.kind == .unsupported ? .unsupported : .mismatch, error.description.trimmingStop, file: source)
    }
  }
}
