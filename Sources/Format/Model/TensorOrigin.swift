/// Which initializer of a graph a tensor is, while layers are made of the graph's constants: its very elements under the
/// same or another shape, or the transpose of the matrix.
struct TensorOrigin: Sendable, Hashable {
  /// The place among the graph's initializers.
  let initializer: Int
  /// The initializer's shape.
  let shape: [Int]
  /// Whether the tensor is the transpose.
  private(set) var isTransposed = false

  init(initializer: Int, shape: [Int]) {
    self.initializer = initializer
    self.shape = shape
  }

  /// The shape under which the tensor is the initializer or its transpose.
  var matrixShape: [Int] { isTransposed ? shape.reversed() : shape }

  /// What becomes of it when a tensor of a shape gets its axes in another order; `nil` when that is no transpose.
  func reordered(_ order: [Int], from current: [Int]) -> TensorOrigin? {
    guard order == [1, 0], current == matrixShape else { return nil }
    var origin = self
    origin.isTransposed.toggle()
    return origin
  }
}
