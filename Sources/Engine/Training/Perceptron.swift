import NNFormat

/// A single neuron with a step: 1 where the weighted sum of the inputs and the bias is 0 or more, else 0 (Rosenblatt, 1958).
public struct Perceptron: Sendable, Hashable {
  /// One weight for each input.
  public private(set) var weights: [Double]
  /// What is added to the weighted sum; minus the threshold.
  public private(set) var bias: Double

  /// How learning ended.
  public enum Outcome: Sendable, Hashable {
    /// Every row is on its side since this epoch, counted from 1.
    case converged(epoch: Int)
    /// After all epochs rows are on the wrong side: the classes are not linearly separable, or more epochs are needed.
    case notSeparated(errors: Int)
  }

  /// A neuron of zeros.
  public init(inputCount: Int) {
    weights = Array(repeating: 0, count: inputCount)
    bias = 0
  }

  /// The weighted sum and the bias.
  public func net(_ row: some Sequence<Double>) -> Double {
    zip(weights, row).reduce(bias) { $0 + $1.0 * $1.1 }
  }

  /// 0 or 1.
  public func callAsFunction(_ row: some Sequence<Double>) -> Int { net(row) >= 0 ? 1 : 0 }

  /// Learns by the perceptron rule: for a row on the wrong side, weights += rate (label - answer) row.
  ///
  /// For linearly separable rows it ends after finitely many mistakes (Novikoff, 1962).
  /// - Parameter labels: 0 or 1 for each row.
  /// - Throws: `EngineError` of kind `invalidInput` that names the row which does not fit.
  public mutating func fit(
    _ rows: [[Double]], labels: [Int], rate: Double = 1, epochs: Int = 100
  ) throws(EngineError) -> Outcome {
    guard rows.count == labels.count else {
      throw EngineError(.invalidInput, "there are \(labels.count) labels for \(rows.count) rows")
    }
    for (index, row) in rows.enumerated() {
      guard row.count == weights.count else {
        throw EngineError(.invalidInput, "row \(index + 1) has \(row.count) values, the neuron takes \(weights.count)")
      }
      guard labels[index] == 0 || labels[index] == 1 else {
        throw EngineError(.invalidInput, "row \(index + 1) has the label \(labels[index]), not 0 or 1")
      }
    }
    for epoch in 1...max(epochs, 1) {
      var errors = 0
      for (row, label) in zip(rows, labels) {
        let change = label - self(row)
        guard change != 0 else { continue }
        errors += 1
        for index in weights.indices { weights[index] += rate * Double(change) * row[index] }
        bias += rate * Double(change)
      }
      if errors == 0 { return .converged(epoch: epoch) }
    }
    let errors = zip(rows, labels).count { self($0) != $1 }
    return errors == 0 ? .converged(epoch: max(epochs, 1)) : .notSeparated(errors: errors)
  }

  /// Slope and intercept of the line between the classes, for two inputs; `nil` for another number or a vertical line.
  public var boundary: (slope: Double, intercept: Double)? {
    guard weights.count == 2, weights[1] != 0 else { return nil }
    return (-weights[0] / weights[1], -bias / weights[1])
  }

  /// The neuron as a graph: a product, a comparison with 0, and numbers of it.
  public var model: Model {
    var graph = Graph(name: "perceptron")
    graph.inputs = [
      Value(name: "x", elementType: .float32, shape: [.symbolic("batch"), .known(weights.count)])
    ]
    graph.initializers = [
      Initializer(name: "weights", tensor: Tensor(weights.map { Float($0) }, shape: [weights.count, 1])),
      Initializer(name: "bias", tensor: Tensor([Float(bias)])),
      Initializer(name: "zero", tensor: Tensor([Float(0)], shape: [])),
    ]
    graph.nodes = [
      Node(name: "net", "Gemm", inputs: ["x", "weights", "bias"], outputs: ["net"]),
      Node(name: "step", "GreaterOrEqual", inputs: ["net", "zero"], outputs: ["step"]),
      Node(
        name: "y", "Cast", inputs: ["step"], outputs: ["y"],
        attributes: [Attribute("to", .int(Int64(ElementType.float32.rawValue)))]),
    ]
    graph.outputs = [Value(name: "y", elementType: .float32, shape: [.symbolic("batch"), .known(1)])]
    return Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10)
  }
}
