/// A window that moves along one axis of a value, as the operators that pool state it.
package struct PoolWindow: Sendable, Hashable {
  /// What `auto_pad` says.
  package enum Padding: String, Sendable {
    case stated = "NOTSET"
    case upper = "SAME_UPPER"
    case lower = "SAME_LOWER"
    case none = "VALID"
  }

  /// Places of the source, of the window, and of the result.
  package let extent: Int
  package let kernel: Int
  package let result: Int
  package let stride: Int
  package let dilation: Int
  /// Places put before and after those of the source.
  package let before: Int
  package let after: Int

  /// All windows of a node, one for each axis after the first two.
  ///
  /// - Returns: `nil` when the attributes are not as many as the axes, or make no sense.
  package static func windows(_ node: Node, extents: [Int]) -> [PoolWindow]? {
    let rank = extents.count
    let ones = Array(repeating: 1, count: rank)
    let kernel = node.ints("kernel_shape") ?? []
    let strides = node.ints("strides") ?? ones
    let dilations = node.ints("dilations") ?? ones
    let pads = node.ints("pads") ?? Array(repeating: 0, count: 2 * rank)
    guard let padding = Padding(rawValue: node.text("auto_pad", default: "NOTSET")), kernel.count == rank,
      strides.count == rank, dilations.count == rank, pads.count == 2 * rank
    else { return nil }
    let rounds = node.int("ceil_mode", default: 0) != 0
    var windows: [PoolWindow] = []
    for axis in extents.indices {
      guard
        let window = PoolWindow(
          extents[axis], kernel: kernel[axis], stride: strides[axis], dilation: dilations[axis],
          pads: (pads[axis], pads[rank + axis]), padding, roundsUp: rounds)
      else { return nil }
      windows.append(window)
    }
    return windows
  }

  private init?(
    _ extent: Int, kernel: Int, stride: Int, dilation: Int, pads: (Int, Int), _ padding: Padding, roundsUp: Bool
  ) {
    let bounds = 1..<Int(Int32.max)
    guard bounds.contains(kernel), bounds.contains(stride), bounds.contains(dilation), extent >= 0,
      extent < bounds.upperBound, (0..<bounds.upperBound).contains(pads.0), (0..<bounds.upperBound).contains(pads.1)
    else { return nil }
    (self.extent, self.kernel, self.stride, self.dilation) = (extent, kernel, stride, dilation)
    let span = (kernel - 1) * dilation + 1
    switch padding {
    case .upper, .lower:
      result = (extent + stride - 1) / stride
      let total = max((result - 1) * stride + span - extent, 0)
      before = padding == .upper ? total / 2 : total - total / 2
      after = total - before
    case .none, .stated:
      (before, after) = padding == .none ? (0, 0) : pads
      let room = extent + before + after - span
      var places = room < 0 ? 0 : room / stride + 1
      // A last window that is not whole counts when it starts at or before the last place of the source.
      if room >= 0, roundsUp, room % stride != 0, places * stride < extent + before { places += 1 }
      result = places
    }
  }

  /// The places of the source under the window of one place of the result: the first, and how many.
  package func places(_ position: Int) -> (first: Int, count: Int) {
    let start = position * stride - before
    let skipped = start < 0 ? (-start + dilation - 1) / dilation : 0
    let first = start + skipped * dilation
    guard first < extent else { return (0, 0) }
    return (first, max(min(kernel - skipped, (extent - 1 - first) / dilation + 1), 0))
  }

  /// How many places of the window lie on the source or on what was put around it.
  package func paddedCount(_ position: Int) -> Int {
    min(kernel, (extent + after - 1 - (position * stride - before)) / dilation + 1)
  }
}
