import NNEngine
import Testing

/// Float products with weights of few bits against plain loops in the order that `CodeGemm` states, to the bit.
@Suite struct CodeGemmTests {
  static let pools = [1, 2, 3].map { ThreadPool(threads: $0) }

  /// Codes with scales and zero points, and the floats they stand for.
  struct Weights {
    let depth: Int, columns: Int, bits: Int, block: Int
    let isSigned: Bool
    let codes: [UInt8]
    let scales: [Float]
    let zeros: [Int32]

    /// - Parameter zeros: `nil` for a zero point of each block, else that of all.
    init(_ depth: Int, _ columns: Int, bits: Int, block: Int, isSigned: Bool, zero: Int32?, seed: Int = 1) {
      var noise = Noise(depth &* 13 &+ columns &+ seed)
      (self.depth, self.columns, self.bits, self.block, self.isSigned) = (depth, columns, bits, block, isSigned)
      let lowest = isSigned ? -(1 << (bits - 1)) : 0
      func code() -> Int { Int(noise.next() % UInt64(1 << bits)) + lowest }
      codes = (0..<depth * columns).map { _ in UInt8(truncatingIfNeeded: code()) }
      let blocks = (depth + block - 1) / block
      scales = (0..<columns * blocks).map { _ in Float(noise.next() % 1000 + 1) / 777 }
      zeros = (0..<columns * blocks).map { _ in zero ?? Int32(code()) }
    }

    var blocks: Int { (depth + block - 1) / block }

    /// A code less its zero point.
    func number(_ k: Int, _ column: Int) -> Float {
      let code = codes[k * columns + column]
      let number = isSigned ? Int32(Int8(bitPattern: code)) : Int32(code)
      return Float(number - zeros[column * blocks + k / block])
    }

    /// What one row of values, times a column, sums up to.
    func product(_ column: Int, _ value: (Int) -> Float) -> Float {
      var total: Float = 0
      for start in stride(from: 0, to: depth, by: Gemm.blockDepth) {
        let end = min(depth, start + Gemm.blockDepth)
        var (sum, k): (Float, Int) = (0, start)
        while k < end {
          let group = k / block
          var part: Float = 0
          while k < end, k / block == group {
            part = part.addingProduct(value(k), number(k, column))
            k += 1
          }
          sum = sum.addingProduct(part, scales[column * blocks + group])
        }
        total = start == 0 ? sum : total + sum
      }
      return total
    }

    /// Packed from rows, from columns, or from halves of bytes.
    func packed(_ form: Int, table: KernelTable, pool: ThreadPool) throws -> PackedCodeMatrix? {
      let offset: UInt8 = isSigned ? (bits == 8 ? 128 : 8) : 0
      var source = codes
      if form > 0 {
        for k in 0..<depth { for column in 0..<columns { source[column * depth + k] = codes[k * columns + column] } }
      }
      let rowBytes = (depth + 1) / 2
      if form == 2 {
        let bytes = source
        source = [UInt8](repeating: 0, count: columns * rowBytes)
        for column in 0..<columns {
          for k in 0..<depth {
            source[column * rowBytes + k / 2] |= ((bytes[column * depth + k] &+ offset) & 15) << UInt8(k % 2 * 4)
          }
        }
      }
      return try unsafe source.withUnsafeBufferPointer { source in
        try unsafe PackedCodeMatrix(
          PackedCodeMatrix.Source(
            depth: depth, columns: columns, bits: bits, block: block, codes: source.start,
            depthStride: form == 0 ? columns : 1, columnStride: [1, depth, rowBytes][form], isPacked: form == 2,
            offset: offset, scale: { scales[$1 * blocks + $0] }, zero: { zeros[$1 * blocks + $0] }),
          table: table, pool: pool)
      }
    }
  }

  private static func run(
    _ weights: PackedCodeMatrix, rows: Int, a: [Float], bias: [Float]?, _ activation: Activation, _ pool: ThreadPool
  ) -> [Float] {
    var c = [Float](repeating: 7, count: rows * weights.columns)
    unsafe a.withUnsafeBufferPointer { a in
      unsafe c.withUnsafeMutableBufferPointer { c in
        unsafe (bias ?? [0]).withUnsafeBufferPointer { values in
          unsafe CodeGemm.run(
            rows: rows, a: a.start, weights: weights, bias: bias == nil ? nil : values.baseAddress,
            activation: activation, c: c.start, pool: pool)
        }
      }
    }
    return c
  }

  private static func expected(_ weights: Weights, rows: Int, a: [Float], bias: [Float]?) -> [Float] {
    (0..<rows * weights.columns).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: weights.columns)
      let product = weights.product(column) { a[row * weights.depth + $0] }
      return bias.map { product + $0[column] } ?? product
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func everyFormGivesTheBitsOfPlainLoops(row: Int) throws {
    let table = KernelTable.all[row]
    for bits in [8, 4] {
      for (depth, columns, block) in [
        (1, 1, 1), (13, 33, 13), (40, 5, 16), (600, 17, 32), (515, 70, 515), (64, 31, 96), (1030, 66, 1024),
        (1030, 33, 96), (1029, 33, 24),
      ] {
        for (isSigned, zero) in [(true, 0), (false, 8), (false, 3), (true, nil), (false, nil)] as [(Bool, Int32?)] {
          let weights = Weights(depth, columns, bits: bits, block: block, isSigned: isSigned, zero: zero)
          for form in 0..<(bits == 4 ? 3 : 2) {
            let packed = try #require(try weights.packed(form, table: table, pool: Self.pools[1]))
            for rows in [1, 2, 5] {
              var noise = Noise(rows)
              let (a, bias) = (noise.values(rows * depth), noise.values(columns))
              let c = Self.run(packed, rows: rows, a: a, bias: bias, .identity, Self.pools[0])
              #expect(
                differences(c, Self.expected(weights, rows: rows, a: a, bias: bias)) == 0,
                "\(bits) bits, \(rows) x \(depth) x \(columns), blocks of \(block), zero \(zero ?? -1), form \(form)")
            }
          }
        }
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func everyBatchOnAnyThreadsGivesTheSameBits(row: Int) throws {
    let table = KernelTable.all[row]
    for (bits, block) in [(8, 1100), (4, 32)] {
      let weights = Weights(1100, 70, bits: bits, block: block, isSigned: true, zero: 0)
      let packed = try #require(try weights.packed(0, table: table, pool: Self.pools[1]))
      var noise = Noise(9)
      let (a, bias) = (noise.values(67 * 1100), noise.values(70))
      let whole = Self.run(packed, rows: 67, a: a, bias: bias, .gelu, Self.pools[0])
      #expect(
        differences(
          Self.run(packed, rows: 67, a: a, bias: bias, .identity, Self.pools[0]),
          Self.expected(weights, rows: 67, a: a, bias: bias)) == 0)
      // More rows than pass the panels together.
      let many = Self.run(packed, rows: 67 * 4, a: a + a + a + a, bias: bias, .gelu, Self.pools[2])
      #expect(differences(many, whole + whole + whole + whole) == 0)
      for rows in 1...67 where rows < 30 || rows % 9 == 0 {
        for pool in Self.pools[..<2] {
          let c = Self.run(packed, rows: rows, a: a, bias: bias, .gelu, pool)
          #expect(differences(c, Array(whole[..<(rows * 70)])) == 0, "\(rows) rows, \(pool.threadCount) threads")
        }
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func blocksOfBytesMayHaveAnyLength(row: Int) throws {
    for (depth, columns, block) in [(700, 17, 100), (530, 5, 7)] {
      for zero in [0, nil] as [Int32?] {
        let weights = Weights(depth, columns, bits: 8, block: block, isSigned: true, zero: zero)
        let packed = try #require(try weights.packed(0, table: KernelTable.all[row], pool: Self.pools[0]))
        var noise = Noise(depth)
        let a = noise.values(9 * depth)
        let c = Self.run(packed, rows: 9, a: a, bias: nil, .identity, Self.pools[1])
        #expect(differences(c, Self.expected(weights, rows: 9, a: a, bias: nil)) == 0)
      }
    }
  }

  @Test func blocksThatFillNoWordAreRefused() throws {
    let weights = Weights(24, 4, bits: 4, block: 12, isSigned: true, zero: 0)
    #expect(try weights.packed(0, table: .current, pool: Self.pools[0]) == nil)
  }

  @Test func weightsTakeTheirBits() throws {
    let weights = Weights(1024, 256, bits: 4, block: 32, isSigned: true, zero: 0)
    let packed = try #require(try weights.packed(0, table: .current, pool: Self.pools[0]))
    #expect(packed.byteCount == 1024 * 256 / 2 + 32 * 256 * 4)
  }
}
