import NNFormat

/// Slices with steps, in the forms with attributes and with inputs.
package enum SliceOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Slice", sixteenBit: .native) { context throws(EngineError) in
      let node = context.node
      let attributes =
        context.version < 10
        ? SliceBounds(
          starts: node.ints("starts") ?? [], ends: node.ints("ends") ?? [], axes: node.ints("axes"), steps: nil)
        : nil
      return try LayoutStep("slice", context, contentInputs: attributes == nil ? [1, 2, 3, 4] : []) {
        inputs throws(EngineError) in
        let bounds = if let attributes { attributes } else { try SliceBounds(inputs) }
        return try bounds.walk(inputs.shape(0))
      }
    }
  ]
}

/// Where a slice starts and ends along some axes.
private struct SliceBounds {
  let starts: [Int]
  let ends: [Int]
  let axes: [Int]?
  let steps: [Int]?

  init(starts: [Int], ends: [Int], axes: [Int]?, steps: [Int]?) {
    self.starts = starts
    self.ends = ends
    self.axes = axes
    self.steps = steps
  }

  init(_ inputs: StepInputs) throws(EngineError) {
    starts = try inputs.ints(1)
    ends = try inputs.ints(2)
    axes = inputs.has(3) ? try inputs.ints(3) : nil
    steps = inputs.has(4) ? try inputs.ints(4) : nil
  }

  func walk(_ shape: [Int]) throws(EngineError) -> LayoutStep.Walk {
    let axes = try Extents.axes(axes ?? Array(starts.indices), rank: shape.count)
    let steps = steps ?? Array(repeating: 1, count: starts.count)
    guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else {
      throw EngineError(.shapeMismatch, "starts, ends, axes and steps are of different lengths")
    }
    var walk = LayoutStep.Walk(shape: shape, strides: Extents.strides(shape))
    for (position, axis) in axes.enumerated() {
      let (extent, step) = (shape[axis], steps[position])
      guard step != 0, step != .min else { throw EngineError(.shapeMismatch, "a slice has a step of \(step)") }
      func absolute(_ index: Int) -> Int { index < 0 ? index &+ extent : index }
      let start: Int
      let length: Int
      if step > 0 {
        start = min(max(absolute(starts[position]), 0), extent)
        let end = min(max(absolute(ends[position]), 0), extent)
        length = end > start ? (end - start - 1) / step + 1 : 0
      } else {
        start = min(max(absolute(starts[position]), -1), extent - 1)
        let end = min(max(absolute(ends[position]), -1), extent - 1)
        length = start > end ? (start - end - 1) / -step + 1 : 0
      }
      walk.shape[axis] = length
      if length > 0 { walk.base += start * walk.strides[axis] }
      walk.strides[axis] = length > 1 ? walk.strides[axis] * step : walk.strides[axis]
    }
    return walk
  }
}
