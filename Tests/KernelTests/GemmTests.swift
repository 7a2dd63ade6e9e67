import NNEngine
import Testing

/// Every Gemm kernel of this machine against the plain definition, to the bit.
@Suite struct GemmTests {
  static let pools = [1, 2, 3, 4].map { ThreadPool(threads: $0) }
  static let depths = [0, 1, 2, 3, 5, 7, 13, 31, 64, 100, 512, 513, 1025]

  /// One problem with its expected result.
  struct Problem {
    let rows: Int, depth: Int, columns: Int
    let a: [Float], b: [Float], bias: [Float]
    let expected: [Float]

    init(rows: Int, depth: Int, columns: Int, seed: Int = 1) {
      var noise = Noise(rows &* 31 &+ depth &* 7 &+ columns &+ seed)
      let a = noise.values(rows * depth)
      let b = noise.values(depth * columns)
      let bias = noise.values(columns)
      (self.rows, self.depth, self.columns, self.a, self.b, self.bias) = (rows, depth, columns, a, b, bias)
      expected = referenceGemm(
        rows: rows, depth: depth, columns: columns, a: { a[$0 * depth + $1] }, b: { b[$0 * columns + $1] }, bias: bias)
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func everyTileHeightGivesTheDefinedBits(row: Int) throws {
    let table = KernelTable.all[row]
    for rows in 1...(2 * table.gemmRows + 1) {
      for (depth, columns) in [(13, 1), (31, 33), (513, 7)] {
        let problem = Problem(rows: rows, depth: depth, columns: columns)
        let weights = try packUnaligned(problem.b, depth: depth, columns: columns, table: table)
        let c = runGemm(
          rows: rows, a: problem.a, lda: depth, weights: weights, bias: problem.bias, ldc: columns, pool: Self.pools[0])
        #expect(differences(c, problem.expected) == 0, "\(rows) x \(depth) x \(columns)")
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func everyWidthAndDepthGivesTheDefinedBits(row: Int) throws {
    let table = KernelTable.all[row]
    for columns in [1, 2, 3, 5, 8, 11, 12, 17, 31, 32, 33, 63, 64, 65, 100, 129, 500] {
      for depth in Self.depths where columns * depth < 70_000 {
        for rows in [1, 3, 13] {
          let problem = Problem(rows: rows, depth: depth, columns: columns)
          let weights = try packUnaligned(problem.b, depth: depth, columns: columns, table: table)
          let c = runGemm(
            rows: rows, a: problem.a + [0], lda: depth, weights: weights, bias: problem.bias, ldc: columns,
            pool: Self.pools[1])
          #expect(differences(c, problem.expected) == 0, "\(rows) x \(depth) x \(columns)")
        }
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func aRowIsTheSameInEveryBatchAndOnAnyThreads(row: Int) throws {
    let table = KernelTable.all[row]
    // Large enough to be shared between threads even by the estimate for the fastest kernels, and to need two sections.
    let (depth, columns) = table.instructionSet == .scalar ? (1100, 70) : (4097, 170)
    var noise = Noise(5)
    let a = noise.values(67 * depth)
    let b = noise.values(depth * columns)
    let weights = try packUnaligned(b, depth: depth, columns: columns, table: table, pool: Self.pools[2])
    let whole = runGemm(
      rows: 67, a: a, lda: depth, weights: weights, bias: nil, activation: .tanh, ldc: columns, pool: Self.pools[0])
    for pool in Self.pools {
      for rows in [1, 2, 4, 5, 8, 9, 12, 13, 16, 33, 67] where table.instructionSet != .scalar || rows % 4 == 1 {
        for first in [0, 67 - rows] {
          let part = runGemm(
            rows: rows, a: [Float](a[first * depth..<(first + rows) * depth]), lda: depth, weights: weights, bias: nil,
            activation: .tanh, ldc: columns, pool: pool)
          let expected = [Float](whole[first * columns..<(first + rows) * columns])
          #expect(differences(part, expected) == 0, "\(rows) rows from \(first), \(pool.threadCount) threads")
        }
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func everyBatchUpTo67OnOneAndTwoThreadsGivesTheSameBits(row: Int) throws {
    let table = KernelTable.all[row]
    // Weights enough that two threads share even a single row.
    let (depth, columns) = (1100, 74)
    var noise = Noise(7)
    let a = noise.values(67 * depth)
    let bias = noise.values(columns)
    let weights = try packUnaligned(noise.values(depth * columns), depth: depth, columns: columns, table: table)
    func run(_ rows: Range<Int>, _ pool: ThreadPool) -> [Float] {
      runGemm(
        rows: rows.count, a: [Float](a[rows.lowerBound * depth..<rows.upperBound * depth]), lda: depth,
        weights: weights, bias: bias, activation: .gelu, ldc: columns, pool: pool)
    }
    let whole = run(0..<67, Self.pools[0])
    for rows in 1...67 {
      let first = rows * 29 % (68 - rows)
      let expected = [Float](whole[first * columns..<(first + rows) * columns])
      for pool in Self.pools[..<2] {
        let part = run(first..<first + rows, pool)
        #expect(differences(part, expected) == 0, "\(rows) rows from \(first), \(pool.threadCount) threads")
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func manyRowsAreCutIntoChunks(row: Int) throws {
    let table = KernelTable.all[row]
    for columns in [10, 40] {
      let problem = Problem(rows: 500, depth: 65, columns: columns)
      let weights = try packUnaligned(problem.b, depth: 65, columns: columns, table: table)
      for pool in Self.pools {
        let c = runGemm(
          rows: 500, a: problem.a, lda: 65, weights: weights, bias: problem.bias, ldc: columns, pool: pool)
        #expect(differences(c, problem.expected) == 0, "\(columns) columns, \(pool.threadCount) threads")
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func stridesAndTranspositionsAndAlpha(row: Int) throws {
    let table = KernelTable.all[row]
    for (rows, depth, columns) in [(1, 17, 33), (5, 100, 65), (13, 33, 7), (32, 513, 31), (100, 5, 100)] {
      var noise = Noise(rows)
      let (lda, ldc) = (depth + 3, columns + 5)
      let b = noise.values(depth * columns)
      let weights = try packUnaligned(b, depth: depth, columns: columns, isTransposed: true, alpha: 0.5, table: table)
      for isTransposed in [false, true] {
        let a = noise.values(isTransposed ? depth * (rows + 2) : rows * lda)
        let c = runGemm(
          rows: rows, a: a, lda: isTransposed ? rows + 2 : lda, isTransposed: isTransposed, weights: weights, bias: nil,
          ldc: ldc, gap: 7, pool: Self.pools[1])
        let expected = referenceGemm(
          rows: rows, depth: depth, columns: columns,
          a: { isTransposed ? a[$1 * (rows + 2) + $0] : a[$0 * lda + $1] }, b: { 0.5 * b[$1 * depth + $0] }, bias: nil)
        for i in 0..<rows {
          let row = [Float](c[i * ldc..<i * ldc + columns])
          #expect(differences(row, [Float](expected[i * columns..<(i + 1) * columns])) == 0)
          #expect(c[i * ldc + columns..<(i + 1) * ldc].allSatisfy { $0 == 7 }, "the gap was written")
        }
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func plainRightOperand(row: Int) {
    let table = KernelTable.all[row]
    for (rows, depth, columns) in [(1, 64, 31), (12, 65, 64), (33, 513, 65)] {
      let problem = Problem(rows: rows, depth: depth, columns: columns)
      let byteCount = Gemm.scratchByteCountWithPacking(
        rows: rows, depth: depth, columns: columns, table: table)
      var c = [Float](repeating: 0, count: rows * columns)
      unsafe withScratch(byteCount) { scratch in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe problem.a.withUnsafeBufferPointer { a in
            unsafe problem.b.withUnsafeBufferPointer { b in
              guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
              unsafe Gemm.run(
                rows: rows, depth: depth, columns: columns, a: a, lda: depth, b: b, ldb: columns, c: c, ldc: columns,
                scratch: scratch, pool: Self.pools[1], table: table)
            }
          }
        }
      }
      let expected = referenceGemm(
        rows: rows, depth: depth, columns: columns, a: { problem.a[$0 * depth + $1] },
        b: { problem.b[$0 * columns + $1] }, bias: nil)
      #expect(differences(c, expected) == 0)
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func fusedActivationEqualsSeparateOne(row: Int) throws {
    let table = KernelTable.all[row]
    for rows in [1, 7, 25] {
      let problem = Problem(rows: rows, depth: 33, columns: 47)
      let weights = try packUnaligned(problem.b, depth: 33, columns: 47, table: table)
      for activation in activations {
        let fused = runGemm(
          rows: rows, a: problem.a, lda: 33, weights: weights, bias: problem.bias, activation: activation, ldc: 47,
          pool: Self.pools[0])
        #expect(differences(fused, apply(activation, problem.expected, table)) == 0, "\(activation)")
      }
    }
  }

  @Test func theDefinitionIsAccurate() {
    let problem = Problem(rows: 3, depth: 1025, columns: 4)
    for i in 0..<3 {
      for j in 0..<4 {
        var exact = Double(problem.bias[j])
        for k in 0..<1025 { exact += Double(problem.a[i * 1025 + k]) * Double(problem.b[k * 4 + j]) }
        #expect(abs(Double(problem.expected[i * 4 + j]) - exact) < 1e-4)
      }
    }
  }
}
