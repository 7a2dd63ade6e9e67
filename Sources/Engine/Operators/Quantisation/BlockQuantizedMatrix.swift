import NNFormat

/// A K x N matrix of 2, 4 or 8 bits in blocks along K, each block of a column with a scale and a zero point of its own, as
/// MatMulNBits has it.
///
/// Weights are [N][blocks][block_size], packed from the low bits of each byte. Scales are [N][blocks]. Zero points are
/// packed like weights, each column starting at a byte, or numbers of the scales' type.
struct BlockQuantizedMatrix: Sendable {
  let depth: Int
  let columns: Int
  let bits: Int
  let blockSize: Int

  /// The addresses of the parts, all in memory as the engine carries them.
  @safe struct Parts {
    let weights: UnsafePointer<UInt8>
    let scales: UnsafePointer<Float>
    let packedZeros: UnsafePointer<UInt8>?
    let floatZeros: UnsafePointer<Float>?
    /// The block of each of the K rows, where it does not follow from its place.
    let blocks: UnsafePointer<Int32>?
  }

  /// How many elements each part has.
  struct PartCounts {
    let weights: Int
    let scales: Int
    let packedZeros: Int?
    let floatZeros: Int?
    let blocks: Int?
  }

  /// - Throws: `EngineError` for attributes that make no sense.
  init(_ context: NodeContext) throws(EngineError) {
    (depth, columns) = (context.int("K", default: 0), context.int("N", default: 0))
    (bits, blockSize) = (context.int("bits", default: 4), context.int("block_size", default: 0))
    guard [2, 4, 8].contains(bits) else {
      throw EngineError(.unsupported, "weights of \(bits) bits are not supported", node: context.node.label)
    }
    guard depth > 0, columns > 0, (1...1 << 20).contains(blockSize), blockSize * bits % 8 == 0, depth <= 1 << 32,
      columns <= 1 << 32, try Extents.count([depth + blockSize, columns]) >= 0
    else {
      throw context.invalid("K = \(depth), N = \(columns), block_size = \(blockSize) make no packed matrix")
    }
  }

  var blocks: Int { (depth + blockSize - 1) / blockSize }
  private var zeroBytes: Int { (blocks * bits + 7) / 8 }

  /// - Throws: `EngineError` of kind `shapeMismatch` when a part has not as many elements as it needs.
  func check(_ counts: PartCounts) throws(EngineError) {
    func require(_ name: String, _ count: Int?, _ expected: Int) throws(EngineError) {
      guard let count, count != expected else { return }
      throw EngineError(.shapeMismatch, "there are \(count) \(name) where \(expected) are needed")
    }
    try require("bytes of weights", counts.weights, columns * blocks * (blockSize * bits / 8))
    try require("scales", counts.scales, columns * blocks)
    try require("bytes of zero points", counts.packedZeros, columns * zeroBytes)
    try require("zero points", counts.floatZeros, columns * blocks)
    guard let rows = counts.blocks, rows < depth else { return }
    try require("block numbers", rows, depth)
  }

  /// Writes the matrix as float32 [N x K]. Block numbers that do not exist count as the last block.
  func dequantise(_ parts: Parts, into target: UnsafeMutablePointer<Float>, pool: ThreadPool) {
    let estimate = WorkEstimate(nanoseconds: Double(depth) * Double(columns))
    let tasks = max(1, estimate.taskCount(most: columns, pool))
    pool.parallelFor(tasks: tasks) { task in
      for column in columns * task / tasks..<columns * (task + 1) / tasks {
        unsafe dequantise(column: column, parts, into: target + column * depth)
      }
    }
  }

  /// The same numbers for packing; the zero points are not floats and the blocks follow from their places.
  func source(_ parts: Parts) -> PackedCodeMatrix.Source {
    unsafe PackedCodeMatrix.Source(
      depth: depth, columns: columns, bits: bits, block: min(blockSize, depth), codes: parts.weights, depthStride: 1,
      columnStride: blocks * (blockSize * bits / 8), isPacked: bits == 4, offset: 0,
      scale: { scaling($1, $0, parts).scale }, zero: { Int32(scaling($1, $0, parts).zero) })
  }

  private func dequantise(column: Int, _ parts: Parts, into target: UnsafeMutablePointer<Float>) {
    let weights = unsafe parts.weights + column * blocks * (blockSize * bits / 8)
    for block in 0..<blocks {
      let rows = block * blockSize..<min(depth, (block + 1) * blockSize)
      if let numbers = unsafe parts.blocks {
        for row in rows {
          let number = unsafe min(max(Int(numbers[row]), 0), blocks - 1)
          let (scale, zero) = scaling(column, number, parts)
          unsafe target[row] = (Float(code(weights, row)) - zero) * scale
        }
        continue
      }
      let (scale, zero) = scaling(column, block, parts)
      for row in rows { unsafe target[row] = (Float(code(weights, row)) - zero) * scale }
    }
  }

  @inline(__always)
  private func scaling(_ column: Int, _ block: Int, _ parts: Parts) -> (scale: Float, zero: Float) {
    let scale = unsafe parts.scales[column * blocks + block]
    if let zeros = unsafe parts.floatZeros { return unsafe (scale, zeros[column * blocks + block]) }
    guard let zeros = unsafe parts.packedZeros else { return (scale, Float(1 << (bits - 1))) }
    return unsafe (scale, Float(code(zeros + column * zeroBytes, block)))
  }

  @inline(__always)
  private func code(_ packed: UnsafePointer<UInt8>, _ index: Int) -> UInt8 {
    let bit = index &* bits
    return unsafe packed[bit >> 3] >> UInt8(truncatingIfNeeded: bit & 7) & UInt8(truncatingIfNeeded: (1 << bits) &- 1)
  }
}
