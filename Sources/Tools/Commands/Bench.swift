import ArgumentParser
import NNEngine
import NNFormat

/// `nnfmt bench`: measures how fast a network, the kernels and the machine are.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the speed of a network, of the kernels, and of the machine.",
    discussion: """
      Every prediction is timed by itself, warm-up excluded; rows/s, GFLOP/s and GB/s are those of the median. Inputs are
      random. Load, plan and first run are measured apart, once. Quote ratios of runs on one machine that does nothing else.

      Exit status: 0 done, 1 slower than the baseline, 2 it could not be done.

      Examples:
        nnfmt bench model.onnx --batch 1,16,128 --threads 1,2
        nnfmt bench model.keras --profile
        nnfmt bench model.onnx --json > before.json; nnfmt bench model.onnx --baseline before.json --tolerance 3
        nnfmt bench --ceilings --gemm 128,4096,4096
      """)

  @Argument(help: ArgumentHelp("The model file; not needed with --ceilings or --gemm.", valueName: "MODEL"))
  var path: String?

  @Option(help: ArgumentHelp("Batch sizes, separated by commas (default: 1).", valueName: "LIST"))
  var batch: NumberList?

  @Option(help: ArgumentHelp("Numbers of threads, separated by commas (default: all cores).", valueName: "LIST"))
  var threads: NumberList?

  @Option(help: ArgumentHelp("Time each setting for so many seconds.", valueName: "S"))
  var duration = 2.0

  @Option(help: ArgumentHelp("Run each setting for so many seconds before.", valueName: "S"))
  var warmup = 0.3

  @Option(help: ArgumentHelp("Draw the inputs from this seed.", valueName: "N"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("The extent of a symbolic axis of the inputs. Repeatable.", valueName: "NAME=N"))
  var size: [String] = []

  @Flag(help: "Also time every step, with the limit it runs into.")
  var profile = false

  @Flag(help: "Measure what the machine can do at most: arithmetic, caches, memory.")
  var ceilings = false

  @Option(help: ArgumentHelp("Time every kernel on a product of M x K and K x N.", valueName: "M,K,N"))
  var gemm: NumberList?

  @Option(
    help: ArgumentHelp("Compare with the --json of an earlier run; exit status 1 when slower.", valueName: "FILE"))
  var baseline: String?

  @Option(help: ArgumentHelp("With --baseline: let medians be so many per cent longer (default: 5).", valueName: "PCT"))
  var tolerance: Double?

  @Flag(help: "Print the figures as CSV, one table after the other.")
  var csv = false

  @Flag(help: "Print Markdown tables.")
  var markdown = false

  @OptionGroup var engine: EngineArguments
  @OptionGroup var model: ModelArgument
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if path == nil, !ceilings, gemm == nil { throw ValidationError("bench needs MODEL, --ceilings or --gemm.") }
    if path == nil, profile || batch != nil || !size.isEmpty {
      throw ValidationError("--profile, --batch and --size need MODEL.")
    }
    if !(duration > 0 && duration <= 86400 && warmup >= 0 && warmup <= 86400) {
      throw ValidationError("--duration must be above 0 and --warmup 0 or more, up to a day.")
    }
    if let gemm, gemm.values.count != 3 { throw ValidationError("--gemm takes three numbers, M,K,N.") }
    if [output.json, csv, markdown].count(where: { $0 }) > 1 {
      throw ValidationError("--json, --csv and --markdown exclude each other.")
    }
    if path == nil, engine.pinsThreads { throw ValidationError("--pin needs MODEL.") }
    if baseline != nil, path == nil, gemm == nil { throw ValidationError("--baseline needs MODEL or --gemm.") }
    if tolerance != nil, baseline == nil { throw ValidationError("--tolerance goes with --baseline.") }
    if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
      throw ValidationError("--tolerance must be 0 or more.")
    }
    if let threads, threads.values.contains(where: { $0 > 1024 }) {
      throw ValidationError("--threads must be 1024 or less.")
    }
    for text in size {
      guard let mark = text.lastIndex(of: "="), mark > text.startIndex,
        let extent = Int(text[text.index(after: mark)...]), extent > 0
      else { throw ValidationError("--size takes NAME=N, N 1 or more.") }
    }
    if let baseline, csv { throw ValidationError("--csv holds no comparison with \(baseline).") }
  }

  func run() throws {
    do {
      let earlier = try baseline.map {
        try BenchmarkBaseline(JSONValue.parse(ByteRegion(MappedFile(path: $0)).bytes()))
      }
      if let warning = InstructionSet.environmentError() { output.note("nnfmt: \(warning)") }
      var report = try measure()
      if let baseline, let earlier { try compare(&report, with: earlier, baseline) }
      show(report)
      if report.baseline?.isMissed == true { throw NegativeAnswer() }
    } catch let error as FormatError {
      throw error.inFile(baseline ?? path ?? "bench")
    }
  }

  private func measure() throws -> BenchReport {
    let bar = ProgressBar(isShown: !output.quiet)
    defer { bar.finish() }
    var run = BenchRun(
      stopwatch: Stopwatch(warmUp: warmup, duration: duration),
      threads: threads?.values ?? [ThreadPool.onlineProcessorCount], batches: batch?.values.map { $0 } ?? [nil],
      sizes: sizes, seed: seed, options: engine.options(model.reading.limits), bar: bar)
    do {
      if let path { try run.network(path, reading: model, isProfiled: profile) }
      if ceilings || profile { try run.ceilings(isShown: ceilings) }
      if let gemm { try run.gemm(gemm.values) }
    } catch let error as EngineError {
      throw FormatError(
        error.kind == .unsupported ? .unsupported : .mismatch, error.description.trimmingStop, file: path ?? "bench",
        advice: error.kind == .shapeMismatch ? "Give the extents that fit with --batch and --size" : nil)
    } catch let error as FormatError {
      throw error.inFile(path ?? "bench")
    }
    return run.report
  }

  private var sizes: [String: Int] {
    var sizes: [String: Int] = [:]
    for text in size {
      guard let mark = text.lastIndex(of: "=") else { continue }
      sizes[String(text[..<mark])] = Int(text[text.index(after: mark)...])
    }
    return sizes
  }

  private func compare(_ report: inout BenchReport, with earlier: BenchmarkBaseline, _ path: String) throws {
    func name(_ path: String) -> String { Path.name(of: path) }
    if let model = earlier.model, let own = self.path, name(model) != name(own) {
      output.note("note: the baseline measured \(name(model)), not \(name(own))")
    }
    if let processor = earlier.processor, processor != report.machine.processor || earlier.cores != report.machine.cores
    {
      output.note("note: the baseline was measured on \(processor), \(earlier.cores ?? 0) cores")
    }
    let limit = tolerance ?? 5
    do throws(FormatError) {
      report.baseline = BenchReport.Baseline(
        path: path, tolerance: limit, comparisons: try earlier.compare(report.figures, tolerance: limit))
    } catch {
      throw error.inFile(path)
    }
    let missing = report.figures.count - (report.baseline?.comparisons.count ?? 0)
    if missing > 0 { output.note("note: \(missing) of the figures are not in the baseline") }
  }

  private func show(_ report: BenchReport) {
    if output.json { return print(report.json.text(.indented)) }
    BenchView(report: report).print(csv ? .csv : markdown ? .markdown : .text)
  }
}
