/// Rules of Transpose, Expand, Tile, Concat, Split, Pad, Shape and Size.
extension InferenceRules {
  static func transpose(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0) else { return context.setOutput(type, nil) }
    let order = context.node.ints("perm") ?? Array((0..<shape.rank).reversed())
    guard order.sorted() == Array(0..<shape.rank) else {
      throw context.mismatch("perm \(order) is not an order of the axes of \(shape)")
    }
    context.setOutput(
      type, Shape(order.map { shape[$0] }), contents: shape.rank <= 1 ? context.input(0)?.contents : nil)
  }

  static func expand(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    try context.requireRank(1, input: 1)
    guard let shape = context.shape(0) else { return context.setOutput(type, nil) }
    guard let target = context.input(1)?.contents ?? context.unknownContents(1) else {
      return context.setOutput(type, nil)
    }
    guard !target.contains(where: { $0.value ?? 0 < 0 }) else {
      throw context.mismatch("the new shape \(Shape(target)) has a negative extent")
    }
    let result = try context.broadcastShape(shape, Shape(target))
    var contents: [Dimension]?
    if result.rank == 1, let count = result[0].value, count <= maximumContentsCount {
      contents = context.vector(0)?.stretched(to: count)
    }
    context.setOutput(type, result, contents: contents)
  }

  static func tile(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0) else { return context.setOutput(type, nil) }
    guard let repeats = context.input(1)?.contents else { return unknownExtents(&context) }
    guard repeats.count == shape.rank else {
      throw context.mismatch("\(repeats.count) repeats are given for shape \(shape)")
    }
    var dimensions: [Dimension] = []
    for (extent, times) in zip(shape.dimensions, repeats) {
      dimensions.append(try context.product([extent, times]))
    }
    context.setOutput(type, Shape(dimensions))
  }

  /// An output of the first input's rank with extents that depend on data.
  static func unknownExtents(_ context: inout InferenceContext) {
    context.setOutput(
      context.elementType(0), context.shape(0).flatMap { context.shapeOfUnknowns(rank: $0.rank, less: 0) })
  }

  static func concat(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(context.inputs.indices)
    let result = try context.concatenation(context.inputs.indices)
    context.setOutput(type, result, contents: result?.rank == 1 ? context.concatenatedContents() : nil)
  }

  static func split(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0) else {
      for index in context.outputs.indices { context.setOutput(index, type, nil) }
      return
    }
    let axis = try context.axis(context.node.int("axis", default: 0), rank: shape.rank)
    let sizes = try context.splitSizes(shape[axis])
    let contents = shape.rank == 1 ? context.input(0)?.contents : nil
    var start = 0
    for (index, size) in sizes.enumerated() {
      var part = shape
      part[axis] = size
      var piece: [Dimension]?
      if let contents, let count = size.value, start + count <= contents.count {
        piece = Array(contents[start..<start + count])
        start += count
      }
      context.setOutput(index, type, part, contents: piece)
    }
  }

  /// Pad: amounts before and after each axis, or each named axis since version 18; negative ones crop.
  static func pad(_ context: inout InferenceContext) throws(FormatError) {
    guard var shape = context.shape(0) else { return context.setOutput(context.elementType(0), nil) }
    let amounts = context.node.ints("pads") ?? context.node.ints("paddings") ?? context.integers(1)
    let axes = context.input(3) == nil ? Array(0..<shape.rank) : context.integers(3)
    guard let amounts, let axes else { return unknownExtents(&context) }
    let positions = try context.axes(axes, rank: shape.rank)
    guard amounts.count == positions.count * 2 else {
      throw context.mismatch("\(amounts.count) amounts of padding are given for \(positions.count) axes")
    }
    for (index, axis) in positions.enumerated() {
      let (before, after) = (amounts[index], amounts[index + positions.count])
      shape[axis] = try context.sum([shape[axis], .known(before), .known(after)])
    }
    context.setOutput(context.elementType(0), shape)
  }

  /// Shape: the extents as int64, from `start` to `end` since version 15.
  static func shape(_ context: inout InferenceContext) {
    guard let shape = context.shape(0) else { return context.setOutput(.int64, [.unknown]) }
    func clamped(_ position: Int) -> Int {
      min(max(position < 0 ? position + shape.rank : position, 0), shape.rank)
    }
    let start = clamped(context.node.int("start", default: 0))
    let end = clamped(context.node.int("end", default: shape.rank))
    let extents = start < end ? Array(shape.dimensions[start..<end]) : []
    context.setOutput(.int64, [.known(extents.count)], contents: extents)
  }

  static func size(_ context: inout InferenceContext) throws(FormatError) {
    let count = try context.shape(0).map { (shape) throws(FormatError) in try context.product(shape.dimensions) }
    context.setOutput(.int64, [], contents: [count ?? .unknown])
  }

  static func trilu(_ context: inout InferenceContext) throws(FormatError) {
    if let shape = context.shape(0), shape.rank < 2 {
      throw context.mismatch("input 0 has shape \(shape), rank 2 or more is needed")
    }
    sameAsInput(&context)
  }
}

extension InferenceContext {
  /// As many unknown elements as a vector has, when its length is known.
  func unknownContents(_ index: Int) -> [Dimension]? {
    guard let count = vectorLength(index), count <= maximumContentsCount else { return nil }
    return Array(repeating: .unknown, count: count)
  }

  /// The shape of inputs put side by side along the attribute's axis; `nil` when no shape is known.
  func concatenation(_ indices: some Sequence<Int>) throws(FormatError) -> Shape? {
    let shapes = indices.map { shape($0) }
    guard var result = shapes.lazy.compactMap({ $0 }).first else { return nil }
    let axis = try axis(node.int("axis", default: 1), rank: result.rank)
    var extents: [Dimension] = []
    for shape in shapes {
      guard let shape else {
        extents.append(.unknown)
        continue
      }
      guard shape.rank == result.rank else {
        throw mismatch("inputs have different ranks, \(result) and \(shape)")
      }
      extents.append(shape[axis])
      for other in 0..<shape.rank where other != axis {
        result[other] = try unified(result[other], shape[other], "extents of axis \(other)")
      }
    }
    result[axis] = try sum(extents)
    return result
  }

  fileprivate func concatenatedContents() -> [Dimension]? {
    var result: [Dimension] = []
    for index in inputs.indices {
      guard let part = input(index)?.contents ?? unknownContents(index) else { return nil }
      result += part
      guard result.count <= maximumContentsCount else { return nil }
    }
    return result
  }

  /// The extent of each output of Split along its axis.
  fileprivate func splitSizes(_ extent: Dimension) throws(FormatError) -> [Dimension] {
    let count = outputs.count
    let isEven = node.ints("split") == nil && input(1) == nil
    if let stated = node.attribute("num_outputs") {
      guard case .int(let stated) = stated, stated == count else {
        throw mismatch("num_outputs does not agree with \(count) outputs")
      }
      guard isEven else { throw malformed("both split and num_outputs are given") }
    }
    if isEven {
      guard let whole = extent.value, count > 0 else {
        return Array(repeating: count == 1 ? extent : .unknown, count: count)
      }
      let (share, rest) = whole.quotientAndRemainder(dividingBy: count)
      guard rest > 0 else { return Array(repeating: .known(share), count: count) }
      // Since version 18 the last part may be smaller than the others.
      let (before, overflow) = (share + 1).multipliedReportingOverflow(by: count - 1)
      guard version >= 18, !overflow, before <= whole else {
        throw mismatch("an axis of extent \(whole) cannot be divided into \(count) parts")
      }
      return Array(repeating: .known(share + 1), count: count - 1) + [.known(whole - before)]
    }
    guard let sizes = node.ints("split") ?? integers(1) else { return Array(repeating: .unknown, count: count) }
    guard sizes.count == count, sizes.allSatisfy({ $0 >= 0 }) else {
      throw mismatch("split \(sizes) does not describe \(count) outputs")
    }
    _ = try unified(try sum(sizes.map(Dimension.known)), extent, "the sum of split and the extent")
    return sizes.map(Dimension.known)
  }
}
