/// The header in front of a member's data, which repeats what the directory says, and the descriptor behind them.
struct ZipHeader {
  private static let byteCount = 30

  /// Where header, data and descriptor lie in the file.
  let extent: Range<Int>
  /// Where the data lie.
  let data: Range<Int>
  private let lacksDescriptor: Bool
  private let flags: Int
  private let method: Int
  private let checksum: Int
  private let compressedByteCount: Int?
  private let byteCount: Int?
  private let name: [UInt8]
  private let extra: ZipExtra

  /// - Parameter room: bytes that names and extra fields may still take. Headers that do not overlap fit into the file together.
  /// - Throws: `ZipContradiction` when no header is where the directory says, or the data reach into the directory.
  init(
    _ entry: ZipDirectory.Entry, in source: ByteRegion, before end: Int, room: inout Int
  ) throws(ZipContradiction) {
    let start = entry.headerStart
    guard start <= end - Self.byteCount, let fixed = try? source.bytes(start..<start + Self.byteCount) else {
      throw ZipContradiction("no header is where the directory says")
    }
    let fields = ZipFields(bytes: fixed)
    guard fields.begins(.header), let flags = fields.u16(6), let method = fields.u16(8), let checksum = fields.u32(14),
      let compressed = fields.u32(18), let expanded = fields.u32(22), let nameCount = fields.u16(26),
      let extraCount = fields.u16(28)
    else { throw ZipContradiction("no header is where the directory says") }
    let nameStart = start + Self.byteCount
    let dataStart = nameStart + nameCount + extraCount
    room -= nameCount + extraCount
    guard room >= 0 else { throw ZipContradiction("its header shares bytes with that of another member") }
    guard dataStart <= end, entry.compressedByteCount <= end - dataStart,
      let variable = try? source.bytes(nameStart..<dataStart)
    else { throw ZipContradiction("its data reach into the directory") }
    (self.flags, self.method, self.checksum) = (flags, method, checksum)
    data = dataStart..<dataStart + entry.compressedByteCount
    name = Array(variable[..<nameCount])
    var extra = ZipExtra(Array(variable[nameCount...]))
    // In this order they stand in the extra field.
    byteCount = extra.resolve(expanded)
    compressedByteCount = extra.resolve(compressed)
    self.extra = extra
    let descriptorByteCount =
      flags & 8 == 0 ? 0 : Self.descriptorByteCount(entry, in: source, at: data.upperBound, before: end)
    lacksDescriptor = descriptorByteCount == nil
    extent = start..<data.upperBound + (descriptorByteCount ?? 0)
  }

  /// In what the header and the directory differ, as a clause; nil where they agree.
  func contradiction(to entry: ZipDirectory.Entry) -> String? {
    if name != entry.name {
      "the header before its data names it \(Self.quoted(name))"
    } else if entry.name.contains(0) {
      "its name has a zero byte, behind which some readers go on"
    } else if let other = (extra.names + entry.extra.names).first(where: { $0 != entry.name && Self.misleads($0) }) {
      "its field for Unicode names it \(Self.quoted(other))"
    } else if !entry.isASCII, flags & ZipDirectory.Entry.unicodeFlag != entry.flags & ZipDirectory.Entry.unicodeFlag {
      "its name has another encoding in the header before its data than in the directory"
    } else if extra.largeFieldCount > 1 {
      "the header before its data gives its sizes twice"
    } else if method != entry.method || flags & 1 != entry.flags & 1 {
      "the header before its data gives another way of reading them than the directory"
    } else if !agrees(byteCount, entry.byteCount) || !agrees(compressedByteCount, entry.compressedByteCount)
      || !agrees(checksum, entry.checksum)
    {
      "the header before its data gives other sizes or another checksum than the directory"
    } else if lacksDescriptor {
      "no sizes are behind its data, as its header announces"
    } else {
      nil
    }
  }

  /// Whether a value is the directory's. Who writes without knowing the sizes leaves them to the descriptor.
  private func agrees(_ value: Int?, _ other: Int) -> Bool {
    value == other || flags & 8 != 0 && (value == 0 || value == nil)
  }

  /// Whether another spelling of a name is none that Info-ZIP writes, beside names that it cannot spell otherwise.
  private static func misleads(_ name: [UInt8]) -> Bool {
    !name.contains { $0 > 127 } || name.contains(0) || Path.leadsOutside(String(decoding: name, as: UTF8.self))
  }

  /// A name for a message, which a long one would fill.
  private static func quoted(_ name: [UInt8]) -> String { "\"\(String(decoding: name.prefix(100), as: UTF8.self))\"" }

  /// Bytes of the descriptor behind the data: with or without a signature, of 64 or 32 bits; nil where none fits.
  private static func descriptorByteCount(
    _ entry: ZipDirectory.Entry, in source: ByteRegion, at place: Int, before end: Int
  ) -> Int? {
    guard let bytes = try? source.bytes(place..<min(place + 24, end)) else { return nil }
    let fields = ZipFields(bytes: bytes)
    for start in fields.begins(.descriptor) ? [4, 0] : [0] where fields.u32(start) == entry.checksum {
      // Of an empty member the shorter form is also the beginning of the longer one.
      for width in [8, 4] {
        let compressed = fields.number(at: start + 4, bytes: width)
        let expanded = fields.number(at: start + 4 + width, bytes: width)
        if compressed == entry.compressedByteCount, expanded == entry.byteCount { return start + 4 + 2 * width }
      }
    }
    return nil
  }
}

/// Why a member is not where its archive says, as a clause.
struct ZipContradiction: Error {
  let message: String
  init(_ message: String) { self.message = message }
}
