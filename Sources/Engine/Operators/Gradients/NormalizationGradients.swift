import NNFormat

/// Gradients of normalisations, and batch normalisation as training runs it.
enum NormalizationGradients {
  static let rules: [GradientRule] = [
    GradientRule("BatchNormalization", forward: batchForward, make: batch),
    GradientRule("LayerNormalization") { (context) throws(EngineError) in try layer(context, isCentred: true) },
    GradientRule("RMSNormalization") { (context) throws(EngineError) in try layer(context, isCentred: false) },
  ]

  /// Normalises with the statistics of the batch, and moves the running ones towards them.
  ///
  /// Keeps the mean and 1 / sqrt(variance + epsilon) of each channel.
  @Sendable private static func batchForward(_ context: GradientContext) throws(EngineError) -> TrainingWork {
    let layout = try BatchLayout(context)
    let epsilon = context.node.float("epsilon", default: 1e-5)
    let momentum = context.behaviour.statisticsMomentum
    return TrainingWork([try context.shape(0)], savedByteCount: 2 * layout.channels * 4) {
      (memory) throws(EngineError) in
      let (x, y, scale, offset) = (memory.input(0), memory.output(0), memory.input(1), memory.input(2))
      let (runningMean, runningVariance) = (memory.input(3), memory.input(4))
      let means = unsafe Floats(memory.saved, count: layout.channels)
      let inverses = unsafe Floats(memory.saved + layout.channels * 4, count: layout.channels)
      for channel in 0..<layout.channels {
        var (mean, variance) = (runningMean[channel], runningVariance[channel])
        if let momentum {
          (mean, variance) = layout.moments(x, channel)
          runningMean[channel] = runningMean[channel] * momentum + mean * (1 - momentum)
          runningVariance[channel] = runningVariance[channel] * momentum + variance * (1 - momentum)
        }
        means[channel] = mean
        inverses[channel] = 1 / (variance + epsilon).squareRoot()
        let (factor, shift) = (inverses[channel] * scale[channel], offset[channel])
        layout.forEach(channel) { place in y[place] = (x[place] - mean) * factor + shift }
      }
    }
  }

  @Sendable private static func batch(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let layout = try BatchLayout(context)
    let usesBatch = context.behaviour.statisticsMomentum != nil
    return GradientWork { memory throws(EngineError) in
      let (x, dy, scale) = (memory.input(0), memory.outputGradient(0), memory.input(1))
      let means = unsafe Floats(memory.saved, count: layout.channels)
      let inverses = unsafe Floats(memory.saved + layout.channels * 4, count: layout.channels)
      let count = Float(layout.count(ofChannel: ()))
      for channel in 0..<layout.channels {
        let (mean, inverse) = (means[channel], inverses[channel])
        var sums: (gradient: Double, product: Double) = (0, 0)
        layout.forEach(channel) { place in
          sums.gradient += Double(dy[place])
          sums.product += Double(dy[place]) * Double((x[place] - mean) * inverse)
        }
        memory.inputGradient(1)?[channel] = Float(sums.product)
        memory.inputGradient(2)?[channel] = Float(sums.gradient)
        guard let target = memory.inputGradient(0) else { continue }
        let factor = scale[channel] * inverse
        let (a, b) = usesBatch ? (Float(sums.gradient) / count, Float(sums.product) / count) : (0, 0)
        layout.forEach(channel) { place in
          target[place] = factor * (dy[place] - a - (x[place] - mean) * inverse * b)
        }
      }
      for index in 3..<max(memory.inputCount, 3) { memory.inputGradient(index)?.fill(0) }
    }
  }

  /// Normalisation of the axes from one on, for each row of the others.
  private static func layer(_ context: GradientContext, isCentred: Bool) throws(EngineError) -> GradientWork {
    let shape = try context.shape(0)
    let axis = try Extents.axis(context.node.int("axis", default: -1), rank: shape.count)
    let (rows, columns) = (shape.prefix(axis).reduce(1, *), shape.dropFirst(axis).reduce(1, *))
    let epsilon = Double(context.node.float("epsilon", default: 1e-5))
    // Scale and offset may have fewer axes than are normalised.
    let scaleCount = try context.input(1).count
    guard scaleCount > 0, columns % scaleCount == 0 else { throw context.unsupported("its scale does not fit") }
    let offsetCount = context.has(2) ? try context.input(2).count : 1
    return GradientWork { memory throws(EngineError) in
      let (x, dy, scale) = (memory.input(0), memory.outputGradient(0), memory.input(1))
      memory.inputGradient(1)?.fill(0)
      if memory.inputCount > 2 { memory.inputGradient(2)?.fill(0) }
      for row in 0..<rows {
        let start = row * columns
        var (total, squares) = (0.0, 0.0)
        if isCentred { for k in 0..<columns { total += Double(x[start + k]) } }
        let mean = total / Double(columns)
        for k in 0..<columns { squares += (Double(x[start + k]) - mean) * (Double(x[start + k]) - mean) }
        let inverse = 1 / (squares / Double(columns) + epsilon).squareRoot()
        var (gradients, products) = (0.0, 0.0)
        for k in 0..<columns {
          let scaled = Double(dy[start + k]) * Double(scale[k % scaleCount])
          let normal = (Double(x[start + k]) - mean) * inverse
          gradients += scaled
          products += scaled * normal
          if let target = memory.inputGradient(1) { target[k % scaleCount] += dy[start + k] * Float(normal) }
          if memory.inputCount > 2, let target = memory.inputGradient(2) { target[k % offsetCount] += dy[start + k] }
        }
        guard let target = memory.inputGradient(0) else { continue }
        let (a, b) = (isCentred ? gradients / Double(columns) : 0, products / Double(columns))
        for k in 0..<columns {
          let scaled = Double(dy[start + k]) * Double(scale[k % scaleCount])
          target[start + k] = Float(inverse * (scaled - a - (Double(x[start + k]) - mean) * inverse * b))
        }
      }
    }
  }
}

/// A value as [blocks x channels x inner].
private struct BatchLayout {
  let blocks: Int
  let channels: Int
  let inner: Int

  init(_ context: GradientContext) throws(EngineError) {
    let shape = try context.shape(0)
    guard context.version >= 9 else { throw context.unsupported("it has no gradient before operator set 9") }
    channels = shape.count < 2 ? 1 : shape[1]
    inner = shape.dropFirst(2).reduce(1, *)
    blocks = shape.first ?? 1
    for index in 1...4 where try context.input(index).count != channels {
      throw EngineError(
        .shapeMismatch, "input \(index) does not have \(channels) elements", node: context.node.label)
    }
  }

  func count(ofChannel _: Void) -> Int { blocks * inner }

  @inline(__always) func forEach(_ channel: Int, _ body: (Int) -> Void) {
    for block in 0..<blocks {
      let start = (block * channels + channel) * inner
      for index in start..<start + inner { body(index) }
    }
  }

  /// Mean and population variance.
  func moments(_ x: Floats, _ channel: Int) -> (Float, Float) {
    var total = 0.0
    forEach(channel) { total += Double(x[$0]) }
    let mean = total / Double(max(blocks * inner, 1))
    var squares = 0.0
    forEach(channel) { squares += (Double(x[$0]) - mean) * (Double(x[$0]) - mean) }
    return (Float(mean), Float(squares / Double(max(blocks * inner, 1))))
  }
}
