import NNFormat

/// A network that also gives values from its inside.
struct ProbedNetwork {
  private let network: Network
  private let outputCount: Int
  private let probes: [String]

  /// - Parameter probes: names of values of the graph, inputs included.
  init(_ model: Model, probes: [String], options: EngineOptions) throws(EngineError) {
    var probed = model
    outputCount = model.graph.outputs.count
    self.probes = probes
    for (index, name) in probes.enumerated() {
      let output = "\(name)_probe_\(index)"
      probed.graph.nodes.append(Node("Identity", inputs: [name], outputs: [output]))
      probed.graph.outputs.append(Value(name: output))
    }
    network = try Network(probed, options: options)
  }

  /// Runs the network on a batch.
  func run(_ inputs: [String: Tensor]) throws(EngineError) -> (outputs: [Tensor], probes: [String: Tensor]) {
    let results = try network.run(inputs).map(\.tensor)
    let values = zip(probes, results.dropFirst(outputCount)).map { ($0, $1) }
    return (Array(results.prefix(outputCount)), Dictionary(values) { first, _ in first })
  }
}

extension Tensor {
  /// The elements as float32 numbers, when they are floating-point numbers.
  func probedNumbers() throws(EngineError) -> [Float] {
    do throws(FormatError) {
      return try converted(to: .float32).elements()
    } catch {
      throw EngineError(.invalidInput, error.message)
    }
  }
}
