/// Gathers what an archive holds that readers may see differently, or not at all: Keras's, which goes by the directory, and those
/// that go by headers.
struct ZipAudit {
  private var findings: [Finding] = []
  /// What was found already, so that many members of one name are told of once.
  private var known: Set<String> = []
  private var extents: [(range: Range<Int>, name: String)] = []

  /// Takes note of a member.
  mutating func note(_ header: ZipHeader?, of member: ZipArchive.Member, isFirst: Bool) {
    if !isFirst {
      add(
        .error, "duplicate-member", "the archive has more than one member \"\(member.name)\"; the first is used",
        member.name)
    }
    guard let header else {
      return add(.error, "header-mismatch", "the member is not where the directory says", member.name)
    }
    if let contradiction = header.contradiction { add(.error, "header-mismatch", contradiction, member.name) }
    if let name = header.unicodeName {
      add(.warning, "header-mismatch", "readers of its field for Unicode name it \"\(name)\"", member.name)
    }
    extents.append((header.extent, member.name))
  }

  /// All findings, those on bytes that no member has included.
  mutating func findings(of source: ByteRegion, _ directory: ZipDirectory) -> [Finding] {
    var gaps: [Range<Int>] = []
    var place = 0
    for (range, name) in extents.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      if range.lowerBound < place {
        add(.error, "overlapping-members", "its bytes are also those of another member", name)
      } else if range.lowerBound > place {
        gaps.append(place..<range.lowerBound)
      }
      place = max(place, range.upperBound)
    }
    if place < directory.range.lowerBound { gaps.append(place..<directory.range.lowerBound) }
    let count = gaps.reduce(0) { $0 + $1.count }
    if count > 0 {
      add(.warning, "unlisted-bytes", "\(count) bytes of the archive belong to no member", source.name)
    }
    if Self.holdsRecord(directory.comment) {
      add(
        .warning, "archive-comment", "the archive's comment holds what some readers take for its directory", source.name
      )
    }
    if directory.trailingByteCount > 0 {
      findings.append(.trailingBytes(directory.trailingByteCount, at: source.name))
    }
    return findings
  }

  private mutating func add(_ severity: Finding.Severity, _ code: String, _ message: String, _ place: String) {
    guard known.insert("\(code) \(place)").inserted else { return }
    findings.append(Finding(severity, code, message, at: place))
  }

  private static func holdsRecord(_ bytes: [UInt8]) -> Bool {
    let fields = ZipFields(bytes: bytes)
    return bytes.indices.contains { place in
      bytes[place] == 0x50 && ZipSignature.allCases.contains { fields.begins($0, at: place) }
    }
  }
}
