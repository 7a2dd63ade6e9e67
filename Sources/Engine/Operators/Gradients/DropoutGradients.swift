import Glibc
import NNFormat

/// Dropout as training runs it: zeros at random, the rest scaled up; a mask is kept for the gradient.
enum DropoutGradients {
  static let rules: [GradientRule] = [GradientRule("Dropout", forward: forward, make: make)]

  @Sendable private static func forward(_ context: GradientContext) throws(EngineError) -> TrainingWork {
    let shape = try context.shape(0)
    let count = try context.input(0).count
    let rate = try ratio(context)
    let shared = context.behaviour.sharedAxes
    let reduced = shape.enumerated().map { shared.contains($0) ? 1 : $1 }
    let nest = LoopNest(shape, strides: [Extents.strides(shape), Extents.strides(of: reduced, in: shape)])
    let (seed, node) = (context.seed, context.nodeIndex)
    return TrainingWork([shape], savedByteCount: count * 4) { (memory) throws(EngineError) in
      let (x, y) = (memory.input(0), memory.output(0))
      let factors = unsafe Floats(memory.saved, count: count)
      let random = CounterRandom(seed: seed, step: memory.step, node: node)
      let scale = rate < 1 ? 1 / (1 - rate) : 0
      ElementwiseGradients.forEach(nest) { place, decision in
        factors[place] = random.unit(decision) >= rate ? scale : 0
        y[place] = x[place] * factors[place]
      }
    }
  }

  /// The gradient times the factors that the forward run has kept.
  @Sendable static func make(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let count = try context.input(0).count
    return GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      let dy = memory.outputGradient(0)
      let factors = unsafe Floats(memory.saved, count: count)
      for index in 0..<count { target[index] = dy[index] * factors[index] }
    }
  }

  private static func ratio(_ context: GradientContext) throws(EngineError) -> Float {
    var ratio = context.node.float("ratio", default: 0.5)
    if context.has(1) {
      let operand = try context.input(1)
      guard let contents = unsafe operand.contents, operand.elementType == .float32, operand.count == 1 else {
        throw context.unsupported("its ratio is no constant of float32")
      }
      ratio = unsafe contents.loadUnaligned(as: Float.self)
    }
    guard ratio >= 0, ratio <= 1 else { throw context.unsupported("its ratio is \(ratio), not from 0 to 1") }
    return ratio
  }
}

/// Noise in training at an identity: y = x a + b with random a and b, of which a is the gradient.
enum NoiseGradients {
  @Sendable static func forward(_ context: GradientContext) throws(EngineError) -> TrainingWork {
    let (shape, count) = (try context.shape(0), try context.input(0).count)
    let (seed, node, noise) = (context.seed, context.nodeIndex, context.behaviour.noise)
    return TrainingWork([shape], savedByteCount: noise == nil ? 0 : count * 4) { (memory) throws(EngineError) in
      let (x, y) = (memory.input(0), memory.output(0))
      guard let noise else { return y.copy(x) }
      let factors = unsafe Floats(memory.saved, count: count)
      let random = CounterRandom(seed: seed, step: memory.step, node: node)
      for index in 0..<count {
        let (factor, offset) = sample(noise, random, index)
        factors[index] = factor
        y[index] = x[index] * factor + offset
      }
    }
  }

  private static func sample(_ noise: TrainingNoise, _ random: CounterRandom, _ index: Int) -> (Float, Float) {
    switch noise {
    case .gaussian(let deviation): return (1, Float(random.normal(index)) * deviation)
    case .gaussianDropout(let rate):
      return (1 + Float(random.normal(index)) * (rate / (1 - rate)).squareRoot(), 0)
    case .alphaDropout(let rate):
      let lowest: Float = -1.673_263_2 * 1.050_701
      let a = 1 / ((1 - rate) * (1 + rate * lowest * lowest)).squareRoot()
      let b = -a * lowest * rate
      return random.unit(index) < rate ? (0, a * lowest + b) : (a, b)
    }
  }
}
