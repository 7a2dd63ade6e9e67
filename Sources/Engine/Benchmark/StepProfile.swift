/// What one step of a plan takes.
package struct StepProfile: Sendable, Hashable {
  package let description: ExecutionPlan.StepDescription
  /// Microseconds of a run.
  package let median: Double
  /// Operations of a run, and of what.
  package let operations: Double
  package let arithmetic: StepCost.Arithmetic
  /// Bytes that a run reads and writes.
  package let byteCount: Int

  package init(
    _ description: ExecutionPlan.StepDescription, median: Double, operations: Double,
    arithmetic: StepCost.Arithmetic = .float32, byteCount: Int
  ) {
    self.description = description
    self.median = median
    self.operations = operations
    self.arithmetic = arithmetic
    self.byteCount = byteCount
  }

  package var gflops: Double { median > 0 ? operations / median / 1000 : 0 }
  package var gigabytesPerSecond: Double { median > 0 ? Double(byteCount) / median / 1000 : 0 }
}

extension NetworkBenchmark {
  /// Times every step that runs. Steps that only rename, or that follow from shapes alone, do not run; steps whose shapes
  /// depend on computed elements are not told apart.
  package func profile(_ stopwatch: Stopwatch) throws(EngineError) -> [StepProfile] {
    let resolution = try resolution()
    let context = network.makeContext()
    let own = try context.resolution(for: resolution.inputShapes)
    var constants: [Constant] = []
    for (_, tensor) in inputs { constants.append(try Constant(tensor).aligned()) }
    var outputs: [RawMemory] = []
    for byteCount in own.outputByteCounts { outputs.append(try RawMemory(byteCount: byteCount)) }
    let sources = unsafe constants.map { unsafe $0.base }
    let targets = unsafe outputs.map { unsafe $0.base }
    var warm = StepTimes(own)
    var times = StepTimes(own)
    func run(_ times: inout StepTimes) throws(EngineError) {
      try unsafe sources.withUnsafeBufferPointer { sources throws(EngineError) in
        try unsafe targets.withUnsafeBufferPointer { targets throws(EngineError) in
          try unsafe context.run(own, inputs: sources, outputs: targets, timing: &times)
        }
      }
    }
    _ = try Stopwatch(warmUp: 0, duration: stopwatch.warmUp).measure { () throws(EngineError) in try run(&warm) }
    _ = try Stopwatch(warmUp: 0, duration: stopwatch.duration, leastWarmUpRuns: 0)
      .measure { () throws(EngineError) in try run(&times) }
    withExtendedLifetime((constants, outputs)) {}
    let descriptions = network.plan.stepDescriptions
    return zip(own.steps, times.samples).map { step, samples in
      StepProfile(
        descriptions[step.step], median: TimingStatistics(samples).median, operations: step.cost.operations,
        arithmetic: step.cost.arithmetic, byteCount: step.byteCount)
    }
  }
}
