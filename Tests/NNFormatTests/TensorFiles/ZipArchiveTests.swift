import NNFormat
import TestSupport
import Testing

@Suite struct ZipArchiveTests {
  /// Members whose sizes need 64 bits carry them in an extra field, which is read as well as the plain one.
  @Test func membersOfAnySizeAreReadAgain() throws {
    let folder = try TemporaryFolder()
    let (small, large) = ([UInt8](repeating: 1, count: 99), (0..<1000).map { UInt8(truncatingIfNeeded: $0) })
    try ZipWriter.write(to: folder.file("x.zip"), largeFrom: 100) { (archive) throws(FormatError) in
      try archive.add("small", small)
      try archive.add("large", large)
    }
    let bytes = try TemporaryFolder.bytes(of: folder.file("x.zip"))
    // Version 4.5 is needed to extract the large one.
    let headers = bytes.indices.dropLast(5).filter { bytes[$0..<$0 + 4].elementsEqual([0x50, 0x4B, 3, 4]) }
    #expect(headers.map { bytes[$0 + 4] >= 45 } == [false, true])
    let archive = try ZipArchive(ByteRegion(MappedFile(path: folder.file("x.zip"))))
    #expect(try archive.region("small").bytes() == small)
    #expect(try archive.region("large").bytes() == large)
  }

  @Test func membersAreReachedInPlaceOrUnpacked() throws {
    func archive(_ name: String) throws -> ZipArchive {
      try ZipArchive(ByteRegion(MappedFile(path: Fixtures.model(name))))
    }
    let stored = try archive("container.keras")
    #expect(Array(stored.members.keys) == ["metadata.json", "config.json", "model.weights.h5"])
    #expect(stored.members.values.allSatisfy { $0.isStored && $0.byteCount == $0.compressedByteCount })
    let deflated = try archive("deflated.keras")
    #expect(deflated.members.values.contains { !$0.isStored })
    for name in ["config.json", "model.weights.h5"] {
      #expect(try deflated.region(name).bytes() == stored.region(name).bytes(), "\(name)")
      #expect(try archive("zip64.keras").region(name).bytes() == stored.region(name).bytes(), "\(name)")
    }
    let error = #expect(throws: FormatError.self) { try stored.region("none") }
    #expect(error?.kind == .missing)
  }

  @Test func expansionOutOfProportionIsRefused() throws {
    var limits = ReadLimits()
    (limits.freelyExpandedBytes, limits.expansionRatio) = (0, 1)
    let archive = try ZipArchive(ByteRegion(MappedFile(path: Fixtures.model("deflated.keras"))), limits: limits)
    let member = try #require(
      archive.members.values.first { !$0.isStored && $0.byteCount >= 2 * $0.compressedByteCount })
    let error = #expect(throws: FormatError.self) { try archive.region(member.name) }
    #expect(error?.kind == .limit)
  }

  @Test(arguments: ["container", "deflated", "zip64", "streamed", "large_sizes", "npz_weights"])
  func archivesOfUsualWritersHaveNoFindings(_ name: String) throws {
    let archive = try ZipArchive(ByteRegion(MappedFile(path: Fixtures.model("\(name).keras"))))
    #expect(archive.findings == [])
    for name in archive.members.keys { _ = try archive.region(name) }
  }

  /// Every byte of an archive is a part of a member, of the directory or of the end, so that one more is noticed wherever it is put.
  @Test func aByteAnywhereIsNoticed() throws {
    let folder = try TemporaryFolder()
    try ZipWriter.write(to: folder.file("x.zip")) { (archive) throws(FormatError) in
      try archive.add("a", [1, 2, 3])
      try archive.add("b", [4])
    }
    let whole = try TemporaryFolder.bytes(of: folder.file("x.zip"))
    func findings(_ bytes: [UInt8]) -> [String]? {
      guard let archive = try? ZipArchive(ByteRegion(AlignedBytes(copying: bytes), name: "x")) else { return nil }
      guard archive.members.keys.allSatisfy({ (try? archive.region($0)) != nil }) else { return nil }
      return archive.findings.map(\.code)
    }
    #expect(findings(whole) == [])
    #expect(findings([0] + whole) == ["unlisted-bytes"])
    #expect(findings(whole + [0]) == ["trailing-bytes"])
    for place in 1..<whole.count {
      let codes = findings(Array(whole[..<place]) + [0] + whole[place...])
      #expect(codes != [], "a zero at \(place)")
    }
  }

  /// A member that says one thing in the directory and another before its data.
  @Test(arguments: [(8, "method"), (14, "checksum"), (18, "size"), (22, "size"), (30, "name")])
  func headersThatContradictAreReported(_ place: Int, _ what: String) throws {
    var bytes = try TemporaryFolder.bytes(of: Fixtures.model("container.keras"))
    bytes[place] ^= 1
    let archive = try ZipArchive(ByteRegion(AlignedBytes(copying: bytes), name: "x"))
    #expect(archive.findings.map(\.code) == ["header-mismatch"], "\(what)")
  }

  /// A small member is checked whenever it is read, a large one, which is mapped, when damage is asked for.
  @Test func wrongChecksumsAreFound() throws {
    let folder = try TemporaryFolder()
    try ZipWriter.write(to: folder.file("x.zip")) { (archive) throws(FormatError) in
      try archive.add("small", [1, 2, 3])
      try archive.add("large", [UInt8](repeating: 7, count: 3 << 20))
    }
    var bytes = try TemporaryFolder.bytes(of: folder.file("x.zip"))
    func archive() throws -> ZipArchive { try ZipArchive(ByteRegion(AlignedBytes(copying: bytes), name: "x")) }
    #expect(try archive().damage().isEmpty)
    bytes[2 << 20] ^= 1
    #expect(try archive().damage().map(\.place) == ["large"])
    #expect(try archive().region("large").count == 3 << 20)
    bytes[30 + "small".utf8.count] ^= 1
    #expect(throws: FormatError.self) { try archive().region("small") }
  }
}
