import NNFormat

/// Selection element by element, and by tuples of indices.
package enum ElementGatherOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("GatherElements", since: 11, sixteenBit: .native) { context throws(EngineError) in
      let type = try context.type(0)
      return try ScalarTypes.bits(
        StridedCopy.width(type, context),
        GatherElementsMaker(type: type, indexType: context.indexType(1), axis: context.int("axis", default: 0)))
    },
    OperatorImplementation("GatherND", since: 11, sixteenBit: .native) { context throws(EngineError) in
      let type = try context.type(0)
      return try GatherNDStep(
        outputTypes: [type], indexType: context.indexType(1), batchRank: context.int("batch_dims", default: 0),
        width: StridedCopy.width(type, context))
    },
  ]
}

private struct GatherElementsMaker: BitsVisitor {
  let type: ElementType
  let indexType: ElementType
  let axis: Int

  func visit<Bits: BitwiseCopyable & Sendable>(_: Bits.Type) -> any Step {
    GatherElementsStep<Bits>(outputTypes: [type], indexType: indexType, axis: axis)
  }
}

/// For each index the element of input 0 at the same place, but for one axis, where the index says the place.
struct GatherElementsStep<Bits: BitwiseCopyable & Sendable>: Step {
  let outputTypes: [ElementType]
  let indexType: ElementType
  let axis: Int

  var kernel: String { "gatherElements" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let result = try inputs.shape(1)
    let axis = try Extents.axis(axis, rank: shape.count)
    try Extents.requireCover(shape, indices: result, axis: axis)
    let (sourceCount, count) = (try Extents.count(shape), try Extents.count(result))
    var strides = Extents.strides(shape)
    let (extent, step) = (shape[axis], strides[axis])
    strides[axis] = 0
    let nest = LoopNest(result, strides: [strides, Extents.strides(result)])
    let indexType = indexType
    return Work([result]) { (memory) throws(EngineError) in
      let source = memory.input(0, Bits.self, count: sourceCount)
      let indices = memory.indices(1, indexType, count: count)
      let target = memory.output(0, Bits.self, count: count)
      for row in 0..<nest.rows {
        let (from, to) = (nest.offset(of: row, in: 0), nest.offset(of: row, in: 1))
        for column in 0..<nest.rowLength {
          let place = try indices.place(to + column, in: extent)
          target[to + column] = source[from + column * nest.rowStrides[0] + place * step]
        }
      }
    }
  }
}

/// The tuples of indices along the last axis of an operand, each of which names a block of the data.
struct IndexTuples: Sendable {
  /// Indices in a tuple, and the number of tuples.
  let depth: Int
  let count: Int
  /// Elements of the block that a tuple names.
  let blockCount: Int
  /// The extents that the indices choose from, and how far apart their places lie.
  private let extents: [Int]
  private let strides: [Int]
  private let tuplesPerBatch: Int
  private let batchStride: Int
  private let type: ElementType

  /// - Throws: `EngineError` of kind `shapeMismatch` when tuples name more axes than there are after `batchRank` ones, or
  ///   those differ.
  init(_ shape: [Int], indices: [Int], batchRank: Int = 0, type: ElementType) throws(EngineError) {
    guard let depth = indices.last, batchRank >= 0, batchRank < min(shape.count, indices.count), depth >= 1,
      depth <= shape.count - batchRank, shape.prefix(batchRank) == indices.prefix(batchRank)
    else {
      throw EngineError(
        .shapeMismatch, "indices of shape \(Shape(indices)) do not fit \(Shape(shape)) after \(batchRank) axes")
    }
    let axes = batchRank..<batchRank + depth
    self.depth = depth
    self.type = type
    count = try Extents.count(Array(indices.dropLast()))
    blockCount = Extents.product(shape[axes.upperBound...])
    extents = Array(shape[axes])
    strides = Array(Extents.strides(shape)[axes])
    tuplesPerBatch = max(Extents.product(indices[batchRank..<indices.count - 1]), 1)
    batchStride = Extents.product(shape[batchRank...])
  }

  /// The elements of the index input.
  func elements(_ input: Int, in memory: StepMemory) -> IndexElements {
    memory.indices(input, type, count: count * depth)
  }

  /// Where the block of a tuple starts in the data.
  @inline(__always) func start(of tuple: Int, _ indices: IndexElements) throws(EngineError) -> Int {
    var offset = tuple / tuplesPerBatch * batchStride
    for position in 0..<depth {
      offset += try indices.place(tuple * depth + position, in: extents[position]) * strides[position]
    }
    return offset
  }
}

/// Blocks of input 0, each named by a tuple of indices along the last axis of input 1.
struct GatherNDStep: Step {
  let outputTypes: [ElementType]
  let indexType: ElementType
  let batchRank: Int
  let width: Int

  var kernel: String { "gatherND" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let indexShape = try inputs.shape(1)
    let tuples = try IndexTuples(shape, indices: indexShape, batchRank: batchRank, type: indexType)
    let result = Array(indexShape.dropLast()) + Array(shape.dropFirst(batchRank + tuples.depth))
    let count = try Extents.count(result)
    let width = width
    return Work([result]) { (memory) throws(EngineError) in
      let indices = tuples.elements(1, in: memory)
      let bytes = tuples.blockCount &* width
      for tuple in 0..<tuples.count {
        let start = try tuples.start(of: tuple, indices)
        guard count > 0 else { continue }
        unsafe (memory.output(0) + tuple * bytes).copyMemory(from: memory.input(0) + start * width, byteCount: bytes)
      }
    }
  }
}
