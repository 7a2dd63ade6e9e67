import NNFormat
import TestSupport
import Testing

/// The bytes of a `.npy` file.
func npy(_ header: String, _ elements: [UInt8], version: UInt8 = 1) -> [UInt8] {
  let text = Array(header.utf8)
  let length = (0..<(version == 1 ? 2 : 4)).map { UInt8(text.count >> (8 * $0) & 0xff) }
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + elements
}

/// A header as NumPy writes it.
func npyHeader(_ descriptor: String, _ shape: String, fortran: Bool = false) -> String {
  "{'descr': '\(descriptor)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n"
}

@Suite struct NpyTests {
  private func read(_ bytes: [UInt8]) throws(FormatError) -> Tensor {
    try NpyFile.read(ByteRegion(AlignedBytes(copying: bytes), name: "x.npy"))
  }

  @Test(arguments: [1, 2, 3] as [UInt8]) func everyHeaderVersion(_ version: UInt8) throws {
    let tensor = try read(npy(npyHeader("|u1", "(2, 3)"), [1, 2, 3, 4, 5, 6], version: version))
    #expect(tensor.shape == [2, 3])
    #expect(try tensor.elements(as: UInt8.self) == [1, 2, 3, 4, 5, 6])
  }

  @Test func headerSpellings() throws {
    for header in [
      "{'shape':(2,),'fortran_order':False,'descr':'<i2'}",
      "{ 'descr' : '<i2', 'fortran_order' : False, 'shape' : (2 ,) }",
      "{\"descr\": \"<i2\", \"fortran_order\": False, \"shape\": (2,)}",
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2L,), }   \n",
    ] {
      #expect(try read(npy(header, [1, 0, 2, 0])).elements(as: Int16.self) == [1, 2], "\(header)")
    }
  }

  @Test func everyElementTypeInBothByteOrders() throws {
    let types: [(String, ElementType, [UInt8], Double)] = [
      ("f2", .float16, [0x00, 0x3e], 1.5), ("f4", .float32, [0, 0, 0xc0, 0x3f], 1.5),
      ("f8", .float64, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5), ("i2", .int16, [0xfe, 0xff], -2),
      ("i4", .int32, [0xfe, 0xff, 0xff, 0xff], -2), ("i8", .int64, [0xfe] + Array(repeating: 0xff, count: 7), -2),
      ("u2", .uint16, [1, 2], 513), ("u4", .uint32, [1, 2, 0, 0], 513), ("u8", .uint64, [1, 2, 0, 0, 0, 0, 0, 0], 513),
    ]
    for (name, elementType, bytes, value) in types {
      for (order, stored) in [("<", bytes), ("=", bytes), (">", Array(bytes.reversed()))] {
        let tensor = try read(npy(npyHeader(order + name, "(1,)"), stored))
        #expect(tensor.elementType == elementType)
        #expect(try tensor.doubles() == [value], "\(order)\(name)")
      }
    }
    #expect(try read(npy(npyHeader("|i1", "(1,)"), [0xfe])).doubles() == [-2])
    #expect(try read(npy(npyHeader("|b1", "(2,)"), [1, 0])).elements(as: Bool.self) == [true, false])
    #expect(try read(npy(npyHeader("|V2", "(1,)"), [0xc0, 0x3f])).elementType == .bfloat16)
  }

  @Test func complexNumbersSwapEachHalf() throws {
    let tensor = try read(npy(npyHeader(">c8", "(1,)"), [1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(tensor.elementType == .complex64)
    #expect(try tensor.denseBytes == [4, 3, 2, 1, 8, 7, 6, 5])
  }

  @Test func fortranOrderIsRearranged() throws {
    // Element (i, j, k) is 100 i + 10 j + k; the first index runs fastest.
    var stored: [UInt8] = []
    for k in 0..<2 { for j in 0..<3 { for i in 0..<2 { stored.append(UInt8(100 * i + 10 * j + k)) } } }
    let tensor = try read(npy(npyHeader("|u1", "(2, 3, 2)", fortran: true), stored))
    #expect(try tensor.elements(as: UInt8.self) == [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121])
    let swapped = try read(npy(npyHeader(">u2", "(2, 2)", fortran: true), [0, 1, 0, 2, 0, 3, 0, 4]))
    #expect(try swapped.elements(as: UInt16.self) == [1, 3, 2, 4])
  }

  @Test(arguments: [("()", [], 1), ("(0,)", [0], 0), ("(3, 0, 2)", [3, 0, 2], 0)] as [(String, [Int], Int)])
  func shapesAtTheEdge(_ text: String, shape: [Int], count: Int) throws {
    for fortran in [false, true] {
      let tensor = try read(npy(npyHeader("<f4", text, fortran: fortran), [UInt8](repeating: 0, count: count * 4)))
      #expect(tensor.shape == shape)
      #expect(tensor.count == count)
    }
  }

  @Test func damageIsATypedError() throws {
    let whole = npy(npyHeader("<f4", "(2,)"), [UInt8](repeating: 0, count: 8))
    for count in whole.indices {
      let error = #expect(throws: FormatError.self) { try read(Array(whole[..<count])) }
      #expect(error?.file == "x.npy")
      #expect([.truncated, .unrecognized, .malformed].contains(error?.kind), "\(count)")
    }
    let cases: [(String, FormatError.Kind)] = [
      (npyHeader("<f4", "(-1,)"), .limit), (npyHeader("<f4", "(9223372036854775807, 4)"), .limit),
      (npyHeader("<f4", "(1000000000,)"), .truncated), (npyHeader("<f4", "(a,)"), .malformed),
      (npyHeader("<f4", "2"), .malformed), ("{}", .malformed), (npyHeader("<M8[D]", "(1,)"), .unsupported),
      (npyHeader("|O", "(1,)"), .refused),
      ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", .malformed),
    ]
    for (header, kind) in cases {
      let error = #expect(throws: FormatError.self) { try read(npy(header, [0, 0, 0, 0])) }
      #expect(error?.kind == kind, "\(header)")
    }
  }

  @Test func whatFollowsAnArrayIsRefused() throws {
    for (descriptor, size) in [("<f4", 8), (">f4", 8), ("<U2", 16), ("|S3", 6)] {
      let whole = npy(npyHeader(descriptor, "(2,)"), [UInt8](repeating: 0, count: size))
      #expect(try read(whole).count == 2)
      let error = #expect(throws: FormatError.self) { try read(whole + [1]) }
      #expect(error?.kind == .malformed && error?.place == "byte \(whole.count)", "\(descriptor)")
    }
  }

  @Test func aMappedArrayIsNotCopied() throws {
    let folder = try TemporaryFolder()
    let bytes = npy(npyHeader("<f4", "(2,)"), [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
    let tensor = try NpyFile.read(ByteRegion(MappedFile(path: try folder.write(bytes, to: "x.npy"))))
    guard case .mapped(_, let range) = tensor.storage else {
      Issue.record("the array was copied")
      return
    }
    #expect(range == bytes.count - 8..<bytes.count)
    #expect(try tensor.elements(as: Float.self) == [1, 2])
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let tensors = [
      Tensor([1.5, -2] as [Float], shape: [2, 1]), Tensor([1, 2, 3] as [Int64]), Tensor([true, false]),
      Tensor([7] as [Double], shape: []), Tensor([] as [Int8], shape: [0, 3]), Tensor([1, 2] as [UInt16]),
    ]
    for tensor in tensors {
      let bytes = try NpyFile.bytes(of: tensor)
      let back = try read(bytes)
      #expect(back.shape == tensor.shape)
      #expect(back.elementType == tensor.elementType)
      #expect(try back.denseBytes == tensor.denseBytes)
      #expect((bytes.count - tensor.byteCount) % 64 == 0)
    }
    let bytes = try NpyFile.bytes(of: Tensor([1] as [Float]))
    #expect(Array(bytes[..<10]) == [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0])
    #expect(
      String(decoding: bytes[10..<69], as: UTF8.self) == "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }  ")
  }
}
