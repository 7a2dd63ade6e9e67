import NNEngine
import NNFormat
import Testing

/// Expects equal types and shapes, and elements within a bound relative to the scale of the expectation.
func expectClose(
  _ actual: [Tensor], _ expected: [Tensor], tolerance: Double = 1e-5, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try #require(actual.count == expected.count, "\(comment)", sourceLocation: sourceLocation)
  for (left, right) in zip(actual, expected) {
    #expect(left.elementType == right.elementType, "\(comment)", sourceLocation: sourceLocation)
    #expect(left.shape == right.shape, "\(comment)", sourceLocation: sourceLocation)
    let (a, b) = (try left.numbers, try right.numbers)
    try #require(a.count == b.count, "\(comment)", sourceLocation: sourceLocation)
    let scale = b.reduce(1) { $1.isFinite ? max($0, abs($1)) : $0 }
    let worst = zip(a, b).first { a, b in
      a.isNaN != b.isNaN || (a != b && !a.isNaN && !(abs(a - b) <= tolerance * scale))
    }
    #expect(worst == nil, "\(comment): \(String(describing: worst))", sourceLocation: sourceLocation)
  }
}
