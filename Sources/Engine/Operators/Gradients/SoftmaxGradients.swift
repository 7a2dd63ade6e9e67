import Glibc
import NNFormat

/// Gradients of softmax and its logarithm along one axis.
enum SoftmaxGradients {
  static let rules: [GradientRule] = [
    GradientRule("Softmax") { (context) throws(EngineError) in try make(context, isLogarithm: false) },
    GradientRule("LogSoftmax") { (context) throws(EngineError) in try make(context, isLogarithm: true) },
  ]

  /// dx = y (dy - sum(dy y)) for softmax, dx = dy - softmax sum(dy) for its logarithm.
  private static func make(_ context: GradientContext, isLogarithm: Bool) throws(EngineError) -> GradientWork {
    let shape = try context.shape(0)
    let line = try AxisLine(context, shape)
    return GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      let (dy, y) = (memory.outputGradient(0), memory.output(0))
      line.forEach { start in
        var sum: Float = 0
        for k in 0..<line.extent {
          let place = start + k * line.step
          sum += isLogarithm ? dy[place] : dy[place] * y[place]
        }
        for k in 0..<line.extent {
          let place = start + k * line.step
          target[place] = isLogarithm ? dy[place] - expf(y[place]) * sum : y[place] * (dy[place] - sum)
        }
      }
    }
  }
}

/// The lines of a value along one axis; before operator set 13, along all axes from it on.
struct AxisLine {
  let extent: Int
  let step: Int
  private let outer: Int

  init(_ context: GradientContext, _ shape: [Int]) throws(EngineError) {
    let isJoined = context.version < 13
    let stated = context.node.int("axis", default: isJoined ? 1 : -1)
    let axis = try Extents.axis(stated, rank: max(shape.count, 1))
    self.init(shape, axis: axis, isJoined: isJoined)
  }

  init(_ shape: [Int], axis: Int, isJoined: Bool = false) {
    let rest = shape.dropFirst(axis + 1).reduce(1, *)
    outer = shape.prefix(axis).reduce(1, *)
    extent = shape.isEmpty ? 1 : isJoined ? shape[axis] * rest : shape[axis]
    step = isJoined ? 1 : rest
  }

  /// Calls `body` with the place of each line's first element.
  func forEach(_ body: (Int) -> Void) {
    for block in 0..<outer {
      for inner in 0..<step { body(block * extent * step + inner) }
    }
  }
}
