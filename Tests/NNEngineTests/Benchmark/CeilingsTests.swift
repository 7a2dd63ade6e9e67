import NNEngine
import Testing

/// What steps run into, by made-up ceilings: nothing here measures.
@Suite struct CeilingsTests {
  private let ceilings = Ceilings(
    rows: [
      Ceilings.Row(.arithmetic(.float32, .scalar), threads: 1, kernel: "a", value: 10),
      Ceilings.Row(.arithmetic(.float32, .avx2), threads: 1, kernel: "b", value: 100),
      Ceilings.Row(.arithmetic(.int8, .avx2), threads: 1, kernel: "c", value: 400),
      Ceilings.Row(.cache(level: 1), threads: 1, kernel: "d", value: 200),
      Ceilings.Row(.cache(level: 2), threads: 1, kernel: "d", value: 80),
      Ceilings.Row(.memory, threads: 1, kernel: "d", value: 20),
    ],
    caches: [
      Machine.Cache(level: 1, byteCount: 1000, sharing: 1), Machine.Cache(level: 2, byteCount: 10_000, sharing: 2),
    ])

  private func bound(
    operations: Double = 0, bytes: Int = 0, median: Double = 1, workingSet: Int,
    arithmetic: StepCost.Arithmetic = .float32
  ) -> StepBound {
    let description = ExecutionPlan.StepDescription(name: "s", operatorType: "O", kernel: "k")
    let step = StepProfile(
      description, median: median, operations: operations, arithmetic: arithmetic, byteCount: bytes)
    return StepBound(step, workingSet: workingSet, threads: 1, ceilings)
  }

  @Test func peaksAreThoseOfTheInstructionSet() {
    #expect(ceilings.peak(.float32, threads: 1, on: .avx512) == 100)
    #expect(ceilings.peak(.float32, threads: 1, on: .scalar) == 10)
    #expect(ceilings.peak(.int8, threads: 1, on: .avx2) == 400)
    // Without a peak of its own the arithmetic is float32's.
    #expect(ceilings.peak(.bfloat16, threads: 1, on: .avx2) == 100)
    #expect(ceilings.peak(.float32, threads: 2, on: .avx2) == nil)
  }

  @Test func theSmallestCacheThatHoldsEverythingLimits() {
    #expect(ceilings.reading(byteCount: 1000, threads: 1)?.value == 200)
    #expect(ceilings.reading(byteCount: 1001, threads: 1)?.value == 80)
    #expect(ceilings.reading(byteCount: 10_001, threads: 1)?.limit == .memory)
    #expect(Machine.Cache(level: 1, byteCount: 10, sharing: 1).capacity(threads: 4) == 40)
    #expect(Machine.Cache(level: 3, byteCount: 10, sharing: 8).capacity(threads: 4) == 10)
  }

  @Test func theNearestLimitIsNamed() {
    // 8 GB/s of 20 in memory explain 40 % of the time, 16 of 20 explain 80 %.
    #expect(bound(bytes: 8000, workingSet: 1 << 20).kind == .overhead)
    #expect(bound(bytes: 16_000, workingSet: 1 << 20).kind == .memory)
    #expect(abs(bound(bytes: 16_000, workingSet: 1 << 20).share - 0.8) < 1e-12)
    #expect(bound(bytes: 60_000, workingSet: 5000).kind == .cache)
    #expect(
      bound(operations: 380_000, bytes: 1000, workingSet: 1 << 20, arithmetic: .int8).kind == .compute
        || InstructionSet.best < .avx2)
    #expect(bound(operations: 1, bytes: 1, median: 0, workingSet: 1).kind == .overhead)
  }

  @Test func textsOfTheSystemAreRead() {
    #expect(Machine.byteCount("32K") == 32 << 10 && Machine.byteCount("1M") == 1 << 20)
    #expect(Machine.byteCount("512") == 512 && Machine.byteCount("") == nil && Machine.byteCount("xK") == nil)
    #expect(Machine.processorCount("0") == 1 && Machine.processorCount("0-3,8") == 5)
    let machine = Machine.current()
    #expect(machine.cores >= 1 && machine.memoryByteCount > 0 && machine.instructionSets.contains(machine.chosen))
    #expect(Machine.peakByteCount() > 0)
  }

  @Test func everyPeakKernelRuns() {
    #expect(PeakKernel.all.contains { $0.quantity == .float32 && $0.instructionSet == .scalar })
    for kernel in PeakKernel.all {
      #expect(kernel.operations > 0 && kernel.name.hasSuffix("__\(kernel.instructionSet.rawValue)"))
      kernel.run(iterations: 3)
    }
    let values = [Float](repeating: 1, count: 1000)
    unsafe values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      for variant in 0..<ReadKernel.variants { unsafe ReadKernel.current.run(base, count: 1000, variant: variant) }
    }
  }

  @Test func everyGemmKernelIsTimedAndOneChosen() throws {
    let results = try GemmBenchmark(rows: 2, depth: 3, columns: 4).measure(
      threads: [1, 2], seed: 1, Stopwatch(warmUp: 0, duration: 0))
    #expect(results.count == 2 * GemmBenchmark.kernelCount)
    #expect(results.filter(\.isChosen).map(\.threads) == [1, 2])
    let integers = try GemmBenchmark(rows: 2, depth: 3, columns: 4).measureIntegers(
      threads: [1, 2], seed: 1, Stopwatch(warmUp: 0, duration: 0))
    #expect(integers.count == 2 * IntegerKernels.all(for: .current).count)
    #expect(integers.filter(\.isChosen).map(\.threads) == [1, 2])
    #expect(throws: EngineError.self) { try GemmBenchmark(rows: 0, depth: 1, columns: 1) }
    #expect(throws: EngineError.self) { try GemmBenchmark(rows: 1 << 40, depth: 1 << 40, columns: 1) }
  }
}
