import NNEngine
import Testing

/// A repeatable source of numbers.
struct Noise {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0x9e37_79b9_7f4a_7c15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  /// `count` values in -1..<1.
  mutating func values(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(next() >> 40) / Float(1 << 23) - 1 }
  }
}

/// The definition of Gemm's result, element by element: k-blocks in order, a chain of FMA in each.
///
/// - Parameters: `a` and `b` give the elements (row, k) and (k, column).
func referenceGemm(
  rows: Int, depth: Int, columns: Int, a: (Int, Int) -> Float, b: (Int, Int) -> Float, bias: [Float]?
) -> [Float] {
  var c: [Float] = []
  c.reserveCapacity(rows * columns)
  for i in 0..<rows {
    for j in 0..<columns {
      var total: Float = 0
      for start in stride(from: 0, to: depth, by: Gemm.blockDepth) {
        var sum: Float = 0
        for k in start..<min(depth, start + Gemm.blockDepth) { sum = sum.addingProduct(a(i, k), b(k, j)) }
        total = start == 0 ? sum : total + sum
      }
      c.append(bias.map { total + $0[j] } ?? total)
    }
  }
  return c
}

/// Elements whose bits differ. Two NaN count as equal.
func differences(_ left: [Float], _ right: [Float]) -> Int {
  guard left.count == right.count else { return max(left.count, right.count) }
  return zip(left, right).reduce(0) { sum, pair in
    let isEqual = pair.0.bitPattern == pair.1.bitPattern || (pair.0.isNaN && pair.1.isNaN)
    return sum + (isEqual ? 0 : 1)
  }
}

/// `Gemm.run` on arrays: C with rows `ldc` apart, gaps filled with `gap`. The way that it does not choose by itself has to
/// give the same bits.
func runGemm(
  rows: Int, a: [Float], lda: Int, isTransposed: Bool = false, weights: PackedMatrix, bias: [Float]?,
  activation: Activation = .identity, ldc: Int, gap: Float = 7, pool: ThreadPool
) -> [Float] {
  func run(_ path: Gemm.Path) -> [Float] {
    runGemm(
      path, rows: rows, a: a, lda: lda, isTransposed: isTransposed, weights: weights, bias: bias,
      activation: activation, ldc: ldc, gap: gap, pool: pool)
  }
  let c = run(.automatic)
  if !isTransposed {
    let other = run(Gemm.streams(rows: rows, weights: weights, pool: pool) ? .tiled : .streamed)
    #expect(differences(c, other) == 0, "streamed and tiled, \(rows) x \(weights.depth) x \(weights.columns)")
  }
  return c
}

private func runGemm(
  _ path: Gemm.Path, rows: Int, a: [Float], lda: Int, isTransposed: Bool, weights: PackedMatrix, bias: [Float]?,
  activation: Activation, ldc: Int, gap: Float, pool: ThreadPool
) -> [Float] {
  var c = [Float](repeating: gap, count: rows * ldc)
  let byteCount = Gemm.scratchByteCount(
    rows: rows, depth: weights.depth, columns: weights.columns, table: weights.table)
  unsafe withScratch(byteCount) { scratch in
    unsafe a.withUnsafeBufferPointer { a in
      unsafe (bias ?? []).withUnsafeBufferPointer { biasBuffer in
        unsafe c.withUnsafeMutableBufferPointer { c in
          guard let a = a.baseAddress, let c = c.baseAddress else { return }
          unsafe Gemm.run(
            rows: rows, a: a, lda: lda, isTransposed: isTransposed, weights: weights,
            bias: bias == nil ? nil : biasBuffer.baseAddress, activation: activation, c: c, ldc: ldc,
            scratch: scratch, pool: pool, path: path)
        }
      }
    }
  }
  return c
}

/// Calls `body` with memory of the given size followed by guard bytes that must survive.
func withScratch(_ byteCount: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
  let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount + 64, alignment: 64)
  defer { unsafe memory.deallocate() }
  unsafe (memory + byteCount).initializeMemory(as: UInt8.self, repeating: 0xa5, count: 64)
  unsafe body(memory)
  for offset in 0..<64 {
    let byte = unsafe memory.load(fromByteOffset: byteCount + offset, as: UInt8.self)
    precondition(byte == 0xa5, "the scratch memory was overrun")
  }
}

/// Weights from row-major values at an address that is not a multiple of four.
func packUnaligned(
  _ values: [Float], depth: Int, columns: Int, isTransposed: Bool = false, alpha: Float = 1,
  precision: EngineOptions.Precision = .float32, table: KernelTable, pool: ThreadPool = ThreadPool(threads: 1)
) throws -> PackedMatrix {
  let bytes = unsafe [UInt8](repeating: 0, count: 1) + values.withUnsafeBytes { unsafe [UInt8]($0) }
  return try unsafe bytes.withUnsafeBytes { buffer in
    try unsafe PackedMatrix(
      depth: depth, columns: columns, source: UnsafeRawBufferPointer(rebasing: buffer[1...]),
      isTransposed: isTransposed, alpha: alpha, precision: precision, table: table, pool: pool)
  }
}

extension UnsafeBufferPointer {
  /// The address of the first element; the buffer is not empty.
  var start: UnsafePointer<Element> {
    guard let base = baseAddress else { preconditionFailure("an empty buffer has no start") }
    return unsafe base
  }
}

extension UnsafeMutableBufferPointer {
  /// The address of the first element; the buffer is not empty.
  var start: UnsafeMutablePointer<Element> {
    guard let base = baseAddress else { preconditionFailure("an empty buffer has no start") }
    return unsafe base
  }
}
