import NNFormat
import TestSupport
import Testing

/// Arrays of strings in NumPy's two forms: code points of four bytes, and bytes.
@Suite struct NpyStringTests {
  private func read(_ bytes: [UInt8]) throws(FormatError) -> Tensor {
    try NpyFile.read(ByteRegion(AlignedBytes(copying: bytes), name: "x.npy"))
  }

  private func strings(_ tensor: Tensor) throws -> [[UInt8]] {
    guard case .strings(let strings) = tensor.storage else { throw FormatError(.mismatch, "no strings") }
    #expect(tensor.elementType == .string)
    return strings
  }

  private func tensor(_ values: [String], shape: [Int]) throws -> Tensor {
    try Tensor(elementType: .string, shape: shape, storage: .strings(values.map { Array($0.utf8) }))
  }

  /// The elements of a `<U` array as NumPy stores them.
  private func codePoints(_ values: [String], width: Int, isBigEndian: Bool = false) -> [UInt8] {
    values.flatMap { value in
      let codes = value.unicodeScalars.map(\.value)
      return (codes + Array(repeating: 0, count: width - codes.count)).flatMap { code in
        let bytes = (0..<4).map { UInt8(code >> (8 * $0) & 0xFF) }
        return isBigEndian ? bytes.reversed() : bytes
      }
    }
  }

  @Test func codePointsInBothByteOrders() throws {
    let values = ["setosa", "", "ä€😀", "a\0b"]
    for order in ["<", ">", "="] {
      let stored = codePoints(values, width: 6, isBigEndian: order == ">")
      let tensor = try read(npy(npyHeader("\(order)U6", "(2, 2)"), stored))
      #expect(tensor.shape == [2, 2])
      #expect(try strings(tensor) == values.map { Array($0.utf8) }, "\(order)")
    }
  }

  @Test func bytesLoseTheZerosAtTheirEnds() throws {
    let tensor = try read(npy(npyHeader("|S3", "(3,)"), [1, 0, 0, 0, 0, 0, 0xFF, 0, 0x61]))
    #expect(try strings(tensor) == [[1], [], [0xFF, 0, 0x61]])
  }

  @Test func fortranOrderIsRearranged() throws {
    // Element (i, j) is "ij"; the first index runs fastest.
    let stored = (0..<3).flatMap { j in (0..<2).flatMap { i in Array("\(i)\(j)".utf8) } }
    let tensor = try read(npy(npyHeader("|S2", "(2, 3)", fortran: true), stored))
    #expect(try strings(tensor) == ["00", "01", "02", "10", "11", "12"].map { Array($0.utf8) })
  }

  @Test(
    arguments: [(["no", "yes", "maybe"], [3]), (["ä", "", "😀😀"], [3, 1]), ([""], []), ([], [0, 2])]
      as [([String], [Int])])
  func whatIsWrittenIsReadAgain(_ values: [String], shape: [Int]) throws {
    let original = try tensor(values, shape: shape)
    let back = try read(NpyFile.bytes(of: original))
    #expect(back.shape == shape)
    #expect(try strings(back) == values.map { Array($0.utf8) })
    let folder = try TemporaryFolder()
    try NpzFile.write([("labels", original), ("n", Tensor([1] as [Int64]))], to: folder.file("x.npz"))
    let archive = try NpzFile.read(ByteRegion(MappedFile(path: folder.file("x.npz"))))
    #expect(try archive["labels"]?.hasSameElements(as: original) == true)
  }

  @Test func bytesThatAreNoTextAreWrittenAsBytes() throws {
    let values: [[UInt8]] = [[0xFF, 0xFE], [0x61]]
    let bytes = try NpyFile.bytes(of: Tensor(elementType: .string, shape: [2], storage: .strings(values)))
    #expect(String(decoding: bytes, as: UTF8.self).contains("'descr': '|S2'"))
    #expect(try strings(read(bytes)) == values)
    let text = try NpyFile.bytes(of: tensor(["abc", "d"], shape: [2]))
    #expect(String(decoding: text, as: UTF8.self).contains("'descr': '<U3'"))
  }

  @Test func hostileWidthsAndDamageAreTypedErrors() throws {
    let cases: [(String, FormatError.Kind)] = [
      (npyHeader("<U3", "(1,)"), .truncated), (npyHeader("|S5", "(1,)"), .truncated),
      (npyHeader("<U2305843009213693951", "(1,)"), .truncated),
      (npyHeader("<U2305843009213693951", "(2,)"), .limit), (npyHeader("<U9223372036854775807", "(1,)"), .unsupported),
      (npyHeader("<U99999999999999999999", "(1,)"), .unsupported), (npyHeader("<U-1", "(1,)"), .unsupported),
      (npyHeader("<U", "(1,)"), .unsupported), (npyHeader("<U1", "(4611686018427387904,)"), .limit),
      (npyHeader("|S0", "(1000000000000,)"), .limit), (npyHeader("<U1", "(-1,)"), .limit),
      (npyHeader("<U1", "(1000000000,)"), .truncated),
    ]
    for (header, kind) in cases {
      let error = #expect(throws: FormatError.self) { try read(npy(header, [0, 0, 0, 0])) }
      #expect(error?.kind == kind, "\(header)")
    }
    #expect(try strings(read(npy(npyHeader("<U0", "(3,)"), []))) == [[], [], []])
    // Beyond Unicode, and half of a pair of UTF-16.
    for bytes: [UInt8] in [[0, 0, 0x11, 0], [0, 0xD8, 0, 0]] {
      let error = #expect(throws: FormatError.self) { try read(npy(npyHeader("<U1", "(1,)"), bytes)) }
      #expect(error?.kind == .malformed)
    }
    let wide = try Tensor(
      elementType: .string, shape: [1 << 14],
      storage: .strings([Array(repeating: 0x61, count: 1 << 17)] + Array(repeating: [], count: (1 << 14) - 1)))
    let error = #expect(throws: FormatError.self) { try NpyFile.bytes(of: wide) }
    #expect(error?.kind == .limit)
  }
}
