import NNFormat

/// A dense layer: activation(x · weights + bias), the weights a constant matrix.
package struct DenseLayer {
  package var weights: Constant
  /// Whether `weights` is [N x K] instead of [K x N].
  package var isTransposed: Bool
  /// A factor on the product.
  package var alpha: Float
  /// One value for each of the N columns.
  package var bias: [Float]?
  package var activation: Activation
  /// Whether a product with an input of rank 1 drops the axis of rows, as MatMul does.
  package var allowsVector: Bool

  package var elementType: ElementType { weights.elementType }
  package var depth: Int { weights.shape[isTransposed ? 1 : 0] }
  package var columns: Int { weights.shape[isTransposed ? 0 : 1] }

  /// - Returns: `nil` unless the weights are a float matrix of at most 32 bits.
  package init?(weights: Constant, isTransposed: Bool = false, alpha: Float = 1, allowsVector: Bool = true) {
    guard weights.shape.count == 2, [.float32, .float16, .bfloat16].contains(weights.elementType) else { return nil }
    self.weights = weights
    self.isTransposed = isTransposed
    self.alpha = alpha
    self.allowsVector = allowsVector
    bias = nil
    activation = .identity
  }
}

/// Rows times packed weights, with bias and activation in the same pass.
package struct DenseStep: Step {
  package let outputTypes: [ElementType] = [.float32]
  private let weights: PackedMatrix
  private let bias: PackedBias
  private let activation: Activation
  private let depth: Int
  private let columns: Int

  /// - Parameter precision: what the weights are kept in; those that are no float32 are widened before they are rounded.
  package init(
    _ layer: DenseLayer, precision: EngineOptions.Precision = .float32, pool: ThreadPool
  ) throws(EngineError) {
    let constant = try layer.weights.widened()
    depth = layer.depth
    columns = layer.columns
    weights = try unsafe PackedMatrix(
      depth: depth, columns: columns,
      source: UnsafeRawBufferPointer(start: constant.base, count: constant.byteCount),
      isTransposed: layer.isTransposed, alpha: layer.alpha, precision: precision, pool: pool)
    bias = PackedBias(layer.bias)
    activation = layer.activation
  }

  package var kernel: String { weights.table.gemmName(weights.precision) }

  package func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let rows = try Extents.rows(of: shape, depth: depth, columns: columns)
    let (weights, bias, activation) = (weights, bias, activation)
    let (depth, columns) = (depth, columns)
    return Work(
      [shape.dropLast() + [columns]],
      scratchByteCount: Gemm.scratchByteCount(rows: rows, depth: depth, columns: columns),
      cost: .products(
        rows: rows, depth: depth, columns: columns, constantByteCount: weights.byteCount + bias.byteCount)
    ) { (memory) throws(EngineError) in
      unsafe Gemm.run(
        rows: rows, a: memory.input(0).assumingMemoryBound(to: Float.self), lda: depth, weights: weights,
        bias: bias.base, activation: activation, c: memory.output(0).assumingMemoryBound(to: Float.self),
        ldc: columns, scratch: memory.scratch, pool: memory.pool)
    }
    .byRows(rowWork(rows))
  }

  private func rowWork(_ rows: Int) -> RowWork? {
    guard weights.byteCount <= Gemm.cachedWeights else { return nil }
    let (weights, bias, activation) = (weights, bias, activation)
    return RowWork(
      rows: rows,
      estimate: WorkEstimate(
        gemmRows: rows, weights: weights.paddedCount, weightSize: weights.weightSize,
        instructionSet: weights.table.instructionSet),
      scratchByteCountPerRow: weights.byteCount <= Gemm.nearWeights ? 0 : weights.depth * MemoryLayout<Float>.stride
    ) { memory, rows in
      unsafe Gemm.runRows(
        rows, a: memory.input(0).assumingMemoryBound(to: Float.self), lda: weights.depth, weights: weights,
        bias: bias.base, activation: activation, c: memory.output(0).assumingMemoryBound(to: Float.self),
        ldc: weights.columns, scratch: memory.scratch)
    }
  }
}

/// Bias values at a fixed address.
@safe final class PackedBias: Sendable {
  /// `nonisolated(unsafe)` holds because nothing writes after `init` returns.
  nonisolated(unsafe) let base: UnsafePointer<Float>?
  private let bytes: AlignedBytes?

  var byteCount: Int { bytes?.count ?? 0 }

  init(_ values: [Float]?) {
    let bytes = values.map { AlignedBytes(copying: $0) }
    self.bytes = bytes
    unsafe base = bytes.flatMap { block in
      unsafe block.withBytes { unsafe $0.baseAddress?.assumingMemoryBound(to: Float.self) }
    }
  }
}
