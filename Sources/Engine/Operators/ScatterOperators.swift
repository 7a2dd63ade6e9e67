import NNFormat

/// Updates of chosen elements.
package enum ScatterOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Scatter", since: 9, sixteenBit: .native, make: elements),
    OperatorImplementation("ScatterElements", since: 11, sixteenBit: .native, make: elements),
    OperatorImplementation("ScatterND", since: 11, sixteenBit: .native) { context throws(EngineError) in
      let indexType = try context.indexType(1)
      return try ScatterReduction.step(context) { ScatterNDMaker(type: $0, indexType: indexType) }
    },
  ]

  @Sendable private static func elements(_ context: NodeContext) throws(EngineError) -> any Step {
    let (indexType, axis) = (try context.indexType(1), context.int("axis", default: 0))
    return try ScatterReduction.step(context) { ScatterElementsMaker(type: $0, indexType: indexType, axis: axis) }
  }
}

private struct ScatterElementsMaker: ScatterReduction.StepMaker {
  let type: ElementType
  let indexType: ElementType
  let axis: Int

  func make<Bits: BitwiseCopyable & Sendable>(_ combine: @escaping ScatterReduction.Combine<Bits>) -> any Step {
    ScatterElementsStep(outputTypes: [type], indexType: indexType, axis: axis, combine: combine)
  }
}

/// Input 0 with each update at its own place, but for one axis, where its index says the place.
struct ScatterElementsStep<Bits: BitwiseCopyable & Sendable>: Step {
  let outputTypes: [ElementType]
  let indexType: ElementType
  let axis: Int
  /// The new element from the old one and the update; updates of one place follow each other in order.
  let combine: ScatterReduction.Combine<Bits>

  var kernel: String { "scatterElements" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let updates = try inputs.shape(2)
    let axis = try Extents.axis(axis, rank: shape.count)
    guard try inputs.shape(1) == updates else {
      throw EngineError(
        .shapeMismatch, "indices of shape \(Shape(try inputs.shape(1))) for updates of shape \(Shape(updates))")
    }
    try Extents.requireCover(shape, indices: updates, axis: axis)
    let (total, count) = (try Extents.count(shape), try Extents.count(updates))
    var strides = Extents.strides(shape)
    let (extent, step) = (shape[axis], strides[axis])
    strides[axis] = 0
    let nest = LoopNest(updates, strides: [strides, Extents.strides(updates)])
    let (indexType, combine) = (indexType, combine)
    return Work([shape]) { (memory) throws(EngineError) in
      let target = ScatterReduction.copied(memory, Bits.self, count: total)
      let indices = memory.indices(1, indexType, count: count)
      let values = memory.input(2, Bits.self, count: count)
      for row in 0..<nest.rows {
        let (to, from) = (nest.offset(of: row, in: 0), nest.offset(of: row, in: 1))
        for column in 0..<nest.rowLength {
          let place = to + column * nest.rowStrides[0] + (try indices.place(from + column, in: extent)) * step
          target[place] = combine(target[place], values[from + column])
        }
      }
    }
  }
}

private struct ScatterNDMaker: ScatterReduction.StepMaker {
  let type: ElementType
  let indexType: ElementType

  func make<Bits: BitwiseCopyable & Sendable>(_ combine: @escaping ScatterReduction.Combine<Bits>) -> any Step {
    ScatterNDStep(outputTypes: [type], indexType: indexType, combine: combine)
  }
}

/// Input 0 with blocks of updates, each where a tuple of indices along the last axis of input 1 says.
struct ScatterNDStep<Bits: BitwiseCopyable & Sendable>: Step {
  let outputTypes: [ElementType]
  let indexType: ElementType
  let combine: ScatterReduction.Combine<Bits>

  var kernel: String { "scatterND" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let indexShape = try inputs.shape(1)
    let tuples = try IndexTuples(shape, indices: indexShape, type: indexType)
    let expected = Array(indexShape.dropLast()) + Array(shape.dropFirst(tuples.depth))
    guard try inputs.shape(2) == expected else {
      throw EngineError(
        .shapeMismatch, "updates have shape \(Shape(try inputs.shape(2))), \(Shape(expected)) is needed")
    }
    let (total, count) = (try Extents.count(shape), try Extents.count(expected))
    let combine = combine
    return Work([shape]) { (memory) throws(EngineError) in
      let target = ScatterReduction.copied(memory, Bits.self, count: total)
      let indices = tuples.elements(1, in: memory)
      let values = memory.input(2, Bits.self, count: count)
      for tuple in 0..<tuples.count {
        let start = try tuples.start(of: tuple, indices)
        guard count > 0 else { continue }
        for index in 0..<tuples.blockCount {
          target[start + index] = combine(target[start + index], values[tuple * tuples.blockCount + index])
        }
      }
    }
  }
}
