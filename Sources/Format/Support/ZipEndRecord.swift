/// The end of a zip archive, which says where the directory is.
struct ZipEndRecord {
  private static let byteCount = 22

  let directory: Range<Int>
  /// Members in the directory.
  let count: Int
  /// Bytes in front of the archive, which its offsets do not count.
  let prefixByteCount: Int
  let comment: [UInt8]
  /// Bytes behind the end of the archive.
  let trailingByteCount: Int

  /// - Throws: `FormatError` of kind `malformed`, also where readers could take it for different things.
  init(_ source: ByteRegion) throws(FormatError) {
    let tail = source.count - min(source.count, Self.byteCount + 0xFFFF)..<source.count
    let fields = ZipFields(bytes: try source.bytes(tail))
    let starts = stride(from: fields.bytes.count - Self.byteCount, through: 0, by: -1)
    guard let start = starts.first(where: { fields.begins(.end, at: $0) }), let disk = fields.u16(start + 4),
      let firstDisk = fields.u16(start + 6), let diskCount = fields.u16(start + 8), let count = fields.u16(start + 10),
      let size = fields.u32(start + 12), let offset = fields.u32(start + 16), let commentCount = fields.u16(start + 20)
    else {
      throw ZipDirectory.error(
        "the directory at the end is missing", source, advice: "The file may be cut short; fetch it again")
    }
    let past = start + Self.byteCount
    guard commentCount <= fields.bytes.count - past else {
      throw ZipDirectory.error("the comment at the end is cut short", source)
    }
    comment = Array(fields.bytes[past..<past + commentCount])
    trailingByteCount = fields.bytes.count - past - commentCount

    let large = try LargeEndRecord(source, before: tail.lowerBound + start)
    let (end, directoryCount) = (large?.start ?? tail.lowerBound + start, large?.count ?? count)
    let (directorySize, directoryOffset) = (large?.size ?? size, large?.offset ?? offset)
    // What has room in the plain record stands there too; readers differ in which of the two they take.
    func agrees(_ value: Int, _ other: Int, none: Int) -> Bool { value == other || large != nil && value == none }
    guard agrees(disk, 0, none: 0xFFFF), agrees(firstDisk, 0, none: 0xFFFF),
      agrees(diskCount, directoryCount, none: 0xFFFF), agrees(count, directoryCount, none: 0xFFFF),
      agrees(size, directorySize, none: 0xFFFF_FFFF), agrees(offset, directoryOffset, none: 0xFFFF_FFFF)
    else { throw ZipDirectory.error("the end names two directories, or those of several archives", source) }
    guard directorySize <= end, directoryOffset <= end - directorySize else {
      throw ZipDirectory.error("the directory would begin before the file", source)
    }
    directory = end - directorySize..<end
    self.count = directoryCount
    prefixByteCount = directory.lowerBound - directoryOffset
    guard large.map({ $0.statedStart == $0.start - prefixByteCount }) ?? true else {
      throw ZipDirectory.error("the end names two directories", source)
    }
  }
}

/// The record in front of the end whose numbers have 64 bits.
private struct LargeEndRecord {
  private static let byteCount = 56
  private static let locatorByteCount = 20

  let start: Int
  /// Where its locator says that it is, counted from the archive's own beginning.
  let statedStart: Int
  let count: Int
  let size: Int
  let offset: Int

  /// The record before the one at `end`; nil when no locator stands between them.
  init?(_ source: ByteRegion, before end: Int) throws(FormatError) {
    let place = end - Self.locatorByteCount
    guard place >= 0 else { return nil }
    let locator = ZipFields(bytes: try source.bytes(place..<end))
    guard locator.begins(.largeEndLocator) else { return nil }
    start = place - Self.byteCount
    let record = ZipFields(bytes: start < 0 ? [] : try source.bytes(start..<place))
    guard locator.u32(4) == 0, let statedStart = locator.u64(8), (0...1).contains(locator.u32(16) ?? 2),
      record.begins(.largeEnd), record.u64(4) == Self.byteCount - 12,
      record.u32(16) == 0, record.u32(20) == 0, let count = record.u64(32), record.u64(24) == count,
      let size = record.u64(40), let offset = record.u64(48)
    else { throw ZipDirectory.error("the end of an archive of 64 bits is damaged", source) }
    (self.statedStart, self.count, self.size, self.offset) = (statedStart, count, size, offset)
  }
}
