import NNFormat

/// Operators that move elements between the channels and the places of images, and that see elements as another type.
package enum BlockOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("DepthToSpace", sixteenBit: .native) { context throws(EngineError) in
      try make(context, gathersSpace: false)
    },
    OperatorImplementation("SpaceToDepth", sixteenBit: .native) { context throws(EngineError) in
      try make(context, gathersSpace: true)
    },
    OperatorImplementation("BitCast", since: 26, sixteenBit: .native, make: bitCast),
  ]

  private static func make(_ context: NodeContext, gathersSpace: Bool) throws(EngineError) -> any Step {
    let type = try context.type(0)
    let mode = context.node.text("mode", default: "DCR")
    let size = context.int("blocksize", default: 0)
    guard size > 0, size < Int(Int32.max), mode == "DCR" || mode == "CRD" else {
      throw context.invalid("blocks of \(size) in the mode \"\(mode)\" make no sense")
    }
    return BlockStep(
      outputTypes: [type], size: size, blocksFirst: mode == "DCR", gathersSpace: gathersSpace,
      width: try StridedCopy.width(type, context))
  }

  @Sendable private static func bitCast(_ context: NodeContext) throws(EngineError) -> any Step {
    let (type, code) = (try context.type(0), context.int("to", default: 0))
    guard let target = Int32(exactly: code).flatMap(ElementType.init(rawValue:)) else {
      throw context.invalid("to = \(code) is no element type")
    }
    // Elements of less than a byte are carried with their sign; booleans may only be 0 and 1.
    guard let bits = type.bitWidth, bits >= 8, type != .bool, target != .bool else { throw context.unsupported(type) }
    guard target.bitWidth == bits else {
      throw context.invalid("\(type.name) has not as many bits as \(target.name)")
    }
    return AliasStep(target) { inputs throws(EngineError) in try inputs.shape(0) }
  }
}

/// Blocks of places along the last two of four axes to channels, or back.
struct BlockStep: Step {
  let outputTypes: [ElementType]
  let size: Int
  /// Whether the place in a block is the slow part of a channel's number, rather than the fast one.
  let blocksFirst: Bool
  /// Whether places become channels.
  let gathersSpace: Bool
  let width: Int

  var kernel: String { gathersSpace ? "spaceToDepth" : "depthToSpace" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    _ = try Extents.count(shape)
    guard shape.count == 4,
      gathersSpace ? shape[2] % size == 0 && shape[3] % size == 0 : shape[1] % (size * size) == 0
    else { throw EngineError(.shapeMismatch, "\(Shape(shape)) does not consist of blocks of \(size)") }
    // Both directions go through (batch, channel, row, row in block, column, column in block) and the form with blocks
    // among the channels; one is read, the other written.
    let channels = gathersSpace ? shape[1] : shape[1] / (size * size)
    let (rows, columns) = gathersSpace ? (shape[2] / size, shape[3] / size) : (shape[2], shape[3])
    let deep =
      blocksFirst ? [shape[0], size, size, channels, rows, columns] : [shape[0], channels, size, size, rows, columns]
    let wide = [shape[0], channels, rows, size, columns, size]
    // Where each axis of the one form stands in the other.
    let wideInDeep = blocksFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]
    let result =
      gathersSpace
      ? [shape[0], channels &* size &* size, rows, columns] : [shape[0], channels, rows &* size, columns &* size]
    _ = try Extents.count(result)
    let copy: StridedCopy
    if gathersSpace {
      let strides = Extents.strides(wide)
      let deepInWide = deep.indices.map { axis in wideInDeep.firstIndex(of: axis) ?? 0 }
      copy = StridedCopy(shape: deep, strides: deepInWide.map { strides[$0] }, width: width)
    } else {
      let strides = Extents.strides(deep)
      copy = StridedCopy(shape: wide, strides: wideInDeep.map { strides[$0] }, width: width)
    }
    return Work([result]) { (memory) throws(EngineError) in
      unsafe copy.run(from: memory.input(0), to: memory.output(0))
    }
  }
}
