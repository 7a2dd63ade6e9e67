/// Rules that give a tensor other axes over the same elements in the same order.
extension InferenceRules {
  /// Flatten: two axes, split before `axis`.
  static func flatten(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0) else { return context.setOutput(type, [.unknown, .unknown]) }
    let axis = context.node.int("axis", default: 1)
    guard axis >= -shape.rank, axis <= shape.rank else {
      throw context.mismatch("axis \(axis) is outside of an input of rank \(shape.rank)")
    }
    let split = axis < 0 ? axis + shape.rank : axis
    let rows = try context.product(shape.dimensions.prefix(split))
    let columns = try context.product(shape.dimensions.dropFirst(split))
    context.setOutput(type, [rows, columns], contents: context.input(0)?.contents)
  }

  /// Reshape: 0 copies an extent unless `allowzero`, -1 takes what is left.
  static func reshape(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    let target: [Dimension]
    if context.inputs.count > 1 {
      try context.requireRank(1, input: 1)
      guard let contents = context.input(1)?.contents else {
        let rank = context.vectorLength(1).flatMap { $0 <= maximumRank ? $0 : nil }
        return context.setOutput(type, rank.map { Shape(Array(repeating: Dimension.unknown, count: $0)) })
      }
      target = contents
    } else {
      guard let ints = context.node.ints("shape") else { return context.setOutput(type, nil) }
      target = ints.map(Dimension.known)
    }
    let shape = try context.reshaped(to: target, allowZero: context.node.int("allowzero", default: 0) != 0)
    context.setOutput(type, shape, contents: context.input(0)?.contents)
  }

  /// Squeeze: drops axes of extent 1, the named ones or all.
  static func squeeze(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0) else { return context.setOutput(type, nil) }
    var dropped: Set<Int> = []
    if context.input(1) != nil || context.node.attribute("axes") != nil {
      guard let axes = context.axesOperand(1) else {
        return context.setOutput(type, context.shapeOfUnknowns(rank: shape.rank, less: context.vectorLength(1)))
      }
      dropped = Set(try context.axes(axes, rank: shape.rank))
      for axis in dropped {
        guard let extent = shape[axis].value, extent != 1 else { continue }
        throw context.mismatch("axis \(axis) of shape \(shape) is not of extent 1")
      }
    } else {
      guard shape.extents != nil else { return context.setOutput(type, nil) }
      dropped = Set(shape.dimensions.indices.filter { shape[$0] == 1 })
    }
    let kept = shape.dimensions.indices.filter { !dropped.contains($0) }.map { shape[$0] }
    context.setOutput(type, Shape(kept), contents: context.input(0)?.contents)
  }

  /// Unsqueeze: inserts axes of extent 1 at positions of the output.
  static func unsqueeze(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0), let axes = context.axesOperand(1) else {
      return context.setOutput(type, nil)
    }
    let rank = shape.rank + axes.count
    let inserted = Set(try context.axes(axes, rank: rank))
    var rest = shape.dimensions.makeIterator()
    let dimensions = (0..<rank).map { inserted.contains($0) ? .known(1) : rest.next() ?? .unknown }
    context.setOutput(type, Shape(dimensions), contents: context.input(0)?.contents)
  }
}

extension InferenceContext {
  /// Axes given by the attribute `axes` or, in later versions, by an input.
  func axesOperand(_ index: Int) -> [Int]? { node.ints("axes") ?? integers(index) }

  /// A shape of known rank and nothing more.
  func shapeOfUnknowns(rank: Int, less: Int?) -> Shape? {
    guard let less, less >= 0, less <= rank else { return nil }
    return Shape(Array(repeating: Dimension.unknown, count: rank - less))
  }

  /// The first input's shape after Reshape.
  fileprivate func reshaped(to target: [Dimension], allowZero: Bool) throws(FormatError) -> Shape {
    let source = shape(0)
    var result: [Dimension] = []
    var copied: Set<Int> = []
    var open: Int?
    for (index, element) in target.enumerated() {
      switch element {
      case .known(-1):
        guard open == nil else { throw mismatch("the new shape \(Shape(target)) has more than one -1") }
        open = index
        result.append(.unknown)
      case .known(0) where !allowZero:
        if let source, index >= source.rank {
          throw mismatch("the new shape \(Shape(target)) copies axis \(index), which \(source) does not have")
        }
        copied.insert(index)
        result.append(source?[index] ?? .unknown)
      case .known(let extent) where extent < 0:
        throw mismatch("the new shape \(Shape(target)) has a negative extent")
      default: result.append(element)
      }
    }
    if allowZero, open != nil, target.contains(0) {
      throw mismatch("the new shape \(Shape(target)) has both 0 and -1")
    }
    // An element that is not known may turn out to be the -1; either way it is what the others leave.
    let unknowns = target.indices.filter { target[$0] == .unknown }
    if open == nil, unknowns.count == 1 { open = unknowns.first }
    guard let source else { return Shape(result) }

    var left = source.dimensions.indices.filter { !copied.contains($0) }.map { source[$0] }
    var taken: [Dimension] = []
    for index in result.indices where index != open && !copied.contains(index) {
      if case .symbolic = result[index], let same = left.firstIndex(of: result[index]) {
        left.remove(at: same)
      } else {
        taken.append(result[index])
      }
    }
    let remainder = try quotient(left, taken, of: source, to: target, mayBeOpen: open != nil)
    if let open { result[open] = remainder }
    return Shape(result)
  }

  /// The extent that `left` has over `taken`; checks that they agree when no axis is open.
  private func quotient(
    _ left: [Dimension], _ taken: [Dimension], of source: Shape, to target: [Dimension], mayBeOpen: Bool
  ) throws(FormatError) -> Dimension {
    let whole = try product(left)
    let part = try product(taken)
    switch (whole, part) {
    case (.known(let whole), .known(let part)):
      if !mayBeOpen, whole == part { return 1 }
      if mayBeOpen, part != 0, whole.isMultiple(of: part) { return .known(whole / part) }
      throw mismatch("\(source) cannot be reshaped to \(Shape(target))")
    case (_, .known(1)): return whole
    case (_, .known(let extent)):
      // (N, 64) over 64 is N: the known factors cancel.
      let names = left.filter { $0.value == nil }
      guard names.count == 1, let name = names.first,
        checkedProduct(left.compactMap(\.value)) == extent, extent != 0
      else { return .unknown }
      return name
    default: return .unknown
    }
  }
}
