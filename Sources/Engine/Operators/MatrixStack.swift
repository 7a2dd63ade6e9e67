import NNFormat

/// The extents of a product of stacks of matrices, as NumPy's `matmul` has them: leading axes broadcast, vectors gain
/// an axis and lose it again.
struct MatrixStack: Sendable {
  let rows: Int
  let depth: Int
  let columns: Int
  /// The shape of the result.
  let shape: [Int]
  /// How many products there are.
  let count: Int
  private let nest: LoopNest

  /// - Throws: `EngineError` of kind `shapeMismatch` when the operands cannot be multiplied.
  init(_ left: [Int], _ right: [Int]) throws(EngineError) {
    guard !left.isEmpty, !right.isEmpty else {
      throw EngineError(.shapeMismatch, "a scalar has no matrix product")
    }
    let a = left.count == 1 ? [1] + left : left
    let b = right.count == 1 ? right + [1] : right
    (rows, depth, columns) = (a[a.count - 2], a[a.count - 1], b[b.count - 1])
    guard depth == b[b.count - 2] else {
      throw EngineError(.shapeMismatch, "\(Shape(left)) times \(Shape(right)): the inner extents differ")
    }
    let (stackA, stackB) = (Array(a.dropLast(2)), Array(b.dropLast(2)))
    let stack = try Extents.broadcast([stackA, stackB])
    shape = stack + (left.count > 1 ? [rows] : []) + (right.count > 1 ? [columns] : [])
    _ = try Extents.count(stack + [rows, columns])
    count = Extents.product(stack)
    nest = LoopNest(
      stack,
      strides: [Extents.strides(of: stackA, in: stack), Extents.strides(of: stackB, in: stack), Extents.strides(stack)])
  }

  /// Calls `body` with the numbers of the left, right and resulting matrix of each product.
  func forEach(_ body: (_ left: Int, _ right: Int, _ result: Int) -> Void) {
    nest.forEachTriple(body)
  }
}
