import NNFormat

/// A dense layer on floats whose weights stay codes of 8 or 4 bits: activation(x · (codes - zeros) · scales + bias).
package struct CodeDense: Sendable {
  package let weights: PackedCodeMatrix
  package var bias: [Float]?
  package var activation = Activation.identity
  /// Whether a product with an input of rank 1 drops the axis of rows, as MatMul does.
  package var allowsVector: Bool

  package init(weights: PackedCodeMatrix, allowsVector: Bool) {
    (self.weights, self.allowsVector) = (weights, allowsVector)
  }

  /// Weights of fewer elements are as fast as floats, which stay in the caches.
  package static let leastCount = 1 << 16
}

/// The step of a `CodeDense`.
struct CodeDenseStep: Step {
  let outputTypes: [ElementType] = [.float32]
  private let layer: CodeDense
  private let bias: PackedBias

  init(_ layer: CodeDense) {
    self.layer = layer
    bias = PackedBias(layer.bias)
  }

  var kernel: String { layer.weights.kernelName }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let weights = layer.weights
    let rows = try Extents.rows(of: shape, depth: weights.depth, columns: weights.columns)
    let (bias, activation) = (bias, layer.activation)
    return unsafe Work(
      [shape.dropLast() + [weights.columns]],
      cost: .products(
        rows: rows, depth: weights.depth, columns: weights.columns,
        constantByteCount: weights.byteCount + bias.byteCount)
    ) { (memory) throws(EngineError) in
      unsafe CodeGemm.run(
        rows: rows, a: memory.input(0).assumingMemoryBound(to: Float.self), weights: weights, bias: bias.base,
        activation: activation, c: memory.output(0).assumingMemoryBound(to: Float.self), pool: memory.pool)
    }
  }
}
