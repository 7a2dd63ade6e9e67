import NNFormat

/// The largest or smallest elements along an axis.
package enum TopKOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("TopK") { context throws(EngineError) in
      var count: Int?
      if context.version < 10 {
        count = context.int("k", default: -1)
        guard count ?? 0 >= 0 else { throw context.invalid("k is missing or negative") }
      }
      let maker = TopKMaker(
        axis: context.int("axis", default: -1), isLargest: context.int("largest", default: 1) != 0, stated: count)
      return try ScalarTypes.numeric(context.type(0), maker, context)
    }
  ]
}

private struct TopKMaker: ArithmeticOperators.StepMaker {
  let axis: Int
  let isLargest: Bool
  let stated: Int?

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    let isLargest = isLargest
    return TopKStep<T>(axis: axis, stated: stated) { isLargest ? $0 > $1 : $0 < $1 }
  }

  /// NaN counts as the largest number.
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    let isLargest = isLargest
    return TopKStep<T>(axis: axis, stated: stated) { left, right in
      isLargest ? left > right || (left.isNaN && !right.isNaN) : left < right || (!left.isNaN && right.isNaN)
    }
  }
}

/// The first elements along an axis in the order of their values, and their places; of equal ones the first come first.
///
/// Elements are always in order, also where a node does not ask for it.
struct TopKStep<T: TensorScalar>: Step {
  let axis: Int
  /// How many, when that is an attribute; else it is input 1.
  let stated: Int?
  let kernel = "topK"
  let precedes: @Sendable (T, T) -> Bool

  var outputTypes: [ElementType] { [T.elementType, .int64] }
  var contentInputs: [Int] { stated == nil ? [1] : [] }

  init(axis: Int, stated: Int?, precedes: @escaping @Sendable (T, T) -> Bool) {
    self.axis = axis
    self.stated = stated
    self.precedes = precedes
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let axis = try Extents.axis(axis, rank: shape.count)
    let wanted = if let stated { stated } else { try inputs.number(1) }
    let (length, stride) = (shape[axis], Extents.strides(shape)[axis])
    guard wanted >= 0, wanted <= length else {
      throw EngineError(.shapeMismatch, "\(wanted) elements are asked of an axis of \(length)")
    }
    var result = shape
    result[axis] = wanted
    let (sourceCount, count) = (try Extents.count(shape), try Extents.count(result))
    let precedes = precedes
    return Work([result, result], scratchByteCount: count > 0 ? wanted * MemoryLayout<Int>.stride : 0) {
      (memory) throws(EngineError) in
      guard count > 0 else { return }
      let source = memory.input(0, T.self, count: sourceCount)
      let values = memory.hasOutput(0) ? memory.output(0, T.self, count: count) : nil
      let places = memory.hasOutput(1) ? memory.output(1, Int64.self, count: count) : nil
      let heap = unsafe MutableElements(base: memory.scratch.assumingMemoryBound(to: Int.self), count: wanted)
      for block in 0..<count / (wanted * stride) {
        for column in 0..<stride {
          let start = block * length * stride + column
          Selection(heap: heap, count: length) { left, right in
            let (a, b) = (source[start + left * stride], source[start + right * stride])
            return precedes(a, b) || (left < right && !precedes(b, a))
          }.run()
          for rank in 0..<wanted {
            let target = (block * wanted + rank) * stride + column
            values?[target] = source[start + heap[rank] * stride]
            places?[target] = Int64(heap[rank])
          }
        }
      }
    }
  }
}

/// Picks the first of `count` places in an order, by a heap whose top is the last of those picked so far: n log k.
private struct Selection {
  /// As many places as are wanted.
  let heap: MutableElements<Int>
  let count: Int
  let precedes: (Int, Int) -> Bool

  /// Fills the heap's memory with the places in order.
  func run() {
    let wanted = heap.count
    for place in 0..<wanted { heap[place] = place }
    for root in (0..<wanted / 2).reversed() { sink(root, below: wanted) }
    for place in wanted..<max(count, wanted) where precedes(place, heap[0]) {
      heap[0] = place
      sink(0, below: wanted)
    }
    for end in (1..<max(wanted, 1)).reversed() {
      (heap[0], heap[end]) = (heap[end], heap[0])
      sink(0, below: end)
    }
  }

  private func sink(_ root: Int, below end: Int) {
    let moved = heap[root]
    var hole = root
    while 2 * hole + 1 < end {
      var child = 2 * hole + 1
      if child + 1 < end, precedes(heap[child], heap[child + 1]) { child += 1 }
      guard precedes(moved, heap[child]) else { break }
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = moved
  }
}
