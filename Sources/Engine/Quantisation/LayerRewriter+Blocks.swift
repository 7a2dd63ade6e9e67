import NNFormat

extension LayerRewriter {
  /// `MatMulNBits`: unsigned weights by output, blocks along the inputs.
  mutating func replaceByBlocks(
    _ layer: QuantisableLayer, _ node: Node, _ weight: QuantisedWeight
  ) throws(FormatError) {
    let blocks = BlockLayout(layer, weight, settings)
    let alpha = node.operatorType == "Gemm" ? node.float("alpha", default: 1) : 1
    let name = "\(layer.weight) \(layer.axes.outputs) \(alpha)"
    let parts: StoredWeight
    if let known = blockParts[name] {
      parts = known
    } else {
      let scales = try blocks.scales(factor: alpha)
      parts = StoredWeight(
        codes: rewrite.add(try blocks.codes(), named: "\(layer.weight)_quantized"),
        scale: rewrite.add(scales, named: "\(layer.weight)_scale"),
        zeroPoint: try blocks.zeroPoints().map { rewrite.add($0, named: "\(layer.weight)_zero_point") })
      blockParts[name] = parts
    }
    let bias = try bias(of: node)
    let left = rows(of: node)
    let vector = try vector(bias, count: blocks.columns)
    let attributes = [
      Attribute("K", .int(Int64(blocks.rows))), Attribute("N", .int(Int64(blocks.columns))),
      Attribute("bits", .int(Int64(blocks.bits))), Attribute("block_size", .int(Int64(blocks.size))),
    ]
    finish(node, vector == nil ? bias : nil) { rewriter, output in
      rewriter.rewrite.add(
        "MatMulNBits", domain: "com.microsoft",
        [left, parts.codes, parts.scale, parts.zeroPoint ?? "", "", vector ?? ""], outputs: [output], attributes)
    }
  }
}

/// The parts of `MatMulNBits`: `codes[N][blocks][bytes of a block]`, `scales[N · blocks]`, `zero points[N][bytes of a row]`.
struct BlockLayout {
  let rows: Int
  let columns: Int
  let bits: Int
  let size: Int
  private let blocks: Int
  private let weight: QuantisedWeight
  /// Whether outputs are the rows of the stored codes already.
  private let isByOutput: Bool
  /// What is added to signed codes.
  private let offset: UInt8
  private let isSigned: Bool

  init(_ layer: QuantisableLayer, _ weight: QuantisedWeight, _ settings: QuantisationSettings) {
    isByOutput = layer.axes.outputs == 0
    let shape = weight.codes.shape
    (rows, columns) = isByOutput ? (shape[1], shape[0]) : (shape[0], shape[1])
    bits = settings.weightType.bitWidth ?? 8
    size = settings.blockSize(of: layer) ?? QuantisationSettings.wholeBlock(inputs: rows)
    blocks = (rows + size - 1) / size
    self.weight = weight
    isSigned = settings.weightType == .int4 || settings.weightType == .int8
    offset = isSigned ? 1 << UInt8(bits - 1) : 0
  }

  /// The codes, one a byte, as unsigned numbers.
  private func unpacked(_ tensor: Tensor) throws(FormatError) -> [UInt8] {
    var values = try unsafe tensor.withBytes { bytes in unsafe [UInt8](bytes) }
    if PackedElements.isPacked(tensor.elementType) {
      values = PackedElements.unpacked(values, tensor.elementType, count: tensor.count)
    }
    guard isSigned else { return values }
    for index in values.indices { values[index] &+= offset }
    return values
  }

  /// The codes in blocks; what is missing of the last one counts as zero.
  func codes() throws(FormatError) -> Tensor {
    let values = try unpacked(weight.codes)
    let blockBytes = size * bits / 8
    let zero: UInt8 = 1 << UInt8(bits - 1)
    let bytes = try unsafe AlignedBytes(count: columns * blocks * blockBytes) { target in
      unsafe values.withUnsafeBufferPointer { values in
        for row in 0..<blocks * size {
          let place = row / size * blockBytes + row % size * bits / 8
          let shift = UInt8(bits == 4 && row % 2 == 1 ? 4 : 0)
          for column in 0..<columns {
            let code = unsafe row < rows ? values[isByOutput ? column &* rows &+ row : row &* columns &+ column] : zero
            unsafe target[column &* blocks &* blockBytes &+ place] |= code << shift
          }
        }
      }
    }
    return try Tensor(elementType: .uint8, shape: [columns, blocks, blockBytes], storage: .owned(bytes))
  }

  /// Numbers by block and output in the order of output and block.
  private func byOutput<T>(_ values: [T]) -> [T] {
    if isByOutput { return values }
    var result: [T] = []
    result.reserveCapacity(values.count)
    for column in 0..<columns { for block in 0..<blocks { result.append(values[block * columns + column]) } }
    return result
  }

  func scales(factor: Float) throws(FormatError) -> Tensor {
    let values = byOutput(try weight.scale.elements(as: Float.self)).map { $0 * factor }
    return Tensor(values, shape: [columns * blocks])
  }

  /// `nil` when zero is in the middle, which needs no saying.
  func zeroPoints() throws(FormatError) -> Tensor? {
    let middle: UInt8 = 1 << UInt8(bits - 1)
    let values =
      try weight.zeroPoint.map { (tensor) throws(FormatError) in try unpacked(tensor) }
      ?? [UInt8](repeating: offset, count: columns * blocks)
    guard values.contains(where: { $0 != middle }) else { return nil }
    let ordered = byOutput(values)
    let rowBytes = (blocks * bits + 7) / 8
    var bytes = [UInt8](repeating: 0, count: columns * rowBytes)
    for column in 0..<columns {
      for block in 0..<blocks {
        let place = column * rowBytes + block * bits / 8
        bytes[place] |= ordered[column * blocks + block] << UInt8(bits == 4 && block % 2 == 1 ? 4 : 0)
      }
    }
    return Tensor(bytes, shape: [columns * rowBytes])
  }
}
