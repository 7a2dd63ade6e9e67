import NNEngine
import Testing

/// The nearest bfloat16, ties to the even one, found by comparing distances.
func nearestBfloat16(_ x: Float) -> Float {
  guard x.isFinite else { return x }
  let low = Float(bitPattern: x.bitPattern & 0xffff_0000)
  // Past the largest finite value stands what would follow it, 2^128.
  let high = Float(bitPattern: low.bitPattern &+ 0x1_0000)
  let next = high.isFinite ? Double(high) : (x < 0 ? -1 : 1) * 0x1p128
  let (below, above) = (abs(Double(x) - Double(low)), abs(next - Double(x)))
  if below != above { return below < above ? low : high }
  return low.bitPattern >> 16 & 1 == 0 ? low : high
}

/// Gemm kernels with weights in bfloat16 against float32 arithmetic with rounded weights, to the bit.
@Suite struct Bfloat16GemmTests {
  static let pools = [1, 2].map { ThreadPool(threads: $0) }

  private func check(
    rows: Int, depth: Int, columns: Int, isTransposed: Bool = false, alpha: Float = 1, _ table: KernelTable,
    pool: ThreadPool = pools[0]
  ) throws {
    var noise = Noise(rows &* 31 &+ depth &* 7 &+ columns)
    let (a, b, bias) = (noise.values(rows * depth), noise.values(depth * columns), noise.values(columns))
    let weights = try packUnaligned(
      b, depth: depth, columns: columns, isTransposed: isTransposed, alpha: alpha, precision: .bfloat16, table: table)
    let c = runGemm(
      rows: rows, a: a + [0], lda: depth, weights: weights, bias: bias, ldc: columns, pool: pool)
    let expected = referenceGemm(
      rows: rows, depth: depth, columns: columns, a: { a[$0 * depth + $1] },
      b: { nearestBfloat16(alpha * b[isTransposed ? $1 * depth + $0 : $0 * columns + $1]) }, bias: bias)
    #expect(differences(c, expected) == 0, "\(rows) x \(depth) x \(columns)")
  }

  @Test(arguments: KernelTable.all.indices)
  func everyTileHeightGivesTheDefinedBits(row: Int) throws {
    let table = KernelTable.all[row]
    for rows in 1...(2 * table.gemmRows + 1) {
      for (depth, columns) in [(13, 1), (31, 33), (513, 7)] {
        try check(rows: rows, depth: depth, columns: columns, table)
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func everyWidthAndDepthGivesTheDefinedBits(row: Int) throws {
    for columns in [1, 2, 5, 8, 12, 17, 31, 32, 33, 63, 65, 100, 129] {
      for depth in [0, 1, 3, 13, 64, 512, 513, 1025] where columns * depth < 70_000 {
        for rows in [1, 3, 13] {
          try check(rows: rows, depth: depth, columns: columns, KernelTable.all[row], pool: Self.pools[1])
        }
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func roundsAfterTheFactor(row: Int) throws {
    for (rows, depth, columns) in [(1, 17, 33), (5, 100, 65), (32, 513, 31)] {
      for isTransposed in [false, true] {
        try check(
          rows: rows, depth: depth, columns: columns, isTransposed: isTransposed, alpha: 0.3, KernelTable.all[row])
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func everyBatchUpTo67OnOneAndTwoThreadsGivesTheSameBits(row: Int) throws {
    let table = KernelTable.all[row]
    // Weights enough that two threads share even a single row.
    let (depth, columns) = (1100, 150)
    var noise = Noise(8)
    let a = noise.values(67 * depth)
    let weights = try packUnaligned(
      noise.values(depth * columns), depth: depth, columns: columns, precision: .bfloat16, table: table)
    func run(_ rows: Range<Int>, _ pool: ThreadPool) -> [Float] {
      runGemm(
        rows: rows.count, a: [Float](a[rows.lowerBound * depth..<rows.upperBound * depth]), lda: depth,
        weights: weights, bias: nil, activation: .tanh, ldc: columns, pool: pool)
    }
    let whole = run(0..<67, Self.pools[0])
    for rows in 1...67 {
      let first = rows * 29 % (68 - rows)
      let expected = [Float](whole[first * columns..<(first + rows) * columns])
      for pool in Self.pools {
        let part = run(first..<first + rows, pool)
        #expect(differences(part, expected) == 0, "\(rows) rows from \(first), \(pool.threadCount) threads")
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func roundsEveryKindOfNumber(row: Int) throws {
    var noise = Noise(9)
    var values: [Float] = [
      0, 1, -1, .infinity, -.infinity, .nan, Float(bitPattern: 0x7f80_0001), .greatestFiniteMagnitude,
      -.greatestFiniteMagnitude, Float(bitPattern: 0x7f7f_7fff), Float(bitPattern: 0x7f7f_8000),
      .leastNormalMagnitude, .leastNonzeroMagnitude, Float(bitPattern: 0x0000_8000), Float(bitPattern: 0x0000_8001),
      // Ties, to even downwards and upwards, and their neighbours.
      Float(bitPattern: 0x3f80_8000), Float(bitPattern: 0x3f81_8000), Float(bitPattern: 0x3f80_7fff),
      Float(bitPattern: 0x3f80_8001), Float(bitPattern: 0xbf81_8000),
    ]
    while values.count < 500 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: noise.next() >> 16))
      // A sum that starts at zero does not keep the sign of a zero.
      if nearestBfloat16(value) != 0 { values.append(value) }
    }
    let weights = try packUnaligned(
      values, depth: 1, columns: values.count, precision: .bfloat16, table: KernelTable.all[row])
    let c = runGemm(
      rows: 1, a: [1], lda: 1, weights: weights, bias: nil, ldc: values.count, pool: Self.pools[0])
    #expect(differences(c, values.map(nearestBfloat16)) == 0)
  }

  @Test(arguments: KernelTable.all.indices)
  func takesHalfTheMemory(row: Int) throws {
    let table = KernelTable.all[row]
    let values = [Float](repeating: 1, count: 7 * 40)
    let (wide, narrow) = (
      try packUnaligned(values, depth: 7, columns: 40, table: table),
      try packUnaligned(values, depth: 7, columns: 40, precision: .bfloat16, table: table)
    )
    #expect(wide.byteCount == 2 * narrow.byteCount)
    #expect(table.gemmName(.float32).contains("f32_") && table.gemmName(.bfloat16).contains("bf16_"))
  }
}
