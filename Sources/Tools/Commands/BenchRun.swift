import NNEngine
import NNFormat

/// The measurements of one call of `bench`, one after the other.
struct BenchRun {
  let stopwatch: Stopwatch
  let threads: [Int]
  /// Batch sizes; `nil` is what the network wants.
  let batches: [Int?]
  let sizes: [String: Int]
  let seed: UInt64
  /// How networks run; the number of threads is that of each setting.
  let options: EngineOptions
  let bar: ProgressBar
  private(set) var report = BenchReport(machine: .current())

  init(
    stopwatch: Stopwatch, threads: [Int], batches: [Int?], sizes: [String: Int], seed: UInt64,
    options: EngineOptions, bar: ProgressBar
  ) {
    self.stopwatch = stopwatch
    self.threads = threads
    self.batches = batches
    self.sizes = sizes
    self.seed = seed
    self.options = options
    self.bar = bar
    report.seed = seed
  }

  /// Measures the cold start, then every batch size with every number of threads.
  mutating func network(_ path: String, reading argument: ModelArgument, isProfiled: Bool) throws {
    bar.show(0, "loading \(path)")
    let (model, load) = try MonotonicClock.milliseconds { try argument.read(path).model() }
    report.model = path
    let settings = threads.flatMap { threads in batches.map { (threads: threads, batch: $0) } }
    var network: (threads: Int, network: Network)?
    var results: [BenchReport.Result] = []
    for (index, setting) in settings.enumerated() {
      if network?.threads != setting.threads {
        network = nil
        let (made, plan) = try MonotonicClock.milliseconds {
          try Network(model, options: options.with(threads: setting.threads))
        }
        network = (setting.threads, made)
        if index == 0 { try coldStart(made, load: load, plan: plan, batch: setting.batch) }
      }
      guard let network = network?.network else { continue }
      let benchmark = try NetworkBenchmark(network, batch: setting.batch, sizes: sizes, seed: seed)
      let text =
        "batch \(benchmark.batch), \(BenchmarkFigure.text(setting.threads)) (\(index + 1) of \(settings.count))"
      let statistics = try benchmark.measure(stopwatch) { share in
        bar.show((Double(index) + share) / Double(settings.count), text)
      }
      report.peakByteCount = Machine.peakByteCount()
      let cost = try benchmark.cost()
      results.append(
        BenchReport.Result(
          batch: benchmark.batch, threads: setting.threads, precision: options.precision.rawValue,
          isPinned: options.pinsThreads, statistics: statistics,
          operations: cost.operations, byteCount: cost.byteCount,
          steps: isProfiled ? try benchmark.profile(stopwatch.shortened(to: 0.5)) : []))
    }
    report.results = results.sorted { first, second in order(first) < order(second) }
  }

  /// Batches in the order given, and the numbers of threads within each.
  private func order(_ result: BenchReport.Result) -> Int {
    let batch = batches.firstIndex { $0 == nil || $0 == result.batch } ?? 0
    return batch * threads.count + (threads.firstIndex(of: result.threads) ?? 0)
  }

  private mutating func coldStart(_ network: Network, load: Double, plan: Double, batch: Int?) throws {
    let benchmark = try NetworkBenchmark(network, batch: batch, sizes: sizes, seed: seed)
    report.cold = BenchReport.ColdStart(load: load, plan: plan, first: try benchmark.firstRun())
    report.inputs = benchmark.inputs.map { ($0.value.name, $0.tensor.elementType, $0.tensor.shape) }
  }

  /// Measures the ceilings for the numbers of threads, and for one thread when they are to be shown.
  mutating func ceilings(isShown: Bool) throws {
    let counts = Set(threads + (isShown ? [1] : [])).sorted()
    report.showsCeilings = isShown
    report.ceilings = try Ceilings.measure(threads: counts, machine: report.machine) { bar.show($0, "ceilings") }
  }

  /// Times every kernel on one product.
  mutating func gemm(_ extents: [Int]) throws {
    let benchmark = try GemmBenchmark(
      rows: extents[0], depth: extents[1], columns: extents[2], precision: options.precision)
    var results = try benchmark.measure(threads: threads, seed: seed, stopwatch) { bar.show($0, "kernels") }
    if options.precision == .float32 {
      results += try benchmark.measureIntegers(threads: threads, seed: seed, stopwatch) {
        bar.show($0, "integer kernels")
      }
    }
    report.gemm = (benchmark, results)
  }
}
