import NNFormat

/// One side of an integer product: 8-bit numbers and their zero points.
struct IntegerOperand: Sendable {
  let input: Int
  let zeroInput: Int?
  let isSigned: Bool
  let isTransposed: Bool
  let constant: Constant?
  let zeroConstant: Constant?

  /// - Throws: `EngineError` of kind `unsupported` for anything but int8 and uint8.
  init(_ context: NodeContext, _ input: Int, zero: Int?, isTransposed: Bool = false) throws(EngineError) {
    let type = try context.type(input)
    guard type == .int8 || type == .uint8 else { throw context.unsupported(type) }
    let zeroInput = zero.flatMap { context.has($0) ? $0 : nil }
    if let zeroInput {
      let zeroType = try context.type(zeroInput)
      guard zeroType == type else { throw context.unsupported(zeroType) }
    }
    self.input = input
    self.zeroInput = zeroInput
    self.isTransposed = isTransposed
    isSigned = type == .int8
    constant = context.constant(input)
    zeroConstant = zeroInput.flatMap { context.constant($0) }
  }

  var widening: ByteWidening { ByteWidening(isSigned: isSigned) }
  private var type: ElementType { isSigned ? .int8 : .uint8 }

  /// The zero points as 32-bit integers; a zero where none are given.
  func readZeros(_ memory: StepMemory, count: Int, into target: UnsafeMutablePointer<Int32>) {
    let source = unsafe zeroInput.flatMap { unsafe memory.optionalInput($0) }.map { UnsafeRawPointer($0) }
    unsafe OperandReading.integers(source, type, count: count, into: target)
  }

  /// A constant matrix with constant zero points, as the right side of products.
  func packed(_ pool: ThreadPool) throws(EngineError) -> PackedByteMatrix? {
    guard let constant, constant.shape.count == 2, zeroInput == nil || zeroConstant != nil else { return nil }
    let (depth, columns) = (constant.shape[isTransposed ? 1 : 0], constant.shape[isTransposed ? 0 : 1])
    let zeroCount = zeroConstant?.count ?? 1
    guard zeroCount == 1 || zeroCount == columns else { return nil }
    let zeros = unsafe [Int32](unsafeUninitializedCapacity: zeroCount) { buffer, initialized in
      guard let target = buffer.baseAddress else { return }
      unsafe OperandReading.integers(zeroConstant?.base, type, count: zeroCount, into: target)
      initialized = zeroCount
    }
    return try unsafe PackedByteMatrix(
      depth: depth, columns: columns, source: constant.base.assumingMemoryBound(to: UInt8.self),
      isTransposed: isTransposed, isSigned: isSigned, zeros: zeros, pool: pool)
  }
}

/// int32 sums of (a - zero)(b - zero), exact modulo 2^32, over stacks of matrices; the heart of all quantised products.
struct IntegerMatMul: Sendable {
  /// `nil` where the caller provides the left side.
  let left: IntegerOperand?
  let right: IntegerOperand
  private(set) var packed: PackedByteMatrix?

  init(left: IntegerOperand?, right: IntegerOperand) {
    self.left = left
    self.right = right
  }

  /// The same product with its right side packed when that is constant, and the left one lies row by row.
  func prepared(_ pool: ThreadPool) throws(EngineError) -> IntegerMatMul {
    var result = self
    if left?.isTransposed != true { result.packed = try right.packed(pool) }
    return result
  }

  /// Checks shapes and reserves memory.
  ///
  /// - Parameters:
  ///   - leftShape: the shape of the left side, not transposed.
  ///   - rightShape: that of the right side as it is stored.
  func resolve(
    _ leftShape: [Int], _ rightShape: [Int], _ inputs: StepInputs, _ scratch: inout ScratchLayout
  ) throws(EngineError) -> ResolvedIntegerMatMul {
    try ResolvedIntegerMatMul(self, leftShape, rightShape, inputs, &scratch)
  }
}

/// An integer product bound to shapes.
struct ResolvedIntegerMatMul: Sendable {
  let stack: MatrixStack
  /// How many matrices are on each side.
  let leftMatrices: Int
  let rightMatrices: Int
  /// What the product costs; nothing is read of a packed right side's input.
  var cost: StepCost {
    .products(
      stack.count, rows: stack.rows, depth: stack.depth, columns: stack.columns, arithmetic: .int8,
      constantByteCount: product.packed?.byteCount ?? 0,
      unreadInputs: product.packed == nil ? [] : [product.right.input])
  }
  private let product: IntegerMatMul
  /// The left side, [matrices x rows x depth]: 16-bit numbers beside a right side that is not packed, else codes where they
  /// are not an input.
  private let leftValues: ScratchBlock<Int16>
  private let leftCodes: ScratchBlock<UInt8>
  private let leftCount: Int
  private let gemm: ScratchBlock<UInt8>
  private let leftZeros: (parameters: LineParameters, block: ScratchBlock<Int32>)
  private let rightZeros: (parameters: LineParameters, block: ScratchBlock<Int32>)
  private let rightValues: ScratchBlock<Int16>

  fileprivate init(
    _ product: IntegerMatMul, _ leftShape: [Int], _ rightShape: [Int], _ inputs: StepInputs,
    _ scratch: inout ScratchLayout
  ) throws(EngineError) {
    self.product = product
    let right = product.right.isTransposed ? rightShape.reversed() : rightShape
    stack = try MatrixStack(leftShape, right)
    let (leftCount, rightCount) = (try Extents.count(leftShape), try Extents.count(rightShape))
    leftMatrices = try Extents.count(Array(leftShape.dropLast(2)))
    rightMatrices = try Extents.count(Array(rightShape.dropLast(2)))
    let isPacked = product.packed != nil
    self.leftCount = leftCount
    leftValues = try scratch.reserve(Int16.self, isPacked ? 0 : leftCount)
    leftCodes = try scratch.reserve(UInt8.self, isPacked && product.left == nil ? leftCount : 0)
    let rows = max(leftMatrices, 1) * stack.rows
    let gemmBytes = product.packed.map { unsafe ByteGemm.scratchByteCount(rows: rows, weights: $0) } ?? 0
    gemm = try scratch.reserve(UInt8.self, gemmBytes)
    rightValues = try scratch.reserve(Int16.self, isPacked ? 0 : rightCount / max(rightMatrices, 1))
    func zeros(
      _ input: Int?, lines: Int, matrices: Int
    ) throws(EngineError) -> (LineParameters, ScratchBlock<Int32>) {
      let shape = try input.map { index throws(EngineError) in try inputs.shape(index) } ?? []
      let parameters = try LineParameters(shape, lines: lines, matrices: matrices, "zero point")
      return (parameters, try scratch.reserve(Int32.self, parameters.count))
    }
    leftZeros = try zeros(product.left?.zeroInput, lines: stack.rows, matrices: leftMatrices)
    rightZeros = try zeros(product.right.zeroInput, lines: stack.columns, matrices: rightMatrices)
  }

  /// Quantises float32 values to be the left side, and returns their scale.
  func quantiseLeft(_ x: UnsafePointer<Float>, _ memory: StepMemory) -> Float {
    let quantization = unsafe DynamicQuantization(x, count: leftCount, pool: memory.pool)
    if product.packed != nil {
      unsafe leftZeros.block.pointer(in: memory)[0] = quantization.zero
      unsafe quantization.write(x, count: leftCount, into: leftCodes.pointer(in: memory), pool: memory.pool)
    } else {
      // The codes lie in the second half of the numbers that they become.
      let values = unsafe leftValues.pointer(in: memory)
      let codes = unsafe UnsafeMutableRawPointer(values).assumingMemoryBound(to: UInt8.self) + leftCount
      unsafe quantization.write(x, count: leftCount, into: codes, pool: memory.pool)
      for index in 0..<leftCount {
        unsafe values[index] = Int16(codes[index]) &- Int16(truncatingIfNeeded: quantization.zero)
      }
    }
    return quantization.scale
  }

  /// Reads the left side.
  func readLeft(_ memory: StepMemory) {
    guard let left = product.left else { return }
    let zeros = unsafe leftZeros.block.pointer(in: memory)
    unsafe left.readZeros(memory, count: leftZeros.parameters.count, into: zeros)
    guard product.packed == nil else {
      if left.isSigned { for index in 0..<leftZeros.parameters.count { unsafe zeros[index] &+= 128 } }
      return
    }
    let source = unsafe memory.input(left.input).assumingMemoryBound(to: UInt8.self)
    let target = unsafe leftValues.pointer(in: memory)
    let (rows, depth) = (stack.rows, stack.depth)
    if left.isTransposed {
      unsafe left.widening.transpose(
        source, rows: depth, columns: rows, zeros: zeros, zeroStride: leftZeros.parameters.lineStride, into: target,
        pool: memory.pool)
      return
    }
    for matrix in 0..<leftMatrices {
      for row in 0..<rows {
        let start = (matrix * rows + row) * depth
        unsafe left.widening.run(
          source + start, count: depth, zero: zeros[leftZeros.parameters.index(matrix, row)], into: target + start)
      }
    }
  }

  /// Multiplies all matrices; the sums are [matrices x rows x columns].
  func multiply(_ memory: StepMemory, into sums: UnsafeMutablePointer<Int32>) {
    let (rows, depth, columns) = (stack.rows, stack.depth, stack.columns)
    guard rows > 0, columns > 0 else { return }
    if let packed = product.packed { return unsafe multiply(packed, memory, into: sums) }
    let left = unsafe UnsafePointer(leftValues.pointer(in: memory))
    unsafe product.right.readZeros(
      memory, count: rightZeros.parameters.count, into: rightZeros.block.pointer(in: memory))
    var current = -1
    stack.forEach { leftMatrix, rightMatrix, result in
      if rightMatrix != current { readRight(rightMatrix, memory) }
      current = rightMatrix
      let right = unsafe UnsafePointer(rightValues.pointer(in: memory))
      unsafe IntegerGemm.run(
        rows: rows, depth: depth, columns: columns, a: left + leftMatrix * rows * depth, b: right,
        c: sums + result * rows * columns, pool: memory.pool)
    }
  }

  /// All matrices of the left side at once where their zero points allow it: the one on the right is the same for all.
  private func multiply(
    _ packed: PackedByteMatrix, _ memory: StepMemory, into sums: UnsafeMutablePointer<Int32>
  ) {
    let codes =
      if let left = product.left {
        unsafe memory.input(left.input).assumingMemoryBound(to: UInt8.self)
      } else {
        unsafe UnsafePointer(leftCodes.pointer(in: memory))
      }
    let zeros = unsafe UnsafePointer(leftZeros.block.pointer(in: memory))
    let parameters = leftZeros.parameters
    let isOne = parameters.count == 1
    let rows = isOne ? leftMatrices * stack.rows : stack.rows
    for matrix in 0..<(isOne ? min(leftMatrices, 1) : leftMatrices) {
      let start = matrix * rows
      unsafe ByteGemm(
        rows: rows, left: .codes(codes + start * stack.depth, isSigned: product.left?.isSigned ?? false),
        zeros: zeros + parameters.index(matrix, 0), zeroStride: parameters.lineStride, weights: packed,
        result: .integers(sums + start * stack.columns)
      ).run(UnsafeMutableRawPointer(gemm.pointer(in: memory)), memory.pool)
    }
  }

  private func readRight(_ matrix: Int, _ memory: StepMemory) {
    let (depth, columns) = (stack.depth, stack.columns)
    let right = product.right
    let source = unsafe memory.input(right.input).assumingMemoryBound(to: UInt8.self) + matrix * depth * columns
    let zeros = unsafe rightZeros.block.pointer(in: memory)
    let target = unsafe rightValues.pointer(in: memory)
    let parameters = rightZeros.parameters
    if right.isTransposed {
      for column in 0..<columns {
        unsafe right.widening.run(
          source + column * depth, count: depth, zero: zeros[parameters.index(matrix, column)],
          into: target + column * depth)
      }
    } else {
      unsafe right.widening.transpose(
        source, rows: depth, columns: columns, zeros: zeros + parameters.index(matrix, 0),
        zeroStride: parameters.lineStride, into: target, pool: memory.pool)
    }
  }
}
