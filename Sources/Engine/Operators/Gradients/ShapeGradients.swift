import NNFormat

/// Gradients of operators that only rearrange elements.
enum ShapeGradients {
  static let rules: [GradientRule] =
    ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"].map { name in
      GradientRule(name, forward: name == "Identity" ? NoiseGradients.forward : nil) { (context) throws(EngineError) in
        if name == "Identity", context.behaviour.noise != nil { return try DropoutGradients.make(context) }
        return copy
      }
    } + [
      GradientRule("Cast") { (context) throws(EngineError) in
        guard try context.input(0).elementType == .float32,
          context.node.int("to", default: 1) == Int(ElementType.float32.rawValue)
        else { return .zero }
        return copy
      },
      GradientRule("Transpose", make: transpose),
      GradientRule("Expand") { (context) throws(EngineError) in
        let sum = BroadcastSum(from: context.outputShapes[0], to: try context.shape(0))
        return GradientWork { memory throws(EngineError) in
          if let target = memory.inputGradient(0) { sum.run(memory.outputGradient(0), into: target, memory.pool) }
        }
      },
      GradientRule("Tile", make: tile),
      GradientRule("Pad", make: pad),
      GradientRule("Slice", make: slice),
    ]

  private static var copy: GradientWork {
    GradientWork { memory throws(EngineError) in memory.inputGradient(0)?.copy(memory.outputGradient(0)) }
  }

  @Sendable private static func transpose(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let shape = try context.shape(0)
    let order = context.node.ints("perm") ?? Array(shape.indices.reversed())
    let output = context.outputShapes[0]
    guard order.count == shape.count, Set(order) == Set(shape.indices) else {
      throw context.unsupported("its permutation does not fit")
    }
    let strides = Extents.strides(shape)
    return scatter(LoopNest(output, strides: [Extents.strides(output), order.map { strides[$0] }]))
  }

  /// Each element of the output came from one element of the input.
  private static func scatter(_ nest: LoopNest, start: Int = 0) -> GradientWork {
    GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      let dy = memory.outputGradient(0)
      target.fill(0)
      ElementwiseGradients.forEach(nest) { place, source in target[start + source] += dy[place] }
    }
  }

  @Sendable private static func tile(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let shape = try context.shape(0)
    let repeats = try context.ints(1)
    guard repeats.count == shape.count else { throw context.unsupported("its repeats do not fit") }
    // An axis that is repeated is two axes, of which the outer one does not move.
    var (extents, strides): ([Int], [Int]) = ([], [])
    for (axis, stride) in Extents.strides(shape).enumerated() {
      extents += [repeats[axis], shape[axis]]
      strides += [0, stride]
    }
    return scatter(LoopNest(extents, strides: [Extents.strides(extents), strides]))
  }

  @Sendable private static func pad(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let shape = try context.shape(0)
    guard context.node.text("mode", default: "constant") == "constant" else {
      throw context.unsupported("only padding with a constant has a gradient")
    }
    let amounts = try ints("pads", 1, context)
    let axes = context.has(3) ? try Extents.axes(try context.ints(3), rank: shape.count) : Array(shape.indices)
    guard amounts.count == 2 * axes.count else { throw context.unsupported("its amounts do not fit") }
    var before = [Int](repeating: 0, count: shape.count)
    for (position, axis) in axes.enumerated() { before[axis] = amounts[position] }
    guard amounts.allSatisfy({ $0 >= 0 }) else { throw context.unsupported("negative padding has no gradient") }
    let strides = Extents.strides(context.outputShapes[0])
    let start = zip(before, strides).reduce(0) { $0 + $1.0 * $1.1 }
    let nest = LoopNest(shape, strides: [Extents.strides(shape), strides])
    return GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      let dy = memory.outputGradient(0)
      ElementwiseGradients.forEach(nest) { place, source in target[place] = dy[start + source] }
    }
  }

  /// Integers that older operator sets state as an attribute and newer ones as an input.
  private static func ints(_ name: String, _ input: Int, _ context: GradientContext) throws(EngineError) -> [Int] {
    if let values = context.node.ints(name) { return values }
    return try context.ints(input)
  }

  @Sendable private static func slice(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let shape = try context.shape(0)
    let starts = try ints("starts", 1, context)
    let axes =
      context.has(3) || context.node.ints("axes") != nil ? try ints("axes", 3, context) : Array(starts.indices)
    let steps = context.has(4) ? try context.ints(4) : Array(repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count else {
      throw context.unsupported("its limits do not fit")
    }
    let strides = Extents.strides(shape)
    var moves = strides
    var first = 0
    for (position, axis) in try Extents.axes(axes, rank: shape.count).enumerated() {
      let (extent, step) = (shape[axis], steps[position])
      let from = starts[position] < 0 ? starts[position] &+ extent : starts[position]
      first += min(max(from, 0), step > 0 ? extent : extent - 1) * strides[axis]
      moves[axis] = strides[axis] &* step
    }
    let output = context.outputShapes[0]
    return scatter(LoopNest(output, strides: [Extents.strides(output), moves]), start: first)
  }
}
