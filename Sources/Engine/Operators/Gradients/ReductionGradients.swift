import Glibc
import NNFormat

/// Gradients of reductions over axes.
enum ReductionGradients {
  static let rules: [GradientRule] = [
    rule("ReduceSum") { dy, _, _, _ in dy },
    rule("ReduceMean") { dy, _, _, count in dy / count },
    rule("ReduceSumSquare") { dy, x, _, _ in 2 * x * dy },
    rule("ReduceL2") { dy, x, y, _ in y == 0 ? 0 : dy * x / y },
    rule("ReduceL1") { dy, x, _, _ in x > 0 ? dy : x < 0 ? -dy : 0 },
    rule("ReduceLogSum") { dy, _, y, _ in dy / expf(y) },
    rule("ReduceLogSumExp") { dy, x, y, _ in dy * expf(x - y) },
    rule("ReduceProd") { dy, x, y, _ in x == 0 ? 0 : dy * y / x },
    extreme("ReduceMax"), extreme("ReduceMin"),
    pooled("GlobalAveragePool") { dy, _, _, count in dy / count },
  ]

  /// A term from the output's gradient, the input, the output and the number of elements that were reduced to one.
  typealias Term = @Sendable (_ dy: Float, _ x: Float, _ y: Float, _ count: Float) -> Float

  private static func rule(_ name: String, _ term: @escaping Term) -> GradientRule {
    GradientRule(name) { (context) throws(EngineError) in try make(context, try nest(context), term) }
  }

  private static func pooled(_ name: String, _ term: @escaping Term) -> GradientRule {
    GradientRule(name) { (context) throws(EngineError) in
      let shape = try context.shape(0)
      return try make(context, nest(shape, axes: Array(shape.indices.dropFirst(2))), term)
    }
  }

  private static func make(
    _ context: GradientContext, _ nest: LoopNest, _ term: @escaping Term
  ) throws(EngineError) -> GradientWork {
    let kept = context.outputShapes[0].reduce(1, *)
    let count = Float(try context.input(0).count) / Float(max(kept, 1))
    return GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      let (x, y, dy) = (memory.input(0), memory.output(0), memory.outputGradient(0))
      ElementwiseGradients.forEach(nest) { place, result in
        target[place] = term(dy[result], x[place], y[result], count)
      }
    }
  }

  /// Equal extremes share the gradient.
  private static func extreme(_ name: String) -> GradientRule {
    GradientRule(name) { (context) throws(EngineError) in
      let nest = try nest(context)
      let kept = context.outputShapes[0].reduce(1, *)
      return GradientWork(scratchByteCount: kept * 4) { memory throws(EngineError) in
        guard let target = memory.inputGradient(0) else { return }
        let (x, y, dy) = (memory.input(0), memory.output(0), memory.outputGradient(0))
        let shares = unsafe Floats(memory.scratch, count: kept)
        shares.fill(0)
        ElementwiseGradients.forEach(nest) { place, result in if x[place] == y[result] { shares[result] += 1 } }
        ElementwiseGradients.forEach(nest) { place, result in
          target[place] = x[place] == y[result] ? dy[result] / shares[result] : 0
        }
      }
    }
  }

  private static func nest(_ context: GradientContext) throws(EngineError) -> LoopNest {
    let shape = try context.shape(0)
    var axes = try context.axes(input: 1, rank: shape.count)
    if axes?.isEmpty ?? true {
      axes = context.node.int("noop_with_empty_axes", default: 0) != 0 ? [] : Array(shape.indices)
    }
    return nest(shape, axes: axes ?? [])
  }

  /// A walk over the input, and beside it over the output with the reduced axes kept as one.
  private static func nest(_ shape: [Int], axes: [Int]) -> LoopNest {
    let kept = shape.enumerated().map { axes.contains($0) ? 1 : $1 }
    return LoopNest(shape, strides: [Extents.strides(shape), Extents.strides(of: kept, in: shape)])
  }
}
