import NNEngine
import NNFormat
import Testing

@Suite struct StepCostTests {
  /// relu(x · w + b) with 4 inputs and 3 outputs, then softmax.
  private func network() throws -> Network {
    var graph = Graph(
      name: "g", inputs: [Value(name: "x", elementType: .float32, shape: [.symbolic("N"), 4])],
      outputs: [Value(name: "y", elementType: .float32, shape: [.symbolic("N"), 3])],
      nodes: [
        Node(name: "fc", "Gemm", inputs: ["x", "w", "b"], outputs: ["z"]),
        Node(name: "act", "Relu", inputs: ["z"], outputs: ["a"]),
        Node(name: "out", "Softmax", inputs: ["a"], outputs: ["y"]),
      ])
    graph.initializers = [
      Initializer(name: "w", tensor: Tensor((0..<12).map { Float($0) }, shape: [4, 3])),
      Initializer(name: "b", tensor: Tensor([1, 2, 3] as [Float], shape: [3])),
    ]
    return try Network(Model(graph: graph, operatorSets: [OperatorSetImport(version: 17)], irVersion: 8))
  }

  @Test func denseLayersCountProductsAndPackedWeights() throws {
    let benchmark = try NetworkBenchmark(network(), batch: 5, seed: 1)
    let profile = try benchmark.profile(Stopwatch(warmUp: 0, duration: 0))
    #expect(profile.map(\.description.name) == ["fc", "out"])
    #expect(profile.map(\.description.operatorType) == ["Dense+bias+relu", "Softmax"])
    #expect(profile[0].operations == 2 * 5 * 4 * 3)
    let panels = KernelTable.current.panelByteCount(depth: 4, columns: 3)
    #expect(profile[0].byteCount == 4 * (5 * 4 + 5 * 3 + 3) + panels)
    #expect(profile[1].operations == 5 * 15 && profile[1].byteCount == 2 * 4 * 15)
    let cost = try benchmark.cost()
    #expect(cost.operations == profile.reduce(0) { $0 + $1.operations })
    #expect(cost.byteCount == profile.reduce(0) { $0 + $1.byteCount })
  }

  @Test func profilingChangesNoResult() throws {
    let network = try network()
    let benchmark = try NetworkBenchmark(network, batch: 3, seed: 7)
    let inputs = Dictionary(uniqueKeysWithValues: benchmark.inputs.map { ($0.value.name, $0.tensor) })
    let before = try network.run(inputs)[0].tensor.elements() as [Float]
    _ = try benchmark.profile(Stopwatch(warmUp: 0, duration: 0))
    #expect(try network.run(inputs)[0].tensor.elements() as [Float] == before)
  }

  @Test func inputsFollowTheSeed() throws {
    let network = try network()
    func values(_ seed: UInt64) throws -> [Float] {
      try NetworkBenchmark(network, batch: 2, seed: seed).inputs[0].tensor.elements()
    }
    #expect(try values(1) == values(1))
    #expect(try values(1) != values(2))
    #expect(try values(3).allSatisfy { $0 >= -1 && $0 < 1 })
  }

  @Test func theBatchIsTheFirstAxis() throws {
    let plan = try network().plan
    #expect(try InputExtents(plan, batch: nil, sizes: [:]).shapes == [[1, 4]])
    #expect(try InputExtents(plan, batch: 9, sizes: [:]).shapes == [[9, 4]])
    #expect(try InputExtents(plan, batch: nil, sizes: ["N": 6]).batch == 6)
    #expect(throws: EngineError.self) { try InputExtents(plan, batch: nil, sizes: ["M": 6]) }
  }
}
