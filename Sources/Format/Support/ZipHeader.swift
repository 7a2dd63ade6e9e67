/// The header in front of a member's data, which repeats what the directory says, and the descriptor behind them.
struct ZipHeader {
  private static let byteCount = 30

  /// Where header, data and descriptor lie in the file.
  let extent: Range<Int>
  /// Where the data lie.
  let data: Range<Int>
  /// In what the header and the directory differ; nil where they agree.
  let contradiction: String?
  /// Another name in a field for Unicode, which Info-ZIP writes beside names that it cannot spell otherwise.
  let unicodeName: String?

  /// - Returns: nil when no header is where the directory says, or the data reach into the directory.
  init?(_ entry: ZipDirectory.Entry, in source: ByteRegion, before directoryStart: Int) {
    let start = entry.headerStart
    guard start <= directoryStart - Self.byteCount, let fixed = try? source.bytes(start..<start + Self.byteCount) else {
      return nil
    }
    let fields = ZipFields(bytes: fixed)
    guard fields.begins(.header), let flags = fields.u16(6), let method = fields.u16(8), let checksum = fields.u32(14),
      let compressed = fields.u32(18), let expanded = fields.u32(22), let nameCount = fields.u16(26),
      let extraCount = fields.u16(28)
    else { return nil }
    let nameStart = start + Self.byteCount
    let dataStart = nameStart + nameCount + extraCount
    guard dataStart <= directoryStart, entry.compressedByteCount <= directoryStart - dataStart,
      let variable = try? source.bytes(nameStart..<dataStart)
    else { return nil }
    data = dataStart..<dataStart + entry.compressedByteCount
    var extra = ZipExtra(Array(variable[nameCount...]))
    let hasDescriptor = flags & 8 != 0 || entry.hasDescriptor
    let descriptorByteCount =
      hasDescriptor ? Self.descriptorByteCount(entry, in: source, at: data.upperBound, before: directoryStart) : 0
    extent = start..<data.upperBound + descriptorByteCount

    let (byteCount, compressedByteCount) = (extra.resolve(expanded), extra.resolve(compressed))
    // Who writes without knowing the sizes leaves them to the descriptor.
    func agrees(_ value: Int?, _ other: Int) -> Bool { value == other || hasDescriptor && (value == 0 || value == nil) }
    let fieldName = [extra.name, entry.unicodeName].compactMap(\.self).first { $0 != entry.name }
    // There is no reason to spell a name again that ASCII has room for.
    let isSpelling = fieldName?.contains { $0 > 127 } ?? false
    unicodeName = isSpelling ? fieldName.map { String(decoding: $0, as: UTF8.self) } : nil
    let otherName =
      Array(variable[..<nameCount]) != entry.name ? Array(variable[..<nameCount]) : isSpelling ? nil : fieldName
    contradiction =
      if let otherName {
        "beside the directory it is named \"\(String(decoding: otherName, as: UTF8.self))\""
      } else if entry.name.contains(0) {
        "its name has a zero byte, behind which some readers go on"
      } else if method != entry.method || flags & 1 != entry.flags & 1 {
        "the header before its data gives another way of reading them than the directory"
      } else if !agrees(byteCount, entry.byteCount) || !agrees(compressedByteCount, entry.compressedByteCount)
        || !agrees(checksum, entry.checksum)
      {
        "the header before its data gives other sizes or another checksum than the directory"
      } else {
        nil
      }
  }

  /// Bytes of the descriptor behind the data: with or without a signature, of 32 or 64 bits; 0 where none fits.
  private static func descriptorByteCount(
    _ entry: ZipDirectory.Entry, in source: ByteRegion, at place: Int, before end: Int
  ) -> Int {
    guard let bytes = try? source.bytes(place..<min(place + 24, end)) else { return 0 }
    let fields = ZipFields(bytes: bytes)
    for start in [fields.begins(.descriptor) ? 4 : 0, 0] where fields.u32(start) == entry.checksum {
      for width in [4, 8] {
        let compressed = fields.number(at: start + 4, bytes: width)
        let expanded = fields.number(at: start + 4 + width, bytes: width)
        if compressed == entry.compressedByteCount, expanded == entry.byteCount { return start + 4 + 2 * width }
      }
    }
    return 0
  }
}
