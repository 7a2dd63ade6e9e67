import NNFormat

/// What a BatchNormalization node asks for, in every version of the operator.
struct BatchNormalizationOptions: Sendable {
  let epsilon: Float
  let momentum: Float
  /// Whether the statistics are those of the batch.
  let isTraining: Bool
  /// Whether the outputs after the running statistics are the batch's own, as before version 14.
  let savesStatistics: Bool
  /// Whether there is one value of each parameter for each channel, not for each place of a row.
  let isSpatial: Bool

  /// - Throws: `EngineError` of kind `invalidGraph` for statistics as outputs at inference.
  init(_ context: NodeContext) throws(EngineError) {
    epsilon = context.float("epsilon", default: 1e-5)
    momentum = context.float("momentum", default: 0.9)
    let asksStatistics = context.node.outputs.dropFirst().contains { !$0.isEmpty }
    // Before version 14 the number of outputs tells training from inference; before 7 an attribute may forbid training.
    let isTest = context.version < 7 && context.int("is_test", default: 0) != 0
    isTraining = context.version >= 14 ? context.int("training_mode", default: 0) != 0 : asksStatistics && !isTest
    guard isTraining || !asksStatistics else {
      throw context.invalid("statistics are outputs of training only, and the node is set to inference")
    }
    savesStatistics = context.version < 14
    isSpatial = context.version >= 9 || context.int("spatial", default: 1) != 0
  }
}

/// (x - mean) / sqrt(variance + epsilon) * scale + offset with one value of each per channel, which is axis 1.
///
/// In training, mean and variance are those of the batch; outputs 1 and 2 are the running statistics
/// running * momentum + batch * (1 - momentum).
struct BatchNormalizationStep<T: RealScalar>: Step {
  let options: BatchNormalizationOptions

  var outputTypes: [ElementType] { Array(repeating: T.elementType, count: 5) }
  var kernel: String { options.isTraining ? "batchNormalization in training" : "batchNormalization" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let layout = try ChannelLayout(shape, isSpatial: options.isSpatial)
    for index in 1...4 where try inputs.view(index).count != layout.channels {
      throw EngineError(
        .shapeMismatch, "input \(index) has shape \(Shape(try inputs.shape(index))) for \(layout.channels) channels")
    }
    let (options, channels) = (options, layout.channels)
    var shapes = [shape]
    for index in [3, 4, 3, 4] { shapes.append(try inputs.shape(index)) }
    return Work(
      shapes, scratchByteCount: 3 * channels * MemoryLayout<T>.stride, inPlaceInputs: [0],
      cost: .elements(layout.count, operations: 3)
    ) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: layout.count)
      let scratch = unsafe memory.scratch.assumingMemoryBound(to: T.self)
      let means = unsafe MutableElements(base: scratch, count: channels)
      let variances = unsafe MutableElements(base: scratch + channels, count: channels)
      let factors = unsafe MutableElements(base: scratch + 2 * channels, count: channels)
      let running = (memory.input(3, T.self, count: channels), memory.input(4, T.self, count: channels))
      for channel in 0..<channels {
        (means[channel], variances[channel]) =
          options.isTraining ? layout.moments(source, channel) : (running.0[channel], running.1[channel])
      }
      if options.isTraining { write(statistics: (means, variances), running: running, memory) }
      let scale = memory.input(1, T.self, count: channels)
      for channel in 0..<channels {
        factors[channel] = scale[channel] / (variances[channel] + T(options.epsilon)).squareRoot()
      }
      unsafe layout.normalise(
        source.base, memory.output(0).assumingMemoryBound(to: T.self), means: means.base, factors: factors.base,
        offsets: memory.input(2).assumingMemoryBound(to: T.self))
    }
  }

  private func write(
    statistics: (MutableElements<T>, MutableElements<T>), running: (Elements<T>, Elements<T>), _ memory: StepMemory
  ) {
    let momentum = T(options.momentum)
    let outputs = options.savesStatistics ? 1...4 : 1...2
    for output in outputs where memory.hasOutput(output) {
      let batch = output % 2 == 1 ? statistics.0 : statistics.1
      let before = output % 2 == 1 ? running.0 : running.1
      let result = memory.output(output, T.self, count: batch.count)
      for channel in 0..<batch.count {
        let blended = before[channel] * momentum + batch[channel] * (1 - momentum)
        result[channel] = output < 3 ? blended : batch[channel]
      }
    }
  }
}

/// A value as [blocks x channels x inner].
private struct ChannelLayout {
  let count: Int
  let blocks: Int
  let channels: Int
  let inner: Int

  init(_ shape: [Int], isSpatial: Bool) throws(EngineError) {
    count = try Extents.count(shape)
    channels = isSpatial ? (shape.count < 2 ? 1 : shape[1]) : shape.dropFirst().reduce(1, *)
    inner = isSpatial ? shape.dropFirst(2).reduce(1, *) : 1
    blocks = channels * inner == 0 ? 0 : count / (channels * inner)
  }

  /// Mean and population variance of a channel, accumulated in double precision.
  func moments<T: RealScalar>(_ source: Elements<T>, _ channel: Int) -> (T, T) {
    func sum(_ term: (Double) -> Double) -> Double {
      var total = 0.0
      for block in 0..<blocks {
        let start = (block * channels + channel) * inner
        for index in start..<start + inner { total += term(Double(source[index])) }
      }
      return total / Double(blocks * inner)
    }
    let mean = sum { $0 }
    return (T(mean), T(sum { ($0 - mean) * ($0 - mean) }))
  }

  /// Writes (x - mean) * factor + offset; `source` and `target` are equal or disjoint.
  @unsafe func normalise<T: RealScalar>(
    _ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>, means: UnsafePointer<T>, factors: UnsafePointer<T>,
    offsets: UnsafePointer<T>
  ) {
    for block in 0..<blocks {
      let start = block * channels * inner
      if inner == 1 {
        for channel in 0..<channels {
          unsafe target[start + channel] =
            (source[start + channel] - means[channel]) * factors[channel] + offsets[channel]
        }
        continue
      }
      for channel in 0..<channels {
        let (mean, factor, offset) = unsafe (means[channel], factors[channel], offsets[channel])
        let first = start + channel * inner
        for index in first..<first + inner { unsafe target[index] = (source[index] - mean) * factor + offset }
      }
    }
  }
}
