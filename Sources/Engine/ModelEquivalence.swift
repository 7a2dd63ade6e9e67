import NNFormat

/// How far two networks are from each other on the same random inputs.
public struct ModelEquivalence: Sendable {
  /// One output of the first network, and the largest difference of the second's relative to its scale.
  public struct Output: Sendable {
    /// The output's name in the first network.
    public let name: String
    /// The largest difference, relative to the largest expected value.
    public let relativeDifference: Double
  }

  /// One entry for each output, in order.
  public let outputs: [Output]

  /// The largest difference of all outputs.
  public var relativeDifference: Double { outputs.map(\.relativeDifference).max() ?? 0 }

  /// Runs both networks on numbers drawn from a seed. Inputs and outputs correspond by position.
  ///
  /// - Parameters:
  ///   - rows: the extent of every symbolic axis that is the first of its input; all others become 3.
  ///   - omitted: outputs of the first network that the second does not have.
  /// - Throws: `FormatError` of kind `mismatch` when they take or give different things, `unsupported` when one cannot run.
  public init(
    _ expected: Model, _ actual: Model, rows: Int = 4, seed: UInt64 = 1, omitting omitted: Set<String> = []
  ) throws(FormatError) {
    let (left, right) = (try Self.network(expected), try Self.network(actual))
    let kept = left.outputs.count { !omitted.contains($0.name) }
    guard left.inputs.count == right.inputs.count, kept == right.outputs.count else {
      throw FormatError(
        .mismatch,
        "\(left.inputs.count) inputs and \(kept) outputs have become \(right.inputs.count) and \(right.outputs.count)")
    }
    var numbers = RandomTensors(seed: seed)
    var inputs: [(Tensor, Tensor)] = []
    for (first, second) in zip(left.inputs, right.inputs) {
      let shape = Self.extents(first.shape, second.shape, rows: rows)
      let tensor = try numbers.numbers(for: first, shape: shape)
      inputs.append(
        (
          try tensor.converted(to: first.elementType ?? .float32),
          try tensor.converted(to: second.elementType ?? .float32)
        ))
    }
    let (leftOutputs, rightOutputs) = (try Self.run(left, inputs.map(\.0)), try Self.run(right, inputs.map(\.1)))
    var outputs: [Output] = []
    for (first, second) in zip(leftOutputs.filter { !omitted.contains($0.name) }, rightOutputs) {
      let comparison = try TensorComparison(second.tensor, expected: first.tensor)
      outputs.append(Output(name: first.name, relativeDifference: comparison.relativeDifference))
    }
    self.outputs = outputs
  }

  private static func network(_ model: Model) throws(FormatError) -> Network {
    do throws(EngineError) { return try Network(model) } catch { throw FormatError(.unsupported, "\(error)") }
  }

  private static func run(
    _ network: Network, _ inputs: [Tensor]
  ) throws(FormatError) -> [(name: String, tensor: Tensor)] {
    let named = Dictionary(zip(network.inputs.map(\.name), inputs), uniquingKeysWith: { first, _ in first })
    do throws(EngineError) { return try network.run(named) } catch { throw FormatError(.unsupported, "\(error)") }
  }

  /// An extent that either network fixes holds for both.
  private static func extents(_ first: Shape?, _ second: Shape?, rows: Int) -> [Int] {
    (first?.dimensions ?? []).indices.map { axis in
      let other = second.flatMap { $0.rank > axis ? $0[axis].value : nil }
      return first?[axis].value ?? other ?? (axis == 0 ? rows : 3)
    }
  }
}
