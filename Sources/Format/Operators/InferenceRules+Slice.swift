/// The rule of Slice.
extension InferenceRules {
  /// Slice: starts, ends, axes and, since version 10, steps; positions before 0 count from the end.
  static func slice(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard var shape = context.shape(0) else { return context.setOutput(type, nil) }
    let bounds = try context.sliceBounds(rank: shape.rank)
    guard let bounds else { return unknownExtents(&context) }
    var contents = shape.rank == 1 ? context.input(0)?.contents : nil
    for bound in bounds {
      guard let slice = bound.range else {
        shape[bound.axis] = .unknown
        contents = nil
        continue
      }
      guard let extent = shape[bound.axis].value else {
        shape[bound.axis] = slice.isWhole ? shape[bound.axis] : .unknown
        contents = nil
        continue
      }
      let (first, count) = slice.elements(of: extent)
      shape[bound.axis] = .known(count)
      contents = contents.flatMap { $0.count == extent ? $0.picked(first, count, slice.step) : nil }
    }
    context.setOutput(type, shape, contents: contents)
  }
}

/// The positions that Slice takes of one axis, as the node states them.
private struct SliceRange {
  var start: Int
  var end: Int
  var step: Int

  /// Whether the slice keeps every element of an axis of any practical extent.
  var isWhole: Bool {
    let practicalEnd = Int(Int32.max)
    if step == 1 { return start == 0 && end >= practicalEnd }
    return step == -1 && start == -1 && end <= -practicalEnd
  }

  /// The first position and how many are taken.
  func elements(of extent: Int) -> (first: Int, count: Int) {
    guard extent > 0 else { return (0, 0) }
    let from = start < 0 ? start + extent : start
    let to = end < 0 ? end + extent : end
    let span: Int
    let first: Int
    if step > 0 {
      first = min(max(from, 0), extent)
      span = min(max(to, 0), extent) - first
    } else {
      first = min(max(from, 0), extent - 1)
      span = first - min(max(to, -1), extent - 1)
    }
    return span > 0 ? (first, Int((UInt(span) - 1) / step.magnitude) + 1) : (first, 0)
  }
}

/// What is known of the slice of one axis; no range when its positions depend on data.
private struct SliceBound {
  var axis: Int
  var range: SliceRange?
}

extension InferenceContext {
  /// The slices by axis; `nil` when not even the axes are known.
  fileprivate func sliceBounds(rank: Int) throws(FormatError) -> [SliceBound]? {
    let starts = node.ints("starts").map { $0.map(Dimension.known) } ?? operand(1)
    let ends = node.ints("ends").map { $0.map(Dimension.known) } ?? operand(2)
    let steps = input(4) == nil ? nil : operand(4)
    let hasAxes = input(3) != nil || node.attribute("axes") != nil
    guard let named = hasAxes ? axesOperand(3) : starts.map({ Array($0.indices) }) else { return nil }
    let axes = try axes(named, rank: rank)
    for operand in [starts, ends, steps] {
      guard let operand, operand.count != axes.count else { continue }
      throw mismatch("\(operand.count) positions are given for \(axes.count) axes")
    }
    if let steps, steps.contains(0) { throw mismatch("a step is 0") }
    var bounds: [SliceBound] = []
    for (index, axis) in axes.enumerated() {
      let step = input(4) == nil ? .known(1) : steps?[index] ?? .unknown
      guard let start = starts?[index].value, let end = ends?[index].value, let step = step.value else {
        bounds.append(SliceBound(axis: axis))
        continue
      }
      bounds.append(SliceBound(axis: axis, range: SliceRange(start: start, end: end, step: step)))
    }
    return bounds
  }

  private func operand(_ index: Int) -> [Dimension]? { input(index)?.contents ?? unknownContents(index) }
}

extension [Dimension] {
  /// `count` elements from `first` on, `step` apart.
  fileprivate func picked(_ first: Int, _ count: Int, _ step: Int) -> [Dimension]? {
    guard count > 0 else { return [] }
    var result: [Dimension] = []
    for position in stride(from: first, through: step > 0 ? self.count - 1 : 0, by: step).prefix(count) {
      guard indices.contains(position) else { return nil }
      result.append(self[position])
    }
    return result.count == count ? result : nil
  }
}
