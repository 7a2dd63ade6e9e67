/// Rules of Gather and its relatives, OneHot and TopK.
extension InferenceRules {
  static func gather(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0) else { return context.setOutput(type, nil) }
    let axis = try context.axis(context.node.int("axis", default: 0), rank: shape.rank)
    guard let indices = context.shape(1) else { return context.setOutput(type, nil) }
    let dimensions = shape.dimensions.prefix(axis) + indices.dimensions + shape.dimensions.dropFirst(axis + 1)
    var contents: [Dimension]?
    if shape.rank == 1, let source = context.input(0)?.contents, let positions = context.input(1)?.contents {
      contents = []
      for position in positions {
        guard let value = position.value else {
          contents?.append(.unknown)
          continue
        }
        contents?.append(source[try context.axis(value, rank: source.count)])
      }
    }
    context.setOutput(type, Shape(Array(dimensions)), contents: contents)
  }

  static func gatherElements(_ context: inout InferenceContext) throws(FormatError) {
    if let shape = context.shape(0) {
      _ = try context.axis(context.node.int("axis", default: 0), rank: shape.rank)
      try context.requireRank(shape.rank, input: 1)
    }
    context.setOutput(context.elementType(0), context.shape(1))
  }

  static func gatherND(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0), let indices = context.shape(1) else { return context.setOutput(type, nil) }
    let batch = context.node.int("batch_dims", default: 0)
    guard let last = indices.dimensions.last, batch >= 0, batch < min(shape.rank, indices.rank) else {
      throw context.mismatch("batch_dims \(batch) does not fit data \(shape) and indices \(indices)")
    }
    guard let depth = last.value else { return context.setOutput(type, nil) }
    guard depth >= 1, depth <= shape.rank - batch else {
      throw context.mismatch("indices of shape \(indices) name \(depth) axes of shape \(shape)")
    }
    let dimensions = indices.dimensions.dropLast() + shape.dimensions.dropFirst(batch + depth)
    context.setOutput(type, Shape(Array(dimensions)))
  }

  static func oneHot(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(2)
    guard let shape = context.shape(0) else { return context.setOutput(type, nil) }
    let axis = try context.axis(context.node.int("axis", default: -1), rank: shape.rank + 1)
    let depth = context.input(1)?.contents?.first ?? .unknown
    guard depth.value ?? 0 >= 0 else { throw context.mismatch("the depth is \(depth)") }
    var dimensions = shape.dimensions
    dimensions.insert(depth, at: axis)
    context.setOutput(type, Shape(dimensions))
  }

  static func topK(_ context: inout InferenceContext) throws(FormatError) {
    var result = context.shape(0)
    if var shape = result {
      let axis = try context.axis(context.node.int("axis", default: -1), rank: shape.rank)
      var count = context.input(1)?.contents?.first ?? .unknown
      if case .int(let stated) = context.node.attribute("k") { count = .known(Int(stated)) }
      if let count = count.value, count < 0 || count > shape[axis].value ?? count {
        throw context.mismatch("\(count) elements are asked of an axis of extent \(shape[axis])")
      }
      shape[axis] = count
      result = shape
    }
    context.setOutput(context.elementType(0), result)
    context.setOutput(1, .int64, result)
  }
}
