/// Rules of operators whose result's size depends on elements, and of blocks and crops of images.
extension InferenceRules {
  /// Compress: as many slices as the condition has true elements.
  static func compress(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard case .int(let stated) = context.node.attribute("axis") else { return context.setOutput(type, [.unknown]) }
    guard var shape = context.shape(0) else { return context.setOutput(type, nil) }
    shape[try context.axis(Int(stated), rank: shape.rank)] = .unknown
    context.setOutput(type, shape)
  }

  /// Unique: slices or elements, and three lists about them.
  static func unique(_ context: inout InferenceContext) throws(FormatError) {
    var result: Shape? = [.unknown]
    var count = context.shape(0).flatMap { Dimension.product($0.dimensions) } ?? .unknown
    if case .int(let stated) = context.node.attribute("axis") {
      result = context.shape(0)
      if var shape = result {
        let axis = try context.axis(Int(stated), rank: shape.rank)
        count = shape[axis]
        shape[axis] = .unknown
        result = shape
      } else {
        count = .unknown
      }
    }
    context.setOutput(context.elementType(0), result)
    context.setOutput(1, .int64, [.unknown])
    context.setOutput(2, .int64, [count])
    context.setOutput(3, .int64, [.unknown])
  }

  /// NonZero: a row of places for each axis.
  static func nonZero(_ context: inout InferenceContext) {
    context.setOutput(.int64, [context.shape(0).map { .known($0.rank) } ?? .unknown, .unknown])
  }

  /// CenterCropPad: the axes named, or all, get the extents of the second input.
  static func centerCropPad(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard var shape = context.shape(0) else { return context.setOutput(type, nil) }
    let axes = try context.axes(context.node.ints("axes") ?? Array(0..<shape.rank), rank: shape.rank)
    let wanted = context.input(1)?.contents ?? axes.map { _ in .unknown }
    guard wanted.count == axes.count, wanted.allSatisfy({ $0.value ?? 0 >= 0 }) else {
      throw context.mismatch("\(Shape(wanted)) are no extents of \(axes.count) axes")
    }
    for (axis, extent) in zip(axes, wanted) { shape[axis] = extent }
    context.setOutput(type, shape)
  }

  /// DepthToSpace: channels become blocks of places.
  static func depthToSpace(_ context: inout InferenceContext) throws(FormatError) {
    try blocks(&context) { channels, rows, columns, size in
      (channels.divided(by: .known(size * size)), rows.times(.known(size)), columns.times(.known(size)))
    }
  }

  /// SpaceToDepth: blocks of places become channels.
  static func spaceToDepth(_ context: inout InferenceContext) throws(FormatError) {
    try blocks(&context) { channels, rows, columns, size in
      (channels.times(.known(size * size)), rows.divided(by: .known(size)), columns.divided(by: .known(size)))
    }
  }

  private static func blocks(
    _ context: inout InferenceContext,
    _ extents: (Dimension, Dimension, Dimension, Int) -> (Dimension, Dimension, Dimension)
  ) throws(FormatError) {
    try context.requireRank(4, input: 0)
    let size = context.node.int("blocksize", default: 0)
    guard size > 0, size < Int(Int32.max) else { throw context.malformed("blocksize is \(size)") }
    guard let shape = context.shape(0) else {
      return context.setOutput(context.elementType(0), [.unknown, .unknown, .unknown, .unknown])
    }
    let (channels, rows, columns) = extents(shape[1], shape[2], shape[3], size)
    context.setOutput(context.elementType(0), [shape[0], channels, rows, columns])
  }
}
