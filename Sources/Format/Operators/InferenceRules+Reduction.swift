/// Rules of reductions.
extension InferenceRules {
  /// The axes of the attribute or, in later versions, of the second input; none means all.
  ///
  /// - Parameters:
  ///   - combine: How two elements of an integer vector are reduced, when that is of use.
  ///   - empty: What reducing nothing gives.
  static func reduce(
    _ combine: (@Sendable (Dimension, Dimension) -> Dimension)?, empty: Dimension?
  ) -> InferenceRule {
    { context throws(FormatError) in
      let type = context.elementType(0)
      guard let shape = context.shape(0) else { return context.setOutput(type, nil) }
      let keeps = context.node.int("keepdims", default: 1) != 0
      var axes: [Int] = []
      if context.input(1) != nil || context.node.attribute("axes") != nil {
        guard let stated = context.axesOperand(1) else {
          return context.setOutput(type, context.reducedSomewhere(shape, keeps: keeps))
        }
        for axis in stated { axes.append(try context.axis(axis, rank: shape.rank)) }
      }
      if axes.isEmpty {
        if context.node.int("noop_with_empty_axes", default: 0) != 0 { return identity(&context) }
        axes = Array(0..<shape.rank)
      }
      var contents: [Dimension]?
      if let combine, shape.rank == 1, let elements = context.input(0)?.contents,
        let first = elements.first ?? empty
      {
        contents = [elements.dropFirst().reduce(first, combine)]
      }
      context.setOutput(type, shape.reduced(Set(axes), keeps: keeps), contents: contents)
    }
  }

  /// Pooling over all axes behind batch and channels, which keep one element.
  static func globalPool(_ context: inout InferenceContext) throws(FormatError) {
    guard let shape = context.shape(0) else { return context.setOutput(context.elementType(0), nil) }
    context.setOutput(context.elementType(0), shape.reduced(Set(shape.dimensions.indices.dropFirst(2)), keeps: true))
  }

  /// ArgMax, ArgMin: positions along one axis.
  static func argExtreme(_ context: inout InferenceContext) throws(FormatError) {
    guard let shape = context.shape(0) else { return context.setOutput(.int64, nil) }
    let axis = try context.axis(context.node.int("axis", default: 0), rank: shape.rank)
    context.setOutput(.int64, shape.reduced([axis], keeps: context.node.int("keepdims", default: 1) != 0))
  }
}

extension InferenceContext {
  /// The output of a reduction along axes that depend on data.
  fileprivate func reducedSomewhere(_ shape: Shape, keeps: Bool) -> Shape? {
    if keeps { return Shape(shape.dimensions.map { $0 == 1 ? 1 : .unknown }) }
    guard let count = vectorLength(1), count > 0 else { return nil }
    return shapeOfUnknowns(rank: shape.rank, less: count)
  }
}

extension Shape {
  /// The shape with axes reduced to one element, or removed.
  fileprivate func reduced(_ axes: Set<Int>, keeps: Bool) -> Shape {
    Shape(
      dimensions.indices.compactMap { axis in
        axes.contains(axis) ? (keeps ? .known(1) : nil) : self[axis]
      })
  }
}
