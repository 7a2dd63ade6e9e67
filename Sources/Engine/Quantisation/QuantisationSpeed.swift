import NNFormat

/// How long a prediction takes before and after, on this machine.
public struct QuantisationSpeed: Sendable {
  /// The median of a prediction before, in microseconds.
  public let before: Double
  /// The median now.
  public let after: Double
  /// Rows of a prediction.
  public let rows: Int
  /// Threads that it may use.
  public let threads: Int

  /// How many times as fast the network has become.
  public var ratio: Double { after > 0 ? before / after : 0 }

  /// Times both networks on the same random inputs, in turns.
  public init(_ before: Model, _ after: Model, rows: Int, seed: UInt64, options: EngineOptions) throws(EngineError) {
    let stopwatch = Stopwatch(warmUp: 0.03, duration: 0.12)
    let benchmarks = (
      try Self.benchmark(before, rows, seed, options), try Self.benchmark(after, rows, seed, options)
    )
    var medians: (before: [Double], after: [Double]) = ([], [])
    for _ in 0..<3 {
      medians.before.append(try benchmarks.0.measure(stopwatch).median)
      medians.after.append(try benchmarks.1.measure(stopwatch).median)
    }
    self.before = medians.before.sorted()[1]
    self.after = medians.after.sorted()[1]
    self.rows = benchmarks.0.batch
    threads = options.threads ?? ThreadPool.onlineProcessorCount
  }

  private static func benchmark(
    _ model: Model, _ rows: Int, _ seed: UInt64, _ options: EngineOptions
  ) throws(EngineError) -> NetworkBenchmark {
    let network = try Network(model, options: options)
    let isFixed = network.inputs.first?.shape?.dimensions.first?.value != nil
    return try NetworkBenchmark(network, batch: isFixed ? nil : rows, seed: seed)
  }
}
