/// Where the members of an archive lie, and what readers may see differently or not at all: Keras's, which goes by the directory,
/// and those that go by headers.
struct ZipLayout {
  /// For each entry of the directory where its data are. Bytes that two members share are those of the first in the file alone.
  private(set) var data: [Result<Range<Int>, ZipContradiction>] = []
  private(set) var findings: [Finding] = []
  /// What was found already, so that many members of one name are told of once.
  private var known: Set<String> = []

  init(_ directory: ZipDirectory, in source: ByteRegion) {
    var names: Set<String> = []
    var extents: [(range: Range<Int>, entry: Int)] = []
    var room = source.count
    for (index, entry) in directory.entries.enumerated() {
      if !names.insert(entry.text).inserted {
        add(
          .error, "duplicate-member", "the archive has more than one member \"\(entry.text)\"; the first is used",
          entry.text)
      }
      do throws(ZipContradiction) {
        let header = try ZipHeader(entry, in: source, before: directory.range.lowerBound, room: &room)
        data.append(.success(header.data))
        extents.append((header.extent, index))
        if let contradiction = header.contradiction(to: entry) {
          add(.error, "header-mismatch", contradiction, entry.text)
        }
      } catch {
        data.append(.failure(error))
        add(.error, "header-mismatch", error.message, entry.text)
      }
    }
    let unlisted = place(extents, of: directory)
    if unlisted > 0 {
      add(.warning, "unlisted-bytes", "\(unlisted) bytes of the archive belong to no member", source.name)
    }
    if Self.holdsRecord(directory.comment) {
      add(
        .warning, "archive-comment", "the archive's comment holds what some readers take for its directory", source.name
      )
    }
    if directory.trailingByteCount > 0 {
      findings.append(.trailingBytes(directory.trailingByteCount, at: source.name))
    }
  }

  /// Looks at members in the order of the file, and counts the bytes before the directory that none of them has.
  private mutating func place(_ extents: [(range: Range<Int>, entry: Int)], of directory: ZipDirectory) -> Int {
    var unlisted = 0
    var place = 0
    for (range, entry) in extents.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      unlisted += max(range.lowerBound - place, 0)
      if range.lowerBound < place {
        let contradiction = ZipContradiction("its bytes are also those of another member")
        data[entry] = .failure(contradiction)
        add(.error, "overlapping-members", contradiction.message, directory.entries[entry].text)
      }
      place = max(place, range.upperBound)
    }
    return unlisted + max(directory.range.lowerBound - place, 0)
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
