import NNFormat

/// How scales or zero points belong to the rows or columns of a stack of matrices: one for all, one for each line, or one
/// for each line of each matrix.
struct LineParameters: Sendable {
  let count: Int
  let lineStride: Int
  private let matrixStride: Int

  /// - Throws: `EngineError` of kind `shapeMismatch` for any other count.
  init(_ shape: [Int], lines: Int, matrices: Int, _ name: String) throws(EngineError) {
    count = try Extents.count(shape)
    switch count {
    case 1: (lineStride, matrixStride) = (0, 0)
    case lines: (lineStride, matrixStride) = (1, 0)
    case let all where matrices > 1 && all == lines * matrices: (lineStride, matrixStride) = (1, lines)
    default:
      throw EngineError(
        .shapeMismatch, "the \(name) of shape \(Shape(shape)) is neither one nor one for each of \(lines) lines")
    }
  }

  /// The place of a line's parameter.
  @inline(__always)
  func index(_ matrix: Int, _ line: Int) -> Int { matrix * matrixStride + line * lineStride }
}
