/// The list of members at the end of a zip archive, by PKWARE's APPNOTE.TXT, section 4.3.
///
/// Read here and not by the zip library, which takes records of 64-bit archives from wherever bytes near the end look like them,
/// and leaves sizes of 64 bits unread. Where readers could take the end for different things, the archive is refused.
struct ZipDirectory {
  /// What the directory says of a member.
  struct Entry {
    let name: [UInt8]
    /// The name as members are called by it.
    let text: String
    /// Other spellings of the name.
    let extra: ZipExtra
    let flags: Int
    let method: Int
    let checksum: Int
    let compressedByteCount: Int
    let byteCount: Int
    /// What the system that made the archive says of the file: kind and permissions in the upper half on Unix.
    let attributes: Int
    /// Where the member's header is in the file.
    let headerStart: Int

    /// The flag of names in UTF-8.
    static let unicodeFlag = 1 << 11
    /// Whether the member is neither encrypted, in one of two ways, nor a patch of other data.
    var isReadable: Bool { flags & (1 | 1 << 5 | 1 << 6) == 0 }
    var isASCII: Bool { !name.contains { $0 > 127 } }
    /// A name as text, of which common readers see what is before a zero. Bytes that are no UTF-8 are written as numbers, so
    /// that names stay different.
    fileprivate static func text(of name: [UInt8]) -> String {
      let name = name.prefix { $0 != 0 }
      return String(validating: name, as: UTF8.self)
        ?? name.map { $0 > 127 ? "\\x\(String($0, radix: 16))" : String(UnicodeScalar($0)) }.joined()
    }
  }

  let entries: [Entry]
  /// Where it lies in the file.
  let range: Range<Int>
  /// The text behind the archive that belongs to it.
  let comment: [UInt8]
  /// Bytes behind the end of the archive.
  let trailingByteCount: Int

  /// - Throws: `FormatError` of kind `malformed`, or `limit` when there are more members than allowed.
  init(_ source: ByteRegion, limits: ReadLimits) throws(FormatError) {
    let end = try ZipEndRecord(source)
    guard end.count <= limits.objectCount else {
      throw FormatError(.limit, "zip: more than \(limits.objectCount) members", file: source.name)
    }
    let fields = ZipFields(bytes: try source.bytes(end.directory))
    var entries: [Entry] = []
    var place = 0
    while place < fields.bytes.count {
      entries.append(try Self.entry(fields, &place, before: end, source))
      guard entries.count <= end.count else { break }
    }
    guard entries.count == end.count else {
      throw Self.error(
        "the directory has other than the \(end.count) members that the end of the archive tells", source)
    }
    self.entries = entries
    (range, comment, trailingByteCount) = (end.directory, end.comment, end.trailingByteCount)
  }

  private static func entry(
    _ fields: ZipFields, _ place: inout Int, before end: ZipEndRecord, _ source: ByteRegion
  ) throws(FormatError) -> Entry {
    let start = place
    guard fields.begins(.entry, at: start), let version = fields.u16(start + 6), let flags = fields.u16(start + 8),
      let method = fields.u16(start + 10),
      let checksum = fields.u32(start + 16), let compressed = fields.u32(start + 20),
      let expanded = fields.u32(start + 24),
      let nameCount = fields.u16(start + 28), let extraCount = fields.u16(start + 30),
      let commentCount = fields.u16(start + 32), let attributes = fields.u32(start + 38),
      let offset = fields.u32(start + 42), start + 46 + nameCount + extraCount + commentCount <= fields.bytes.count
    else { throw error("a directory entry is damaged", source) }
    let (name, extra) = (start + 46, start + 46 + nameCount)
    place = extra + extraCount + commentCount
    // The newest version that the specification has; readers refuse others.
    guard version & 0xFF <= 63 else {
      throw FormatError(.unsupported, "zip: a member needs version \(version) of the format", file: source.name)
    }
    var more = ZipExtra(Array(fields.bytes[extra..<extra + extraCount]))
    // Of two fields readers take the first or the last.
    guard !more.isCut, more.largeFieldCount <= 1, more.names.count <= 1 else {
      throw error("a directory entry has a field that is cut short, or two of one kind", source)
    }
    // In this order they stand in the extra field.
    guard let byteCount = more.resolve(expanded), let compressedByteCount = more.resolve(compressed),
      let headerOffset = more.resolve(offset)
    else { throw error("a directory entry lacks the sizes of 64 bits that it announces", source) }
    let (headerStart, isOver) = headerOffset.addingReportingOverflow(end.prefixByteCount)
    guard !isOver else { throw error("a directory entry leads out of the file", source) }
    let nameBytes = Array(fields.bytes[name..<extra])
    guard flags & Entry.unicodeFlag == 0 || String(validating: nameBytes, as: UTF8.self) != nil else {
      throw error("a name in the directory is not the UTF-8 that it is said to be", source)
    }
    return Entry(
      name: nameBytes, text: Entry.text(of: nameBytes), extra: more, flags: flags, method: method, checksum: checksum,
      compressedByteCount: compressedByteCount, byteCount: byteCount, attributes: attributes, headerStart: headerStart)
  }

  static func error(_ message: String, _ source: ByteRegion, advice: String? = nil) -> FormatError {
    FormatError(.malformed, "zip: \(message)", file: source.name, advice: advice)
  }
}
