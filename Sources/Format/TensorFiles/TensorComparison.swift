import OrderedCollections

/// How far a tensor is from an expected one.
public struct TensorComparison: Sendable, Hashable {
  /// The largest absolute difference of two elements; infinite where just one of them is NaN or infinite.
  public var maximumDifference = 0.0
  /// The largest finite magnitude of the expected elements.
  public var scale = 0.0
  /// The cosine of the angle between the two as vectors; NaN when one is all zeros.
  public var cosine = Double.nan

  /// The largest difference relative to the scale of the expected tensor; absolute when that is all zeros.
  public var relativeDifference: Double { scale > 0 ? maximumDifference / scale : maximumDifference }

  /// Compares element by element. Equal infinities and a NaN on both sides count as equal; strings that differ are
  /// infinitely far from each other.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the shapes differ, or just one holds strings.
  public init(_ actual: Tensor, expected: Tensor) throws(FormatError) {
    guard actual.shape == expected.shape else {
      throw FormatError(.mismatch, "the shape is \(Shape(actual.shape)), expected is \(Shape(expected.shape))")
    }
    if case .strings(let left) = actual.storage, case .strings(let right) = expected.storage {
      maximumDifference = left == right ? 0 : .infinity
      return
    }
    guard actual.elementType != .string, expected.elementType != .string else {
      throw FormatError(
        .mismatch, "the elements are \(actual.elementType.name), expected are \(expected.elementType.name)")
    }
    var (product, squares, expectedSquares) = (0.0, 0.0, 0.0)
    var (maximum, largest) = (0.0, 0.0)
    try actual.forEachDouble(beside: expected) { left, right in
      if right.isFinite { largest = max(largest, abs(right)) }
      product += left * right
      squares += left * left
      expectedSquares += right * right
      if left == right || (left.isNaN && right.isNaN) { return }
      let difference = abs(left - right)
      maximum = max(maximum, difference.isNaN ? .infinity : difference)
    }
    (maximumDifference, scale) = (maximum, largest)
    cosine = product / (squares.squareRoot() * expectedSquares.squareRoot())
  }

  /// Pairs results with expected arrays: by name when every result's name is among them, as `y0`, `y1` ... when those are,
  /// else in order.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when their numbers differ.
  public static func pairs(
    _ results: [(name: String, tensor: Tensor)], expected: TensorInput
  ) throws(FormatError) -> [(name: String, actual: Tensor, expected: Tensor)] {
    let arrays: OrderedDictionary<String, Tensor>
    switch expected {
    case .tensor(let tensor): arrays = ["": tensor]
    case .named(let tensors): arrays = tensors
    case .table(let table): arrays = ["": Tensor(table.values, shape: [table.rowCount, table.columnCount])]
    case .text(let table):
      guard let result = results.first, results.count == 1 else {
        throw FormatError(.mismatch, "a table of strings is expected, but the network has \(results.count) outputs")
      }
      let input = Value(name: result.name, elementType: .string, shape: Shape(result.tensor.shape))
      arrays = ["": try table.tensor(for: input)]
    }
    if results.allSatisfy({ arrays[$0.name] != nil }) {
      return results.compactMap { result in arrays[result.name].map { (result.name, result.tensor, $0) } }
    }
    // Reference archives often hold the inputs too; their outputs are y0, y1 ... then.
    let numbered = results.indices.compactMap { arrays["y\($0)"] }
    if numbered.count == results.count { return zip(results, numbered).map { ($0.name, $0.tensor, $1) } }
    guard arrays.count == results.count else {
      throw FormatError(.mismatch, "\(arrays.count) arrays are expected, but the network has \(results.count) outputs")
    }
    return zip(results, arrays.values).map { ($0.name, $0.tensor, $1) }
  }
}
