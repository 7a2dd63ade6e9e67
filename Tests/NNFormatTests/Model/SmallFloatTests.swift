import NNFormat
import Testing

/// Codes of 4 to 8 bits against the definition of their formats and the tables of the operator Cast.
@Suite struct SmallFloatTests {
  private static let types: [ElementType] = [
    .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float4e2m1, .float6e2m3, .float6e3m2,
  ]

  private func format(_ type: ElementType) throws -> SmallFloat { try #require(SmallFloat.format(of: type)) }

  /// The finite values of a type with their codes.
  private func finite(_ type: ElementType) throws -> [(code: UInt8, value: Double)] {
    let values = try format(type).values
    return (0..<1 << (type.bitWidth ?? 8)).compactMap { code in
      values[code].isFinite ? (UInt8(code), Double(values[code])) : nil
    }
  }

  @Test(arguments: types) func everyValueKeepsItsCode(_ type: ElementType) throws {
    for (code, value) in try finite(type) {
      #expect(try format(type).encode(value, saturates: false) == code, "\(type) \(value)")
    }
  }

  @Test(arguments: types) func numbersGoToTheNearestValue(_ type: ElementType) throws {
    let all = try finite(type)
    let values = all.map(\.value).sorted()
    // Between each two neighbours: the middle, which goes to the even code, and a little to either side.
    for (low, high) in zip(values, values.dropFirst()) where low != high {
      let middle = (low + high) / 2
      let below = try format(type).encode(middle - (high - low) / 1024, saturates: true)
      let above = try format(type).encode(middle + (high - low) / 1024, saturates: true)
      let tie = try format(type).encode(middle, saturates: true)
      let decoded = try [below, above, tie].map { Double(try format(type).values[Int($0)]) }
      #expect(decoded[0] == low && decoded[1] == high, "\(type) around \(middle)")
      #expect(tie & 1 == 0 && (decoded[2] == low || decoded[2] == high), "\(type) at \(middle)")
    }
  }

  @Test func largestNumbers() throws {
    let expected: [(ElementType, Double)] = [
      (.float8e4m3fn, 448), (.float8e4m3fnuz, 240), (.float8e5m2, 57344), (.float8e5m2fnuz, 57344),
      (.float4e2m1, 6), (.float6e2m3, 7.5), (.float6e3m2, 28),
    ]
    for (type, largest) in expected { #expect(try finite(type).map(\.value).max() == largest, "\(type)") }
  }

  /// 0, -0, NaN, infinity, -infinity, too large, too small; with and without saturation.
  @Test func specialNumbers() throws {
    let inputs: [Double] = [0, -0.0, .nan, .infinity, -.infinity, 1e9, -1e9]
    let saturating: [ElementType: [UInt8]] = [
      .float8e4m3fn: [0, 0x80, 0x7F, 0x7E, 0xFE, 0x7E, 0xFE], .float8e4m3fnuz: [0, 0, 0x80, 0x7F, 0xFF, 0x7F, 0xFF],
      .float8e5m2: [0, 0x80, 0x7E, 0x7B, 0xFB, 0x7B, 0xFB], .float8e5m2fnuz: [0, 0, 0x80, 0x7F, 0xFF, 0x7F, 0xFF],
    ]
    let overflowing: [ElementType: [UInt8]] = [
      .float8e4m3fn: [0, 0x80, 0x7F, 0x7F, 0xFF, 0x7F, 0xFF], .float8e4m3fnuz: [0, 0, 0x80, 0x80, 0x80, 0x80, 0x80],
      .float8e5m2: [0, 0x80, 0x7E, 0x7C, 0xFC, 0x7C, 0xFC], .float8e5m2fnuz: [0, 0, 0x80, 0x80, 0x80, 0x80, 0x80],
    ]
    for (saturates, table) in [(true, saturating), (false, overflowing)] {
      for (type, codes) in table {
        let format = try format(type)
        #expect(inputs.map { format.encode($0, saturates: saturates) } == codes, "\(type), saturates: \(saturates)")
      }
    }
  }

  @Test func powersOfTwo() {
    for code in 0..<UInt8.max {
      for rounding in [ScaleExponent.Rounding.up, .down, .nearest] {
        #expect(ScaleExponent.encode(Double(ScaleExponent.decode(code)), rounding, saturates: false) == code)
      }
    }
    #expect(ScaleExponent.decode(0xFF).isNaN && ScaleExponent.encode(.nan, .up, saturates: true) == 0xFF)
    let between: [(Double, UInt8, UInt8, UInt8)] = [
      (1.25, 128, 127, 127), (1.5, 128, 127, 128), (1.75, 128, 127, 128), (0x1.8p-126, 2, 1, 2),
    ]
    for (value, up, down, nearest) in between {
      #expect(ScaleExponent.encode(value, .up, saturates: false) == up)
      #expect(ScaleExponent.encode(value, .down, saturates: false) == down)
      #expect(ScaleExponent.encode(value, .nearest, saturates: false) == nearest)
    }
    // The two columns of the standard's table: 0, infinity, too large, too small.
    let special: [Double] = [0, .infinity, 0x1p200, 0x1p-140]
    #expect(special.map { ScaleExponent.encode($0, .up, saturates: true) } == [0, 0xFE, 0xFE, 0])
    #expect(special.map { ScaleExponent.encode($0, .nearest, saturates: false) } == [0xFF, 0xFF, 0xFF, 0xFF])
  }

  // MARK: Packing

  @Test func packingOrder() {
    #expect(PackedElements.packed([1, 2, 3], .uint4) == [0x21, 0x03])
    #expect(PackedElements.packed([1, 2, 3, 0, 1], .uint2) == [0b00_11_10_01, 0b01])
    #expect(PackedElements.packed([0x3F, 0, 0x3F, 0], .float6e3m2) == [0x3F, 0xF0, 0x03])
    #expect(PackedElements.unpacked([0x8F], .int4, count: 2) == [0xFF, 0xF8])
    #expect(PackedElements.unpacked([0b10_01_11_00], .int2, count: 4) == [0, 0xFF, 1, 0xFE])
  }

  @Test(arguments: [ElementType.uint2, .int2, .uint4, .int4, .float4e2m1, .float6e2m3, .float6e3m2])
  func packingRoundTrip(_ type: ElementType) {
    let codes = 1 << (type.bitWidth ?? 8)
    for count in 0..<70 {
      let bits = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 % codes) }
      let packed = PackedElements.packed(bits, type)
      #expect(packed.count == type.byteCount(of: count))
      #expect(PackedElements.packed(PackedElements.unpacked(packed, type, count: count), type) == packed)
      #expect(PackedElements.unpacked(packed, type, count: count).map { Int($0) & (codes - 1) } == bits.map { Int($0) })
    }
  }

  @Test func rowsOfSmallElements() throws {
    let values: [Double] = [-8, 7, 3, -1, 0, 5, 2, -3, 1]
    let tensor = try Tensor(values, shape: [3, 3]).converted(to: .int4)
    let parts = try (0..<3).map { try tensor.rows($0..<$0 + 1) }
    #expect(try parts.map { try $0.doubles() } == [[-8, 7, 3], [-1, 0, 5], [2, -3, 1]])
    #expect(try Tensor.joined(parts).hasSameElements(as: tensor))
    let text = try Tensor(elementType: .string, shape: [2], storage: .strings([[65], [66, 67]]))
    #expect(try Tensor.joined([text.rows(1..<2), text.rows(0..<1)]).texts() == ["BC", "A"])
  }
}
