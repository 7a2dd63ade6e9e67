import NNFormat

/// A constant matrix of codes on the right side of a product, with what makes numbers of them.
struct QuantisedWeights {
  let codes: Constant
  let isTransposed: Bool
  /// float32 values, in the order of the scales' tensor; 1 for bare codes.
  let scales: [Float]
  /// As many, or one for all.
  let zeros: [Int32]
  private let layout: Layout

  private enum Layout {
    case single
    case columns
    /// Blocks along k, the scales [blocks][columns] or, for a transposed matrix, [columns][blocks].
    case blocks(size: Int)
  }

  var depth: Int { codes.shape[isTransposed ? 1 : 0] }
  var columns: Int { codes.shape[isTransposed ? 0 : 1] }
  var bits: Int { codes.elementType.bitWidth ?? 0 }
  private var isSigned: Bool { codes.elementType == .int8 || codes.elementType == .int4 }

  static func holds(_ type: ElementType?) -> Bool { type.map { [.int8, .uint8, .int4, .uint4].contains($0) } ?? false }

  /// The right side that DequantizeLinear, or a Cast of codes, makes of constants.
  ///
  /// - Returns: `nil` for anything else than a float32 matrix of 8- or 4-bit codes with scales for all, for the columns or
  ///   for blocks along k.
  init?(_ node: DraftNode, isTransposed: Bool, _ draft: Draft) {
    guard let input = node.inputs.first ?? nil, let codes = draft.constant(input), codes.shape.count == 2,
      Self.holds(codes.elementType), codes.count > 0, let output = node.outputs.first ?? nil,
      draft.values[output].elementType == .float32
    else { return nil }
    self.codes = codes
    self.isTransposed = isTransposed
    if node.isOperator("Cast") {
      (scales, zeros, layout) = ([1], [0], .single)
      return
    }
    guard node.isDequantisation, node.inputs.count >= 2,
      let scale = draft.constant(node.inputs[1]), scale.elementType == .float32,
      let values = scale.doubles?.map({ Float($0) }), !values.isEmpty
    else { return nil }
    scales = values
    if node.inputs.count > 2, let zeroInput = node.inputs[2] {
      guard let zero = draft.constant(zeroInput), zero.count == values.count else { return nil }
      zeros = zero.integers
    } else {
      zeros = [0]
    }
    let stated = node.origin.int("axis", default: 1)
    let axis = stated < 0 ? stated + 2 : stated
    let block = node.origin.int("block_size", default: 0)
    let columnAxis = isTransposed ? 0 : 1
    if block > 0 {
      let depth = codes.shape[1 - columnAxis]
      var expected = codes.shape
      expected[1 - columnAxis] = (depth - 1) / block + 1
      guard axis == 1 - columnAxis, scale.shape == expected else { return nil }
      layout = .blocks(size: block)
    } else if values.count == 1 {
      layout = .single
    } else {
      guard axis == columnAxis, scale.shape == [codes.shape[columnAxis]] else { return nil }
      layout = .columns
    }
  }

  /// One scale and zero point for each column; `nil` where there are blocks.
  var byColumn: (scales: [Float], zeros: [Int32])? {
    switch layout {
    case .single:
      return (Array(repeating: scales[0], count: columns), [zeros[0]])
    case .columns: return (scales, zeros)
    case .blocks: return nil
    }
  }

  /// As the right side of integer products; `nil` for 4 bits and blocks.
  func bytes(_ pool: ThreadPool) throws(EngineError) -> PackedByteMatrix? {
    guard bits == 8, let zeros = byColumn?.zeros else { return nil }
    return try unsafe PackedByteMatrix(
      depth: depth, columns: columns, source: codes.base.assumingMemoryBound(to: UInt8.self),
      isTransposed: isTransposed, isSigned: isSigned, zeros: zeros, pool: pool)
  }

  /// As the right side of float products.
  func codeMatrix(_ pool: ThreadPool) throws(EngineError) -> PackedCodeMatrix? {
    let (columns, scales, zeros) = (columns, scales, zeros)
    let place: (Int, Int) -> Int
    var block = depth
    switch layout {
    case .single: place = { _, _ in 0 }
    case .columns: place = { $1 }
    case .blocks(let size):
      block = min(size, depth)
      let blocks = (depth - 1) / block + 1
      place = isTransposed ? { $1 * blocks + $0 } : { $0 * columns + $1 }
    }
    return try unsafe PackedCodeMatrix(
      PackedCodeMatrix.Source(
        depth: depth, columns: columns, bits: bits, block: block,
        codes: codes.base.assumingMemoryBound(to: UInt8.self), depthStride: isTransposed ? 1 : columns,
        columnStride: isTransposed ? depth : 1, offset: isSigned ? (bits == 8 ? 128 : 8) : 0,
        scale: { scales[place($0, $1)] }, zero: { zeros.count == 1 ? zeros[0] : zeros[place($0, $1)] }),
      pool: pool)
  }
}

/// One scale and zero point of a whole tensor of 8-bit codes.
struct QuantisedTensor {
  let scale: Float
  let zero: Int32
  let type: ElementType

  /// - Parameters:
  ///   - type: that of the codes where no zero point tells.
  init?(scale: Int?, zero: Int?, type: ElementType?, _ draft: Draft) {
    guard let values = draft.constant(scale), values.count == 1, values.elementType == .float32,
      let value = values.doubles?.first
    else { return nil }
    self.scale = Float(value)
    if let zero {
      guard let codes = draft.constant(zero), codes.count == 1, type == nil || type == codes.elementType else {
        return nil
      }
      (self.zero, self.type) = (codes.integers[0], codes.elementType)
    } else {
      (self.zero, self.type) = (0, type ?? .uint8)
    }
    guard self.type == .int8 || self.type == .uint8 else { return nil }
  }

  var isSigned: Bool { type == .int8 }
}

extension DraftNode {
  /// Whether it makes numbers of codes by scales, standard or contributed.
  var isDequantisation: Bool { isOperator("DequantizeLinear") || isContributed("DequantizeLinear") }
  /// Whether it makes codes of numbers by scales, standard or contributed.
  var isQuantisation: Bool { isOperator("QuantizeLinear") || isContributed("QuantizeLinear") }

  func input(_ index: Int) -> Int? { index < inputs.count ? inputs[index] : nil }
  func output(_ index: Int) -> Int? { index < outputs.count ? outputs[index] : nil }
}

extension Constant {
  /// The elements of an integer type of at most 32 bits.
  var integers: [Int32] {
    let count = count
    return unsafe [Int32](unsafeUninitializedCapacity: count) { buffer, initialized in
      guard let target = buffer.baseAddress else { return }
      unsafe OperandReading.integers(base, elementType, count: count, into: target)
      initialized = count
    }
  }
}
