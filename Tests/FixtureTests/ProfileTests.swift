import NNEngine
import NNFormat
import TestSupport
import Testing

/// Every fixture that runs, as `nnfmt bench --profile` runs it.
@Suite struct ProfileTests {
  @Test(arguments: Fixtures.rows(.predict)) func everyNetworkCanBeProfiled(_ row: FixtureRow) throws {
    let network = try Network(row.read().model(), options: EngineOptions(threads: 1))
    let reference = try row.referenceInputs(for: network.inputs)
    var sizes: [String: Int] = [:]
    for input in network.inputs {
      for (axis, dimension) in (input.shape?.dimensions ?? []).enumerated() {
        if case .symbolic(let name) = dimension { sizes[name] = reference[input.name]?.shape[axis] }
      }
    }
    let batch = network.inputs.first.flatMap { reference[$0.name]?.shape.first }
    let benchmark = try NetworkBenchmark(network, batch: batch, sizes: sizes, seed: 1)
    for (value, tensor) in benchmark.inputs where value.shape?.dimensions.contains(.unknown) == false {
      #expect(tensor.shape == reference[value.name]?.shape)
    }
    let profile = try benchmark.profile(Stopwatch(warmUp: 0, duration: 0, leastWarmUpRuns: 1, leastRuns: 1))
    let cost = try benchmark.cost()
    #expect(cost.operations == profile.reduce(0) { $0 + $1.operations })
    #expect(cost.byteCount == profile.reduce(0) { $0 + $1.byteCount })
    #expect(profile.allSatisfy { $0.operations >= 0 && $0.byteCount >= 0 && $0.operations.isFinite })
    #expect(
      network.plan.steps.allSatisfy { !$0.operatorType.hasPrefix("Dense") }
        || profile.contains { $0.operations > 0 && $0.description.operatorType.hasPrefix("Dense") } || batch == 0)
  }
}
