/// Rules of Gemm and MatMul.
extension InferenceRules {
  /// Gemm: (M, K) by (K, N), each possibly transposed, plus what broadcasts to (M, N).
  static func gemm(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(0..<3)
    let (rows, leftDepth) = try context.matrix(0, transposed: "transA")
    let (rightDepth, columns) = try context.matrix(1, transposed: "transB")
    _ = try context.unified(leftDepth, rightDepth, "the inner extents of the product")
    let result: Shape = [rows, columns]
    if context.version >= 7 { try context.requireBroadcast(input: 2, to: result) }
    context.setOutput(type, result)
  }

  /// MatMul with the meaning of `numpy.matmul`.
  static func matMul(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(0..<2)
    context.setOutput(type, try context.matrixProduct(0, 1))
  }
}

extension InferenceContext {
  /// The extents of a matrix input, exchanged where the attribute says so.
  func matrix(
    _ index: Int, transposed attribute: String
  ) throws(FormatError) -> (rows: Dimension, columns: Dimension) {
    try requireRank(2, input: index)
    guard let shape = shape(index) else { return (.unknown, .unknown) }
    return node.int(attribute, default: 0) != 0 ? (shape[1], shape[0]) : (shape[0], shape[1])
  }

  /// The shape of the product of two inputs: matrices, vectors or batches of matrices.
  func matrixProduct(_ leftIndex: Int, _ rightIndex: Int) throws(FormatError) -> Shape? {
    guard let left = shape(leftIndex), let right = shape(rightIndex) else { return nil }
    return try matrixProduct(left, right)
  }

  /// The shape of the product of matrices, vectors or batches of matrices.
  func matrixProduct(_ left: Shape, _ right: Shape) throws(FormatError) -> Shape {
    guard let leftDepth = left.dimensions.last, let rightLast = right.dimensions.last else {
      throw mismatch("a scalar cannot be multiplied as a matrix: \(left) by \(right)")
    }
    let rightDepth = right.rank == 1 ? rightLast : right[right.rank - 2]
    guard leftDepth.unified(with: rightDepth) != nil else {
      throw mismatch("shapes \(left) and \(right) cannot be multiplied: \(leftDepth) and \(rightDepth) differ")
    }
    let batch = try broadcastShape(
      Shape(Array(left.dimensions.dropLast(2))), Shape(Array(right.dimensions.dropLast(2))))
    var dimensions = batch.dimensions
    if left.rank > 1 { dimensions.append(left[left.rank - 2]) }
    if right.rank > 1 { dimensions.append(rightLast) }
    return Shape(dimensions)
  }
}
