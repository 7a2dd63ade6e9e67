import NNFormat

/// One network with random inputs of one batch size, ready to be run and timed.
package final class NetworkBenchmark {
  package let network: Network
  /// Rows of the batch: the first extent of the first input.
  package let batch: Int
  /// The inputs with their shapes, in the network's order.
  package let inputs: [(value: Value, tensor: Tensor)]
  private let context: ExecutionContext
  private let body: Body

  private enum Body {
    /// One float32 input and one float32 output through `ExecutionContext.predict(_:shape:into:)`.
    case prediction([Float], [Int], outputCount: Int)
    /// Anything else through `ExecutionContext.run(_:)`, which makes the tensors it returns.
    case tensors([Tensor])
  }

  /// Draws the inputs. Nothing is run.
  ///
  /// - Parameters:
  ///   - batch: the rows; `nil` for what the network fixes, or 1.
  ///   - sizes: extents of symbolic axes by name.
  ///   - seed: what the inputs are drawn from.
  /// - Throws: `EngineError` of kind `invalidInput` when the network has another fixed batch, or inputs that cannot be drawn.
  package init(_ network: Network, batch: Int?, sizes: [String: Int] = [:], seed: UInt64) throws(EngineError) {
    self.network = network
    context = network.makeContext()
    let extents = try InputExtents(network.plan, batch: batch, sizes: sizes)
    var random = RandomTensors(seed: seed)
    var inputs: [(value: Value, tensor: Tensor)] = []
    for (value, shape) in zip(network.inputs, extents.shapes) {
      guard let type = value.elementType, type != .string else {
        throw EngineError(
          .unsupported, "the input \"\(value.name)\" holds strings, for which there are no random values")
      }
      do throws(FormatError) {
        inputs.append((value, try random.numbers(for: value, shape: shape).converted(to: type)))
      } catch {
        throw EngineError(.invalidInput, error.message)
      }
    }
    if let other = network.plan.otherInputs.first {
      throw EngineError(.unsupported, "the input \"\(other.name)\" is no tensor, for which there are no random values")
    }
    self.inputs = inputs
    self.batch = extents.batch
    body = try Self.body(network, context, inputs.map(\.tensor))
  }

  private static func body(
    _ network: Network, _ context: ExecutionContext, _ tensors: [Tensor]
  ) throws(EngineError) -> Body {
    guard tensors.count == 1, network.outputs.count == 1, tensors[0].elementType == .float32,
      network.plan.outputType(0) == .float32
    else { return .tensors(tensors) }
    let resolution = try context.resolution(for: tensors.map(\.shape))
    guard resolution.isStatic else { return .tensors(tensors) }
    do throws(FormatError) {
      return .prediction(
        try tensors[0].elements(), tensors[0].shape, outputCount: resolution.outputByteCounts[0] / 4)
    } catch {
      throw EngineError(.invalidInput, error.message)
    }
  }

  /// Times single predictions through the engine's interface.
  package func measure(
    _ stopwatch: Stopwatch, progress: (Double) -> Void = { _ in }
  ) throws(EngineError) -> TimingStatistics {
    switch body {
    case .tensors(let tensors):
      return try stopwatch.measure(progress: progress) { () throws(EngineError) in _ = try context.run(tensors) }
    case .prediction(let values, let shape, let count):
      var output = [Float](repeating: 0, count: count)
      var span = output.mutableSpan
      return try stopwatch.measure(progress: progress) { () throws(EngineError) in
        try context.predict(values.span, shape: shape, into: &span)
      }
    }
  }

  /// Milliseconds of the first run of a new context: preparation and memory included.
  package func firstRun() throws(EngineError) -> Double {
    let context = network.makeContext()
    return try MonotonicClock.milliseconds { () throws(EngineError) in try context.run(inputs.map(\.tensor)) }.1
  }

  /// What one run costs, as far as its steps are known before it: operations, and bytes read and written.
  package func cost() throws(EngineError) -> (operations: Double, byteCount: Int) {
    try resolution().steps.reduce((0, 0)) { ($0.0 + $1.cost.operations, $0.1 + $1.byteCount) }
  }

  /// The plan bound to the inputs' shapes.
  func resolution() throws(EngineError) -> Resolution { try context.resolution(for: inputs.map(\.tensor.shape)) }
}
