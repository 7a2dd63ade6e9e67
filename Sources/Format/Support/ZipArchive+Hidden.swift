/// What an archive holds beside the members that its directory lists; layouts by PKWARE's APPNOTE.TXT, section 4.3.
extension ZipArchive {
  /// The record at the end, which says where the directory is.
  private struct EndRecord {
    static let fixedByteCount = 22
    let start: Int
    let commentByteCount: Int
    /// Nil in archives with larger numbers than the record has room for.
    let directoryStart: Int?
  }

  private var endRecord: EndRecord? {
    let tail = source.count - min(source.count, EndRecord.fixedByteCount + 0xFFFF)..<source.count
    guard let bytes = try? source.bytes(tail), bytes.count >= EndRecord.fixedByteCount else { return nil }
    func number(_ place: Int, bytes count: Int) -> Int {
      bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    for start in stride(from: bytes.count - EndRecord.fixedByteCount, through: 0, by: -1)
    where bytes[start] == 0x50 && bytes[start..<start + 4].elementsEqual([0x50, 0x4B, 0x05, 0x06]) {
      let hasLocator = start >= 20 && bytes[start - 20..<start - 16].elementsEqual([0x50, 0x4B, 0x06, 0x07])
      let directory = tail.lowerBound + start - number(start + 12, bytes: 4)
      return EndRecord(
        start: tail.lowerBound + start, commentByteCount: number(start + 20, bytes: 2),
        directoryStart: hasLocator || directory < 0 ? nil : directory)
    }
    return nil
  }

  /// Bytes behind the end of the archive, its comment not counted.
  package var trailingByteCount: Int {
    guard let end = endRecord else { return 0 }
    return max(source.count - end.start - EndRecord.fixedByteCount - end.commentByteCount, 0)
  }

  /// Bytes before the directory that belong to no member: who goes by the headers of members instead may find others there.
  package var unlistedByteCount: Int {
    guard let extents, let end = endRecord else { return 0 }
    var count = 0
    var place = 0
    for extent in extents.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      count += max(min(extent.lowerBound, end.start) - place, 0)
      place = max(place, extent.upperBound)
    }
    return count + max((end.directoryStart ?? place) - place, 0)
  }

  /// Members before whose data another name stands than in the directory.
  package var renamedMembers: [String] {
    members.values.filter { member in
      guard let header = member.header, let bytes = try? source.bytes(header.name) else { return false }
      return ZipReader.name(bytes) != member.name
    }.map(\.name)
  }
}
