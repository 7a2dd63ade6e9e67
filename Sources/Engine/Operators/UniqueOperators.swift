import NNFormat

/// Distinct slices.
package enum UniqueOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Unique", since: 11) { context throws(EngineError) in
      let axis = context.node.attribute("axis").map { _ in context.int("axis", default: 0) }
      let maker = UniqueMaker(axis: axis, isSorted: context.int("sorted", default: 1) != 0)
      return try ScalarTypes.numeric(context.type(0), maker, context)
    }
  ]
}

private struct UniqueMaker: ArithmeticOperators.StepMaker {
  let axis: Int?
  let isSorted: Bool

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    UniqueStep<T>(axis: axis, isSorted: isSorted) { $0 < $1 }
  }
  /// NaN counts as the largest number.
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    UniqueStep<T>(axis: axis, isSorted: isSorted) { $0 < $1 || (!$0.isNaN && $1.isNaN) }
  }
}

/// The distinct slices along an axis, or elements; where each is first, which one each was, and how often it is.
struct UniqueStep<T: TensorScalar>: Step {
  let axis: Int?
  /// Whether the results are in the order of their elements, instead of that of their first places.
  let isSorted: Bool
  let precedes: @Sendable (T, T) -> Bool
  let contentInputs = [0]
  let kernel = "unique"
  var outputTypes: [ElementType] { [T.elementType, .int64, .int64, .int64] }

  init(axis: Int?, isSorted: Bool, precedes: @escaping @Sendable (T, T) -> Bool) {
    self.axis = axis
    self.isSorted = isSorted
    self.precedes = precedes
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let view = try inputs.view(0)
    guard let contents = unsafe view.contents else {
      throw EngineError(.invalidGraph, "the elements of input 0 are not known")
    }
    let elements = unsafe Elements(base: contents.assumingMemoryBound(to: T.self), count: view.count)
    let shape = axis == nil ? [view.count] : view.shape
    let axis = try Extents.axis(axis ?? 0, rank: shape.count)
    let slices = Slices(shape, axis: axis)
    let groups = distinct(elements, slices)
    var inverse = [Int](repeating: 0, count: slices.count)
    for (number, group) in groups.enumerated() { for place in group { inverse[place] = number } }
    var result = shape
    result[axis] = groups.count
    let resultCount = try Extents.count(result)
    let count = view.count
    let chosen = Slices(result, axis: axis)
    return Work([result, [groups.count], [slices.count], [groups.count]]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: count)
      if memory.hasOutput(0) {
        let target = memory.output(0, T.self, count: resultCount)
        for (number, group) in groups.enumerated() {
          for part in 0..<chosen.size { target[chosen.place(number, part)] = source[slices.place(group[0], part)] }
        }
      }
      for (output, values) in [groups.map { $0[0] }, inverse, groups.map(\.count)].enumerated()
      where memory.hasOutput(output + 1) {
        let target = memory.output(output + 1, Int64.self, count: values.count)
        for (index, value) in values.enumerated() { target[index] = Int64(value) }
      }
    }
  }

  /// The places of equal slices, each group in order.
  private func distinct(_ elements: Elements<T>, _ slices: Slices) -> [[Int]] {
    func order(_ left: Int, _ right: Int) -> Int {
      for part in 0..<slices.size {
        let (a, b) = (elements[slices.place(left, part)], elements[slices.place(right, part)])
        if precedes(a, b) { return -1 }
        if precedes(b, a) { return 1 }
      }
      return 0
    }
    let places = (0..<slices.count).sorted { left, right in
      let order = order(left, right)
      return order == 0 ? left < right : order < 0
    }
    var groups: [[Int]] = []
    for place in places {
      if let first = groups.last?.first, order(first, place) == 0 {
        groups[groups.count - 1].append(place)
      } else {
        groups.append([place])
      }
    }
    return isSorted ? groups : groups.sorted { $0[0] < $1[0] }
  }
}

/// The slices of a value along an axis.
private struct Slices: Sendable {
  let count: Int
  /// Elements of a slice.
  let size: Int
  private let inner: Int

  init(_ shape: [Int], axis: Int) {
    count = shape[axis]
    inner = Extents.product(shape.dropFirst(axis + 1))
    size = Extents.product(shape.prefix(axis), times: inner)
  }

  /// Where an element of a slice lies.
  func place(_ slice: Int, _ part: Int) -> Int { (part / inner * count + slice) * inner + part % inner }
}
