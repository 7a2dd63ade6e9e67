import NNFormat

/// Copies elements of a fixed width from a strided source to a dense target; the work behind every layout operator.
struct StridedCopy: Sendable {
  private let nest: LoopNest
  private let width: Int
  private let base: Int

  /// - Parameters:
  ///   - shape: the extents of the target.
  ///   - strides: elements between neighbours of the source along each axis of the target; may be 0 or negative.
  ///   - base: the element of the source where the walk starts.
  ///   - width: bytes of an element.
  init(shape: [Int], strides: [Int], base: Int = 0, width: Int) {
    nest = LoopNest(shape, strides: [strides, Extents.strides(shape)])
    self.base = base
    self.width = width
  }

  /// Bytes of one element.
  static func width(_ type: ElementType, _ context: NodeContext) throws(EngineError) -> Int { type.carriedWidth }

  func run(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
    switch width {
    case 1: unsafe copy(source, target, UInt8.self)
    case 2: unsafe copy(source, target, UInt16.self)
    case 4: unsafe copy(source, target, UInt32.self)
    case 8: unsafe copy(source, target, UInt64.self)
    default: unsafe copy(source, target, UInt128.self)
    }
  }

  private func copy<Bits: BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _: Bits.Type
  ) {
    let source = unsafe source.assumingMemoryBound(to: Bits.self) + base
    let target = unsafe target.assumingMemoryBound(to: Bits.self)
    let (step, length) = (nest.rowStrides[0], nest.rowLength)
    for row in 0..<nest.rows {
      let from = unsafe source + nest.offset(of: row, in: 0)
      let to = unsafe target + nest.offset(of: row, in: 1)
      if step == 1 {
        unsafe to.update(from: from, count: length)
      } else {
        for index in 0..<length { unsafe to[index] = from[index &* step] }
      }
    }
  }
}

/// A step that is one strided copy, described when shapes are known.
struct LayoutStep: Step {
  /// The shape of the output, and how to walk the input.
  struct Walk {
    var shape: [Int]
    var strides: [Int]
    var base = 0
  }

  let outputTypes: [ElementType]
  let contentInputs: [Int]
  let kernel: String
  let width: Int
  let walk: @Sendable (StepInputs) throws(EngineError) -> Walk

  init(
    _ kernel: String, _ context: NodeContext, contentInputs: [Int] = [],
    walk: @escaping @Sendable (StepInputs) throws(EngineError) -> Walk
  ) throws(EngineError) {
    let type = try context.type(0)
    outputTypes = [type]
    width = try StridedCopy.width(type, context)
    self.contentInputs = contentInputs.filter { context.has($0) }
    self.kernel = kernel
    self.walk = walk
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let walk = try walk(inputs)
    let count = try Extents.count(walk.shape)
    let source = try inputs.shape(0)
    if walk.base == 0, count == source.reduce(1, *), isDense(walk) {
      return Work(aliasing: 0, shape: walk.shape, byteCount: count * width)
    }
    let copy = StridedCopy(shape: walk.shape, strides: walk.strides, base: walk.base, width: width)
    return Work([walk.shape]) { (memory) throws(EngineError) in
      unsafe copy.run(from: memory.input(0), to: memory.output(0))
    }
  }

  /// Whether the walk visits the source in its own order.
  private func isDense(_ walk: Walk) -> Bool {
    let dense = Extents.strides(walk.shape)
    return walk.shape.indices.allSatisfy { walk.shape[$0] <= 1 || walk.strides[$0] == dense[$0] }
  }
}
