import NNFormat
import TestSupport
import Testing

@Suite struct NpzTests {
  private let tensors: [(name: String, tensor: Tensor)] = [
    ("z", Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])), ("a", Tensor([7] as [Int64], shape: [])),
    ("deep/name", Tensor([true, false])), ("nothing", Tensor([] as [Double], shape: [0, 2])),
  ]

  @Test func whatIsWrittenIsReadAgainInOrder() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.npz")
    try NpzFile.write(tensors, to: path)
    let back = try NpzFile.read(ByteRegion(MappedFile(path: path)))
    #expect(Array(back.keys) == tensors.map(\.name))
    for (name, tensor) in tensors {
      let read = try #require(back[name])
      #expect(read.shape == tensor.shape)
      #expect(read.elementType == tensor.elementType)
      #expect(try read.denseBytes == tensor.denseBytes)
      let isMapped = if case .mapped = read.storage { true } else { false }
      #expect(isMapped, "\(name) was copied")
    }
    #expect(try folder.names == ["x.npz"])
  }

  @Test func theSameContentGivesTheSameBytes() throws {
    let folder = try TemporaryFolder()
    try NpzFile.write(tensors, to: folder.file("1.npz"))
    try NpzFile.write(tensors, to: folder.file("2.npz"))
    let (first, second) = try (
      TemporaryFolder.bytes(of: folder.file("1.npz")), TemporaryFolder.bytes(of: folder.file("2.npz"))
    )
    #expect(first == second)
    // The modification date of the first member: 1980-01-01 00:00.
    #expect(Array(first[10..<14]) == [0, 0, 0x21, 0])
  }

  @Test func aFailedWriteLeavesTheOldFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("old", to: "x.npz")
    let unnamed = try Tensor(
      elementType: .bfloat16, shape: [1], storage: .owned(AlignedBytes(copying: [1] as [UInt16])))
    let error = #expect(throws: FormatError.self) { try NpzFile.write(tensors + [("b", unnamed)], to: path) }
    #expect(error?.kind == .unsupported)
    #expect(try TemporaryFolder.bytes(of: path) == Array("old".utf8))
    #expect(try folder.names == ["x.npz"])
    #expect(throws: FormatError.self) { try NpzFile.write(tensors, to: folder.file("no/such/folder.npz")) }
    #expect(throws: FormatError.self) { try NpzFile.write(tensors, to: folder.path) }
  }

  @Test func truncationAndDamageAreTypedErrors() throws {
    let folder = try TemporaryFolder()
    try NpzFile.write(tensors, to: folder.file("x.npz"))
    let whole = try TemporaryFolder.bytes(of: folder.file("x.npz"))
    // The library does without the last bytes of the end record, which are the length of a comment.
    let endRecordBytes = 22
    for count in stride(from: 0, to: whole.count - endRecordBytes, by: 7) {
      let region = ByteRegion(AlignedBytes(copying: Array(whole[..<count])), name: "cut")
      let error = #expect(throws: FormatError.self) { try NpzFile.read(region) }
      #expect(error?.file?.hasPrefix("cut") == true)
    }
    var numbers = SeededNumbers(1)
    var refused = 0
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0...numbers.below(4) { bytes[numbers.below(bytes.count)] = UInt8(truncatingIfNeeded: numbers.next()) }
      do throws(FormatError) {
        for tensor in try NpzFile.read(ByteRegion(AlignedBytes(copying: bytes), name: "damaged")).values {
          _ = try tensor.denseBytes
        }
      } catch {
        refused += 1
        #expect(!"\(error)".contains { $0.isNewline })
      }
    }
    #expect(refused > 200)
  }

  @Test(arguments: ["container.keras", "deflated.keras", "zip64.keras", "npz_weights.keras", "truncated.keras"])
  func damagedArchivesAreTypedErrors(_ name: String) throws {
    let whole = try TemporaryFolder.bytes(of: Fixtures.model(name))
    var numbers = SeededNumbers(2)
    for _ in 0..<300 {
      var bytes = whole
      // The directory at the end tells where everything is.
      for _ in 0...numbers.below(3) {
        bytes[bytes.count - 1 - numbers.below(min(bytes.count, 400))] ^= 1 << numbers.below(8)
      }
      let region = ByteRegion(AlignedBytes(copying: bytes), name: "damaged")
      do throws(FormatError) {
        let archive = try ZipArchive(region)
        for member in archive.members.keys { _ = try? archive.region(member).bytes() }
      } catch {
        #expect(error.file == "damaged")
      }
    }
  }

  @Test func aZipWithoutArraysIsRefused() throws {
    let error = #expect(throws: FormatError.self) {
      try NpzFile.read(ByteRegion(MappedFile(path: Fixtures.model("container.keras"))))
    }
    #expect(error?.kind == .unrecognized)
  }
}
