import NNFormat

/// Operators that move elements: transposition, repetition, joining and splitting.
package enum LayoutOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Transpose", sixteenBit: .native, make: transpose),
    OperatorImplementation("Expand", sixteenBit: .native, make: expand),
    OperatorImplementation("Tile", since: 6, sixteenBit: .native, make: tile),
    OperatorImplementation("Concat", sixteenBit: .native) { context throws(EngineError) in
      let type = try context.commonType()
      return ConcatStep(
        type, axis: context.int("axis", default: 1), width: try StridedCopy.width(type, context))
    },
    OperatorImplementation("Split", sixteenBit: .native, make: split),
  ]

  @Sendable private static func transpose(_ context: NodeContext) throws(EngineError) -> any Step {
    let permutation = context.node.ints("perm")
    return try LayoutStep("transpose", context) { inputs throws(EngineError) in
      let shape = try inputs.shape(0)
      let order = permutation ?? Array(shape.indices.reversed())
      guard order.sorted() == Array(shape.indices) else {
        throw EngineError(.shapeMismatch, "perm \(order) is no permutation of the axes of \(Shape(shape))")
      }
      let strides = Extents.strides(shape)
      return LayoutStep.Walk(shape: order.map { shape[$0] }, strides: order.map { strides[$0] })
    }
  }

  @Sendable private static func expand(_ context: NodeContext) throws(EngineError) -> any Step {
    try LayoutStep("expand", context, contentInputs: [1]) { inputs throws(EngineError) in
      let shape = try inputs.shape(0)
      let wanted = try inputs.ints(1)
      guard wanted.allSatisfy({ $0 >= 0 }) else {
        throw EngineError(.shapeMismatch, "\(wanted) is no shape")
      }
      let target = try Extents.broadcast([shape, wanted])
      return LayoutStep.Walk(shape: target, strides: Extents.strides(of: shape, in: target))
    }
  }

  @Sendable private static func tile(_ context: NodeContext) throws(EngineError) -> any Step {
    TileStep(try context.type(0), width: try StridedCopy.width(context.type(0), context))
  }

  @Sendable private static func split(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    let count = context.node.outputs.count
    return SplitStep(
      outputTypes: Array(repeating: type, count: count), axis: context.int("axis", default: 0),
      lengths: context.version < 13 ? context.node.ints("split") : nil,
      width: try StridedCopy.width(type, context), usesInput: context.version >= 13 && context.has(1))
  }
}

/// Repeats a value along each axis.
struct TileStep: Step {
  let outputTypes: [ElementType]
  let contentInputs = [1]
  let kernel = "tile"
  private let width: Int

  init(_ type: ElementType, width: Int) {
    outputTypes = [type]
    self.width = width
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let repeats = try inputs.ints(1)
    guard repeats.count == shape.count, repeats.allSatisfy({ $0 >= 0 }) else {
      throw EngineError(.shapeMismatch, "repeats \(repeats) do not fit \(Shape(shape))")
    }
    // Each axis is walked as two: the repetition, which does not move in the source, and the axis itself.
    let strides = Extents.strides(shape)
    let pairs = zip(repeats, shape).flatMap { [$0, $1] }
    _ = try Extents.count(pairs)
    let copy = StridedCopy(shape: pairs, strides: strides.flatMap { [0, $0] }, width: width)
    return Work([zip(repeats, shape).map { $0 * $1 }]) { (memory) throws(EngineError) in
      unsafe copy.run(from: memory.input(0), to: memory.output(0))
    }
  }
}

/// Joins values along one axis.
struct ConcatStep: Step {
  let outputTypes: [ElementType]
  let kernel = "concat"
  private let axis: Int
  private let width: Int

  init(_ type: ElementType, axis: Int, width: Int) {
    outputTypes = [type]
    self.axis = axis
    self.width = width
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var shape = try inputs.shape(0)
    let axis = try Extents.axis(axis, rank: shape.count)
    let inner = Extents.product(shape.dropFirst(axis + 1), times: width)
    let outer = Extents.product(shape.prefix(axis))
    var blocks: [Int] = []
    var total = 0
    for index in 0..<inputs.count {
      let other = try inputs.shape(index)
      guard other.count == shape.count, shape.indices.allSatisfy({ $0 == axis || other[$0] == shape[$0] }) else {
        throw EngineError(.shapeMismatch, "\(Shape(shape)) and \(Shape(other)) cannot be joined along axis \(axis)")
      }
      blocks.append(other[axis] &* inner)
      let (sum, overflow) = total.addingReportingOverflow(other[axis])
      guard !overflow else { throw EngineError(.shapeMismatch, "axis \(axis) of the result is too large") }
      total = sum
    }
    shape[axis] = total
    let stride = blocks.reduce(0) { $0 &+ $1 }
    return Work([shape]) { (memory) throws(EngineError) in
      var start = 0
      for (index, block) in blocks.enumerated() where block > 0 {
        let source = unsafe memory.input(index)
        let target = unsafe memory.output(0) + start
        for row in 0..<outer {
          unsafe (target + row * stride).copyMemory(from: source + row * block, byteCount: block)
        }
        start += block
      }
    }
  }
}

/// Cuts a value along one axis.
struct SplitStep: Step {
  let outputTypes: [ElementType]
  let axis: Int
  let lengths: [Int]?
  let width: Int
  let usesInput: Bool

  var contentInputs: [Int] { usesInput ? [1] : [] }
  var kernel: String { "split" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let axis = try Extents.axis(axis, rank: shape.count)
    let count = outputTypes.count
    // Without lengths all parts are equal but the last, which may be smaller.
    let (whole, rest) = shape[axis].quotientAndRemainder(dividingBy: max(count, 1))
    let part = rest == 0 ? whole : whole + 1
    let lengths = try usesInput ? inputs.ints(1) : lengths ?? SplitStep.equal(shape[axis], part: part, count: count)
    guard lengths.count == count, lengths.allSatisfy({ $0 >= 0 && $0 <= shape[axis] }),
      lengths.reduce(0, { $0 &+ $1 }) == shape[axis]
    else {
      throw EngineError(.shapeMismatch, "lengths \(lengths) do not add up to axis \(axis) of \(Shape(shape))")
    }
    let inner = Extents.product(shape.dropFirst(axis + 1), times: width)
    let outer = Extents.product(shape.prefix(axis))
    let shapes = lengths.map { length in
      var result = shape
      result[axis] = length
      return result
    }
    let stride = shape[axis] &* inner
    return Work(shapes) { (memory) throws(EngineError) in
      var start = 0
      for (index, length) in lengths.enumerated() {
        let block = length &* inner
        if block > 0, memory.hasOutput(index) {
          let source = unsafe memory.input(0) + start
          let target = unsafe memory.output(index)
          for row in 0..<outer {
            unsafe (target + row * block).copyMemory(from: source + row * stride, byteCount: block)
          }
        }
        start += block
      }
    }
  }

  /// Parts of one length, the last ones less where that does not fill them.
  private static func equal(_ extent: Int, part: Int, count: Int) -> [Int] {
    var rest = extent
    return (0..<count).map { _ in
      let length = min(part, rest)
      rest -= length
      return length
    }
  }
}
