import NNFormat

/// Gradients of operators that join values or take them apart.
enum JoinGradients {
  static let rules: [GradientRule] = [
    GradientRule("Concat", make: concat), GradientRule("Split", make: split),
  ]

  /// Where each of several parts along an axis lies in the whole.
  private struct Parts {
    let blocks: Int
    let lengths: [Int]
    var row: Int { lengths.reduce(0, +) }

    init(_ shapes: [[Int]], axis: Int) {
      blocks = shapes.first?.prefix(axis).reduce(1, *) ?? 0
      lengths = shapes.map { $0.dropFirst(axis).reduce(1, *) }
    }

    func start(_ part: Int, _ block: Int) -> Int { block * row + lengths.prefix(part).reduce(0, +) }
  }

  @Sendable private static func concat(_ context: GradientContext) throws(EngineError) -> GradientWork {
    var shapes: [[Int]] = []
    for index in context.inputs.indices { shapes.append(try context.shape(index)) }
    let axis = try Extents.axis(context.node.int("axis", default: 1), rank: context.outputShapes[0].count)
    let parts = Parts(shapes, axis: axis)
    return GradientWork { memory throws(EngineError) in
      let dy = memory.outputGradient(0)
      for index in 0..<memory.inputCount {
        guard let target = memory.inputGradient(index) else { continue }
        let length = parts.lengths[index]
        for block in 0..<parts.blocks {
          let start = parts.start(index, block)
          target.part(block * length..<(block + 1) * length).copy(dy.part(start..<start + length))
        }
      }
    }
  }

  @Sendable private static func split(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let axis = try Extents.axis(context.node.int("axis", default: 0), rank: try context.shape(0).count)
    let parts = Parts(context.outputShapes, axis: axis)
    return GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      target.fill(0)
      for index in parts.lengths.indices {
        guard let dy = memory.optionalOutputGradient(index) else { continue }
        let length = parts.lengths[index]
        for block in 0..<parts.blocks {
          let start = parts.start(index, block)
          target.part(start..<start + length).copy(dy.part(block * length..<(block + 1) * length))
        }
      }
    }
  }
}
