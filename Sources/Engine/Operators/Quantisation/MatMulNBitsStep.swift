import NNFormat

/// A float32 matrix times weights of a few bits, which become float32 once when they are constant, else in each run.
struct MatMulNBitsStep: Step {
  private enum Input {
    static let (weights, scales, zeros, blocks, bias) = (1, 2, 3, 4, 5)
  }

  let matrix: BlockQuantizedMatrix
  private let hasPackedZeros: Bool
  private let constants: [Constant?]
  private let isConstant: Bool
  private var packed: PackedMatrix?
  let outputTypes: [ElementType] = [.float32]
  let kernel = "gemm of packed bits"

  init(_ context: NodeContext) throws(EngineError) {
    matrix = try BlockQuantizedMatrix(context)
    for (input, type) in [(0, ElementType.float32), (Input.weights, .uint8), (Input.scales, .float32)] {
      guard try context.type(input) == type else { throw try context.unsupported(context.type(input)) }
    }
    if context.has(Input.blocks), try context.type(Input.blocks) != .int32 {
      throw try context.unsupported(context.type(Input.blocks))
    }
    let zeroType = context.has(Input.zeros) ? try context.type(Input.zeros) : nil
    guard [nil, .uint8, .float32].contains(zeroType) else { throw try context.unsupported(context.type(Input.zeros)) }
    hasPackedZeros = zeroType == .uint8
    constants = context.constants
    isConstant = (Input.weights...Input.blocks).allSatisfy { !context.has($0) || context.constant($0) != nil }
  }

  /// The weights as a float32 matrix [N x K], when every part is constant.
  func dequantised(_ pool: ThreadPool) throws(EngineError) -> Constant? {
    guard isConstant, let weights = constants[Input.weights], let scales = constants[Input.scales] else { return nil }
    func optional(_ index: Int) -> Constant? { index < constants.count ? constants[index] : nil }
    let (zeros, blocks) = (optional(Input.zeros), optional(Input.blocks))
    try matrix.check(
      BlockQuantizedMatrix.PartCounts(
        weights: weights.count, scales: scales.count, packedZeros: hasPackedZeros ? zeros?.count : nil,
        floatZeros: hasPackedZeros ? nil : zeros?.count, blocks: blocks?.count))
    let aligned = (try scales.aligned(), try zeros?.aligned(), try blocks?.aligned())
    let parts = unsafe BlockQuantizedMatrix.Parts(
      weights: weights.base.assumingMemoryBound(to: UInt8.self),
      scales: aligned.0.base.assumingMemoryBound(to: Float.self),
      packedZeros: hasPackedZeros ? aligned.1?.base.assumingMemoryBound(to: UInt8.self) : nil,
      floatZeros: hasPackedZeros ? nil : aligned.1?.base.assumingMemoryBound(to: Float.self),
      blocks: aligned.2?.base.assumingMemoryBound(to: Int32.self))
    let count = matrix.depth * matrix.columns
    let byteCount = count * MemoryLayout<Float>.stride
    let bytes = try unsafe AlignedBytes(value: byteCount) { buffer in
      guard let target = unsafe buffer.baseAddress?.bindMemory(to: Float.self, capacity: count) else { return }
      unsafe matrix.dequantise(parts, into: target, pool: pool)
    }
    return try Constant(elementType: .float32, shape: [matrix.columns, matrix.depth], bytes: bytes)
  }

  /// The weights as codes, when every part is constant, the zero points are codes and there are weights enough.
  func codes(_ pool: ThreadPool) throws(EngineError) -> PackedCodeMatrix? {
    func optional(_ index: Int) -> Constant? { index < constants.count ? constants[index] : nil }
    let zeros = optional(Input.zeros)
    guard isConstant, matrix.bits != 2, let weights = constants[Input.weights], let scales = constants[Input.scales],
      zeros == nil || hasPackedZeros, optional(Input.blocks) == nil,
      matrix.depth * matrix.columns >= CodeDense.leastCount
    else { return nil }
    try matrix.check(
      BlockQuantizedMatrix.PartCounts(
        weights: weights.count, scales: scales.count, packedZeros: zeros?.count, floatZeros: nil, blocks: nil))
    let factors = try scales.aligned()
    let parts = unsafe BlockQuantizedMatrix.Parts(
      weights: weights.base.assumingMemoryBound(to: UInt8.self),
      scales: factors.base.assumingMemoryBound(to: Float.self),
      packedZeros: zeros?.base.assumingMemoryBound(to: UInt8.self), floatZeros: nil, blocks: nil)
    return try unsafe PackedCodeMatrix(matrix.source(parts), pool: pool)
  }

  func prepared(_ pool: ThreadPool) throws(EngineError) -> any Step {
    guard let weights = try dequantised(pool) else { return self }
    var step = self
    step.packed = try unsafe PackedMatrix(
      depth: matrix.depth, columns: matrix.columns,
      source: UnsafeRawBufferPointer(start: weights.base, count: matrix.depth * matrix.columns * 4),
      isTransposed: true, pool: pool)
    return step
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let (matrix, packed) = (matrix, packed)
    let (depth, columns) = (matrix.depth, matrix.columns)
    let rows = try Extents.rows(of: shape, depth: depth, columns: columns)
    if inputs.has(Input.bias), try inputs.view(Input.bias).count != columns {
      throw EngineError(.shapeMismatch, "the bias is not one for each of \(columns) columns")
    }
    var scratch = ScratchLayout()
    let wide = try scratch.reserve(Float.self, packed == nil ? Extents.count([depth, columns]) : 0)
    let gemmBytes =
      packed == nil
      ? Gemm.scratchByteCountWithPacking(rows: rows, depth: depth, columns: columns)
      : Gemm.scratchByteCount(rows: rows, depth: depth, columns: columns)
    let gemm = try scratch.reserve(UInt8.self, gemmBytes)
    if packed == nil { try check(inputs) }
    let hasPackedZeros = hasPackedZeros
    let cost = StepCost.products(
      rows: rows, depth: depth, columns: columns, constantByteCount: packed?.byteCount ?? 0,
      unreadInputs: packed == nil ? [] : Array(Input.weights...Input.blocks))
    return Work([shape.dropLast() + [columns]], scratchByteCount: scratch.byteCount, cost: cost) {
      (memory) throws(EngineError) in
      let x = unsafe memory.input(0).assumingMemoryBound(to: Float.self)
      let y = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      let bias = unsafe memory.optionalInput(Input.bias).map {
        unsafe UnsafePointer($0.assumingMemoryBound(to: Float.self))
      }
      let gemm = unsafe UnsafeMutableRawPointer(gemm.pointer(in: memory))
      if let packed {
        unsafe Gemm.run(
          rows: rows, a: x, lda: depth, weights: packed, bias: bias, activation: .identity, c: y, ldc: columns,
          scratch: gemm, pool: memory.pool)
        return
      }
      let wide = unsafe wide.pointer(in: memory)
      unsafe matrix.dequantise(Self.parts(memory, hasPackedZeros), into: wide, pool: memory.pool)
      unsafe Gemm.run(
        rows: rows, depth: depth, columns: columns, a: x, lda: depth, b: wide, ldb: depth, isTransposedB: true,
        bias: bias, c: y, ldc: columns, scratch: gemm, pool: memory.pool)
    }
  }

  private func check(_ inputs: StepInputs) throws(EngineError) {
    func count(_ input: Int) throws(EngineError) -> Int? { inputs.has(input) ? try inputs.view(input).count : nil }
    let zeros = try count(Input.zeros)
    try matrix.check(
      BlockQuantizedMatrix.PartCounts(
        weights: inputs.view(Input.weights).count, scales: inputs.view(Input.scales).count,
        packedZeros: hasPackedZeros ? zeros : nil, floatZeros: hasPackedZeros ? nil : zeros,
        blocks: count(Input.blocks)))
  }

  private static func parts(_ memory: StepMemory, _ hasPackedZeros: Bool) -> BlockQuantizedMatrix.Parts {
    let zeros = unsafe memory.optionalInput(Input.zeros).map { UnsafeRawPointer($0) }
    let blocks = unsafe memory.optionalInput(Input.blocks).map { UnsafeRawPointer($0) }
    return unsafe BlockQuantizedMatrix.Parts(
      weights: memory.input(Input.weights).assumingMemoryBound(to: UInt8.self),
      scales: memory.input(Input.scales).assumingMemoryBound(to: Float.self),
      packedZeros: hasPackedZeros ? zeros?.assumingMemoryBound(to: UInt8.self) : nil,
      floatZeros: hasPackedZeros ? nil : zeros?.assumingMemoryBound(to: Float.self),
      blocks: blocks?.assumingMemoryBound(to: Int32.self))
  }
}
