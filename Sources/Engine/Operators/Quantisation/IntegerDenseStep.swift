import NNFormat

/// A dense layer with 8-bit weights on 8-bit codes: a product of integers, then scales, bias, activation, and codes again
/// where the result is quantised.
package struct IntegerDense: Sendable {
  /// What becomes the left side of the product.
  package enum Input: Sendable {
    /// float32, quantised as DynamicQuantizeLinear does; the range of the elements and 0 may be the second input.
    case dynamic
    /// float32; the codes of a row are round(x · s) within -highest...highest, s = highest / (largest magnitude + epsilon),
    /// and the sums are divided by s · column scale.
    case rows(highest: Float, epsilon: Float)
    /// float32, quantised by one scale and zero point.
    case floats(scale: Float, zero: Int32, isSigned: Bool)
    /// Codes of one scale and zero point.
    case codes(scale: Float, zero: Int32, isSigned: Bool)
  }

  /// How a quantised result is: round(value / scale) + zero.
  package struct Rounding: Sendable {
    package let scale: Float
    package let zero: Int32
    package let type: ElementType

    package init(scale: Float, zero: Int32, type: ElementType) {
      (self.scale, self.zero, self.type) = (scale, zero, type)
    }
  }

  package let input: Input
  package let weights: PackedByteMatrix
  /// One for each column.
  package let scales: [Float]
  /// Added to the sums of each column.
  package var offsets: [Int32]?
  package var bias: [Float]?
  package var activation = Activation.identity
  package var rounding: Rounding?
  /// Whether there is a second result, the least and the largest element of the first and 0.
  package var givesRange = false
  /// Whether a product with an input of rank 1 drops the axis of rows, as MatMul does.
  package var allowsVector: Bool

  package init(input: Input, weights: PackedByteMatrix, scales: [Float], allowsVector: Bool) {
    (self.input, self.weights, self.scales, self.allowsVector) = (input, weights, scales, allowsVector)
  }

  /// Whether the range of the result can be found as it is stored.
  package var canGiveRange: Bool { rounding == nil && (activation == .identity || activation == .relu) }
}

/// The step of an `IntegerDense`.
struct IntegerDenseStep: Step {
  private let layer: IntegerDense
  private let columnScales: ColumnValues<Float>
  private let bias: ColumnValues<Float>?
  private let offsets: ColumnValues<Int32>?
  /// The scale of the left side where it does not depend on the input, 1 elsewhere.
  private let inputScale: ColumnValues<Float>
  /// Its zero point as unsigned codes have it.
  private let inputZero: ColumnValues<Int32>

  init(_ layer: IntegerDense) throws(EngineError) {
    self.layer = layer
    columnScales = try ColumnValues(layer.scales, fill: 1)
    bias = if let bias = layer.bias { try ColumnValues(bias, fill: 0) } else { nil }
    offsets = if let offsets = layer.offsets { try ColumnValues(offsets, fill: 0) } else { nil }
    switch layer.input {
    case .dynamic: (inputScale, inputZero) = try (ColumnValues([1], fill: 1), ColumnValues([0], fill: 0))
    case .rows: (inputScale, inputZero) = try (ColumnValues([1], fill: 1), ColumnValues([128], fill: 0))
    case .floats(let scale, let zero, let isSigned), .codes(let scale, let zero, let isSigned):
      inputScale = try ColumnValues([scale], fill: 1)
      inputZero = try ColumnValues([zero &+ (isSigned ? 128 : 0)], fill: 0)
    }
  }

  var outputTypes: [ElementType] { [layer.rounding?.type ?? .float32] + (layer.givesRange ? [.float32] : []) }
  var kernel: String { layer.weights.kernels.name }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let weights = layer.weights
    let rows = try Extents.rows(of: shape, depth: weights.depth, columns: weights.columns)
    var scratch = ScratchLayout()
    let scales = try scratch.reserve(Float.self, max(rows, 1))
    let zero = try scratch.reserve(Int32.self, 1)
    let gemm = unsafe try scratch.reserve(UInt8.self, ByteGemm.scratchByteCount(rows: rows, weights: weights))
    let step = self
    return Work(
      [shape.dropLast() + [weights.columns]] + (layer.givesRange ? [[2]] : []), scratchByteCount: scratch.byteCount,
      cost: .products(
        rows: rows, depth: weights.depth, columns: weights.columns, arithmetic: .int8,
        constantByteCount: weights.byteCount + columnScales.byteCount + (bias?.byteCount ?? 0))
    ) { (memory) throws(EngineError) in
      let (scales, zero) = unsafe (scales.pointer(in: memory), zero.pointer(in: memory))
      let work = unsafe step.gemm(rows, scales, zero, memory)
      unsafe work.run(UnsafeMutableRawPointer(gemm.pointer(in: memory)), memory.pool)
    }
  }

  /// The product for one run, the scales of the input worked out.
  private func gemm(
    _ rows: Int, _ scales: UnsafeMutablePointer<Float>, _ zero: UnsafeMutablePointer<Int32>, _ memory: StepMemory
  ) -> ByteGemm {
    let depth = layer.weights.depth
    let input = unsafe memory.input(0)
    let x = unsafe input.assumingMemoryBound(to: Float.self)
    switch layer.input {
    case .dynamic:
      let range = unsafe memory.optionalInput(1)?.assumingMemoryBound(to: (Float, Float).self).pointee
      let quantization =
        unsafe range.map { DynamicQuantization(range: $0) }
        ?? DynamicQuantization(x, count: rows * depth, pool: memory.pool)
      unsafe scales[0] = quantization.scale
      unsafe zero[0] = quantization.zero
      let form = unsafe ByteGemm.FloatCodes(scales: scales, stride: 0)
      return unsafe gemm(rows, .floats(x, form), UnsafePointer(zero), scales, rowStride: 0, memory)
    case .rows(let highest, let epsilon):
      unsafe CodeFunctions.magnitudes(x, rows: rows, columns: depth, into: scales, pool: memory.pool)
      for row in 0..<rows { unsafe scales[row] = highest / (scales[row] + epsilon) }
      let reach = Int32(highest)
      let form = unsafe ByteGemm.FloatCodes(
        scales: scales, stride: 1, multiplies: true, lowest: 128 - reach, highest: 128 + reach)
      return unsafe gemm(rows, .floats(x, form), inputZero.base, scales, rowStride: 1, divides: true, memory)
    case .floats:
      let form = unsafe ByteGemm.FloatCodes(scales: inputScale.base, stride: 0)
      return unsafe gemm(rows, .floats(x, form), inputZero.base, inputScale.base, rowStride: 0, memory)
    case .codes(_, _, let isSigned):
      let codes = unsafe input.assumingMemoryBound(to: UInt8.self)
      return unsafe gemm(
        rows, .codes(codes, isSigned: isSigned), inputZero.base, inputScale.base, rowStride: 0, memory)
    }
  }

  private func gemm(
    _ rows: Int, _ left: ByteGemm.Left, _ zero: UnsafePointer<Int32>, _ scales: UnsafePointer<Float>, rowStride: Int,
    divides: Bool = false, _ memory: StepMemory
  ) -> ByteGemm {
    let scaling = unsafe ByteGemm.Scaling(
      rowScales: scales, rowStride: rowStride, columnScales: columnScales.base, divides: divides,
      bias: bias?.base, activation: layer.activation)
    let target = unsafe memory.output(0)
    let result: ByteGemm.Result
    if let rounding = layer.rounding {
      let range = rounding.type == .int8 ? IntegerRange.int8 : .uint8
      unsafe result = .codes(
        target.assumingMemoryBound(to: UInt8.self), scaling,
        ByteGemm.Rounding(scale: rounding.scale, zero: rounding.zero, lowest: range.lowest, highest: range.highest))
    } else {
      let range = unsafe layer.givesRange ? memory.output(1).assumingMemoryBound(to: Float.self) : nil
      unsafe result = .floats(target.assumingMemoryBound(to: Float.self), scaling, range: range)
    }
    return unsafe ByteGemm(
      rows: rows, left: left, zeros: zero, zeroStride: 0, weights: layer.weights, offsets: offsets?.base,
      result: result)
  }
}
