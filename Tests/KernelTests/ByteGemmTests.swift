import NNEngine
import Testing

/// Every integer Gemm kernel of this machine against the plain definition, to the bit.
@Suite struct ByteGemmTests {
  static let kernels = KernelTable.all.flatMap { IntegerKernels.all(for: $0) }
  static let pools = [1, 2, 3].map { ThreadPool(threads: $0) }

  /// One problem: codes, weights, zero points.
  struct Problem {
    let rows: Int, depth: Int, columns: Int
    let isSigned: (left: Bool, right: Bool)
    let a: [UInt8], b: [UInt8]
    let leftZeros: [Int32], rightZeros: [Int32]

    /// - Parameters:
    ///   - reach: the largest magnitude of the weights less their zero point.
    init(
      rows: Int, depth: Int, columns: Int, leftIsSigned: Bool = false, rightIsSigned: Bool = true,
      leftZeros: Int = 1, rightZeros: Int = 0, reach: Int = 128, seed: Int = 1
    ) {
      var noise = Noise(rows &* 31 &+ depth &* 7 &+ columns &+ seed)
      (self.rows, self.depth, self.columns) = (rows, depth, columns)
      isSigned = (leftIsSigned, rightIsSigned)
      // The extremes often, since they are what saturates.
      a = (0..<rows * depth).map { _ in noise.next() % 4 == 0 ? (leftIsSigned ? 127 : 255) : UInt8(noise.next() % 256) }
      b = (0..<depth * columns).map { _ in
        let value = noise.next() % 4 == 0 ? reach - 1 : Int(noise.next() % UInt64(2 * reach)) - reach
        return UInt8(truncatingIfNeeded: rightIsSigned ? value : value + 128)
      }
      func zeros(_ count: Int, isSigned: Bool) -> [Int32] {
        (0..<max(count, 1)).map { _ in count == 0 ? 0 : Int32(noise.next() % 256) - (isSigned ? 128 : 0) }
      }
      self.leftZeros = zeros(leftZeros, isSigned: leftIsSigned)
      self.rightZeros = zeros(rightZeros, isSigned: rightIsSigned)
    }

    private func number(_ code: UInt8, _ isSigned: Bool) -> Int32 {
      isSigned ? Int32(Int8(bitPattern: code)) : Int32(code)
    }

    /// The sums by definition.
    var sums: [Int32] {
      var result: [Int32] = []
      for row in 0..<rows {
        let leftZero = leftZeros[leftZeros.count == 1 ? 0 : row]
        for column in 0..<columns {
          let rightZero = rightZeros[rightZeros.count == 1 ? 0 : column]
          var sum: Int32 = 0
          for k in 0..<depth {
            sum &+=
              (number(a[row * depth + k], isSigned.left) - leftZero)
              &* (number(b[k * columns + column], isSigned.right) - rightZero)
          }
          result.append(sum)
        }
      }
      return result
    }

    func packed(_ kernels: IntegerKernels?, isTransposed: Bool = false, pool: ThreadPool) throws -> PackedByteMatrix {
      var source = b
      if isTransposed {
        for k in 0..<depth { for column in 0..<columns { source[column * depth + k] = b[k * columns + column] } }
      }
      return try unsafe (source + [0]).withUnsafeBufferPointer { source in
        try unsafe PackedByteMatrix(
          depth: depth, columns: columns, source: source.start,
          isTransposed: isTransposed, isSigned: isSigned.right, zeros: rightZeros, kernels: kernels, pool: pool)
      }
    }

    func run(_ weights: PackedByteMatrix, _ result: ByteGemm.Result, _ pool: ThreadPool) {
      let zeros = leftZeros.map { $0 + (isSigned.left ? 128 : 0) }
      let scratch = unsafe UnsafeMutableRawPointer.allocate(
        byteCount: ByteGemm.scratchByteCount(rows: rows, weights: weights) + 64, alignment: 64)
      defer { unsafe scratch.deallocate() }
      unsafe (a + [0]).withUnsafeBufferPointer { a in
        unsafe zeros.withUnsafeBufferPointer { zeros in
          unsafe ByteGemm(
            rows: rows, left: .codes(a.start, isSigned: isSigned.left),
            zeros: zeros.start, zeroStride: zeros.count == 1 ? 0 : 1, weights: weights, result: result
          ).run(scratch, pool)
        }
      }
    }

    func integers(_ weights: PackedByteMatrix, _ pool: ThreadPool) -> [Int32] {
      var c = [Int32](repeating: 7, count: rows * columns)
      unsafe c.withUnsafeMutableBufferPointer { c in
        guard let c = c.baseAddress else { return }
        unsafe run(weights, .integers(c), pool)
      }
      return c
    }
  }

  @Test(arguments: kernels.indices)
  func everyTileHeightWidthAndDepthGivesTheExactSums(row: Int) throws {
    let kernels = Self.kernels[row]
    for rows in 1...(2 * kernels.rows + 1) {
      for (depth, columns) in [(1, 1), (3, 17), (13, 33), (130, 5)] {
        let problem = Problem(rows: rows, depth: depth, columns: columns)
        let weights = try problem.packed(kernels, pool: Self.pools[0])
        #expect(problem.integers(weights, Self.pools[0]) == problem.sums, "\(rows) x \(depth) x \(columns)")
      }
    }
    for columns in [1, 2, 15, 16, 17, 31, 32, 33, 64, 65, 100] {
      for depth in [0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 255] {
        let problem = Problem(rows: 3, depth: depth, columns: columns)
        let weights = try problem.packed(kernels, pool: Self.pools[1])
        #expect(problem.integers(weights, Self.pools[1]) == problem.sums, "3 x \(depth) x \(columns)")
      }
    }
  }

  @Test(arguments: kernels.indices)
  func signsZeroPointsAndOrdersOfBothSides(row: Int) throws {
    for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
      for (leftZeros, rightZeros) in [(0, 0), (1, 1), (5, 1), (1, 19), (5, 19)] {
        for isTransposed in [false, true] {
          let problem = Problem(
            rows: 5, depth: 37, columns: 19, leftIsSigned: left, rightIsSigned: right, leftZeros: leftZeros,
            rightZeros: rightZeros)
          let weights = try problem.packed(Self.kernels[row], isTransposed: isTransposed, pool: Self.pools[0])
          #expect(
            problem.integers(weights, Self.pools[0]) == problem.sums,
            "\(left) \(right) \(leftZeros) \(rightZeros) \(isTransposed)")
        }
      }
    }
  }

  /// More depth than a block, and more rows than a chunk: of weights that stay near and of others, shared between threads.
  @Test(arguments: kernels.indices)
  func deepProductsOfManyRowsGiveTheExactSums(row: Int) throws {
    let kernels = Self.kernels[row]
    for problem in [
      Problem(rows: 3, depth: 13_001, columns: 18), Problem(rows: 2, depth: 300, columns: 800),
      Problem(rows: 270, depth: 4000, columns: 20, leftZeros: 270, rightZeros: 20),
      Problem(rows: 20 * kernels.rows + 7, depth: 600, columns: 450),
    ] {
      let weights = try problem.packed(kernels, pool: Self.pools[2])
      for pool in Self.pools { #expect(problem.integers(weights, pool) == problem.sums) }
    }
  }

  @Test func weightsDecideTheKernelAndTakeOneByteEach() throws {
    let pool = Self.pools[0]
    let best = IntegerKernels.best(for: .current)
    let small = Problem(rows: 2, depth: 512, columns: 64, reach: 60)
    let large = Problem(rows: 2, depth: 512, columns: 64, reach: 128)
    for problem in [small, large] {
      let weights = try problem.packed(nil, pool: pool)
      #expect(problem.integers(weights, pool) == problem.sums)
      #expect(weights.byteCount <= 512 * 64 + 64 * 4)
    }
    #expect(try small.packed(nil, pool: pool).kernels.name == best.name)
    if best.splitsWeights { #expect(try large.packed(nil, pool: pool).kernels.name != best.name) }
  }

  @Test(arguments: kernels.indices)
  func sumsBecomeFloatsAndCodesByTheirScales(row: Int) throws {
    for rows in [1, 7, 130] {
      for columns in [1, 16, 37] {
        let problem = Problem(rows: rows, depth: 50, columns: columns)
        let weights = try problem.packed(Self.kernels[row], pool: Self.pools[0])
        var noise = Noise(rows + columns)
        let rowScales = (0..<rows).map { _ in Float(noise.next() % 1000 + 1) / 1e5 }
        let columnScales = (0..<columns).map { _ in Float(noise.next() % 1000 + 1) / 1e3 }
        let bias = noise.values(columns)
        for (divides, stride) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
          var expected: [Float] = []
          for (index, sum) in problem.sums.enumerated() {
            let factor = rowScales[index / columns * stride] * columnScales[index % columns]
            let value = (divides ? Float(sum) / factor : Float(sum) * factor) + bias[index % columns]
            expected.append(max(value, 0))
          }
          let paddedScales = try ColumnValues(columnScales, fill: 1)
          let paddedBias = try ColumnValues(bias, fill: 0)
          for pool in Self.pools {
            unsafe rowScales.withUnsafeBufferPointer { rowScales in
              let scaling = unsafe ByteGemm.Scaling(
                rowScales: rowScales.start, rowStride: stride, columnScales: paddedScales.base, divides: divides,
                bias: paddedBias.base, activation: .relu)
              var c = [Float](repeating: 7, count: rows * columns)
              unsafe c.withUnsafeMutableBufferPointer { unsafe problem.run(weights, .floats($0.start, scaling), pool) }
              #expect(differences(c, expected) == 0)
              var range: [Float] = [7, 7]
              unsafe c.withUnsafeMutableBufferPointer { c in
                unsafe range.withUnsafeMutableBufferPointer { range in
                  unsafe problem.run(weights, .floats(c.start, scaling, range: range.start), pool)
                }
              }
              #expect(range == [0, expected.reduce(0, max)])
              let rounding = ByteGemm.Rounding(scale: 0.37, zero: -3, lowest: -128, highest: 127)
              var codes = [UInt8](repeating: 7, count: rows * columns)
              unsafe codes.withUnsafeMutableBufferPointer {
                unsafe problem.run(weights, .codes($0.start, scaling, rounding), pool)
              }
              #expect(codes == expected.map { Self.code($0, scale: 0.37, zero: -3, lowest: -128, highest: 127) })
            }
          }
        }
      }
    }
  }

  /// Floats become codes on the way, row by row with scales of their own, or all with one.
  @Test(arguments: kernels.indices)
  func floatsBecomeCodesOnTheWay(row: Int) throws {
    let problem = Problem(rows: 9, depth: 45, columns: 21)
    let weights = try problem.packed(Self.kernels[row], pool: Self.pools[0])
    var noise = Noise(3)
    var x = noise.values(9 * 45).map { $0 * 9 }
    x[5] = .nan
    x[50] = .infinity
    x[100] = -.infinity
    let scales = (0..<9).map { _ in Float(noise.next() % 100 + 5) / 1e3 }
    for multiplies in [false, true] {
      for stride in [0, 1] {
        let codes = x.indices.map { index in
          Self.code(
            x[index], scale: scales[index / 45 * stride], zero: 117, lowest: 3, highest: 250, multiplies: multiplies)
        }
        var expected: [Int32] = []
        for i in 0..<9 {
          for j in 0..<21 {
            var sum: Int32 = 0
            for k in 0..<45 {
              sum += (Int32(codes[i * 45 + k]) - 117) * Int32(Int8(bitPattern: problem.b[k * 21 + j]))
            }
            expected.append(sum)
          }
        }
        let scratch = unsafe UnsafeMutableRawPointer.allocate(
          byteCount: ByteGemm.scratchByteCount(rows: 9, weights: weights), alignment: 64)
        defer { unsafe scratch.deallocate() }
        var c = [Int32](repeating: 0, count: 9 * 21)
        let zero: [Int32] = [117]
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe x.withUnsafeBufferPointer { x in
            unsafe scales.withUnsafeBufferPointer { scales in
              unsafe zero.withUnsafeBufferPointer { zero in
                let form = unsafe ByteGemm.FloatCodes(
                  scales: scales.start, stride: stride, multiplies: multiplies, lowest: 3, highest: 250)
                unsafe ByteGemm(
                  rows: 9, left: .floats(x.start, form), zeros: zero.start, zeroStride: 0,
                  weights: weights, result: .integers(c.start)
                ).run(scratch, Self.pools[1])
              }
            }
          }
        }
        #expect(c == expected)
      }
    }
  }

  static func code(
    _ value: Float, scale: Float, zero: Int32, lowest: Int32, highest: Int32, multiplies: Bool = false
  ) -> UInt8 {
    let scaled = multiplies ? value * scale : value / scale
    guard !scaled.isNaN else { return UInt8(truncatingIfNeeded: lowest) }
    let rounded = min(max(scaled, -1e6), 1e6).rounded(.toNearestOrEven)
    return UInt8(truncatingIfNeeded: min(max(Int32(rounded) + zero, lowest), highest))
  }
}
