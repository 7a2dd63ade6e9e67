import CZip
import OrderedCollections

/// The members of a zip archive. Stored members are reached where they lie.
package struct ZipArchive: Sendable {
  /// One member, as the central directory lists it.
  package struct Member: Sendable {
    package let name: String
    package let byteCount: Int
    package let compressedByteCount: Int
    /// Whether the bytes lie in the archive as they are.
    package let isStored: Bool
    let isEncrypted: Bool
    /// Whether Unix would make a symbolic link or a device of it.
    package let isLink: Bool
    /// Whether sizes and checksum may follow the data, in up to 24 bytes.
    let hasDescriptor: Bool
    /// The header in front of the data; nil when it contradicts the directory.
    let header: LocalHeader?
    let position: unz64_file_pos

    /// From the header in front of the data to their end, with all that may follow them.
    var extent: Range<Int>? {
      guard let header else { return nil }
      let (end, isOver) = header.data.addingReportingOverflow(compressedByteCount)
      let (past, isFarOver) = end.addingReportingOverflow(hasDescriptor ? 24 : 0)
      return isOver || isFarOver ? nil : header.start..<past
    }

    /// Whether the name leads out of the folder that it is unpacked into, on any system.
    package var leadsOutside: Bool { Path.leadsOutside(name) }
  }

  /// The header of a member in front of its data, which repeats what the directory says.
  struct LocalHeader {
    /// Bytes before the name.
    static let fixedByteCount = 30
    /// Where the member's name lies in the archive file.
    let name: Range<Int>
    /// Where the member's data begin.
    let data: Int
    var start: Int { name.lowerBound - Self.fixedByteCount }
  }

  package let path: String
  package let members: OrderedDictionary<String, Member>
  /// Names that more than one member has; the first one counts.
  package let duplicateNames: [String]
  /// Where members lie, those of the same name too; nil when the header of one contradicts the directory.
  let extents: [Range<Int>]?
  let source: ByteRegion
  private let limits: ReadLimits
  private let expansion: ExpansionBudget

  /// Local headers and an empty archive's end record.
  static let signatures: [[UInt8]] = [[0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06]]

  /// Lists an archive.
  ///
  /// - Throws: `FormatError` of kind `malformed` when the directory cannot be read.
  package init(_ source: ByteRegion, limits: ReadLimits = ReadLimits()) throws(FormatError) {
    self.source = source
    self.limits = limits
    expansion = ExpansionBudget(fileByteCount: source.count)
    path = source.name
    var members: OrderedDictionary<String, Member> = [:]
    var duplicates: OrderedSet<String> = []
    var extents: [Range<Int>]? = []
    var count = 0
    try ZipReader.open(source) { (reader) throws(FormatError) in
      var status = reader.goToFirst()
      while status == UNZ_OK {
        let member = try reader.currentMember()
        if members[member.name] == nil { members[member.name] = member } else { duplicates.append(member.name) }
        if let extent = member.extent { extents?.append(extent) } else { extents = nil }
        count += 1
        guard count <= limits.objectCount else {
          throw FormatError(.limit, "zip: more than \(limits.objectCount) members", file: source.name)
        }
        status = reader.goToNext()
      }
      guard status == UNZ_END_OF_LIST_OF_FILE else { throw reader.error("cannot list the members", status) }
    }
    self.members = members
    duplicateNames = Array(duplicates)
    self.extents = extents
  }

  /// The bytes of a member: a part of the mapped file when it is stored, decompressed into memory when not.
  ///
  /// - Throws: `FormatError` of kind `missing`, `limit` when it expands out of proportion, or `malformed`.
  package func region(_ name: String) throws(FormatError) -> ByteRegion {
    guard let member = members[name] else {
      throw FormatError(.missing, "the archive has no member \"\(name)\"", file: path)
    }
    guard !member.isEncrypted else { throw FormatError(.unsupported, "the member is encrypted", file: path, at: name) }
    let label = "\(path):\(name)"
    if member.isStored {
      guard let start = member.header?.data, member.byteCount <= source.count, start <= source.count - member.byteCount
      else { throw FormatError(.truncated, "the file ends inside the member", file: path, at: name) }
      return try source.slice(start..<start + member.byteCount, name: label)
    }
    guard member.compressedByteCount <= source.count else {
      throw FormatError(.truncated, "the file ends inside the member", file: path, at: name)
    }
    guard member.byteCount <= limits.memberBytes else {
      throw FormatError(
        .limit, "the member expands to \(member.byteCount) bytes, more than \(limits.memberBytes)", file: path, at: name
      )
    }
    guard limits.allowsExpansion(stored: member.compressedByteCount, declared: member.byteCount) else {
      throw FormatError(
        .limit, "the member expands from \(member.compressedByteCount) to \(member.byteCount) bytes", file: path,
        at: name)
    }
    try namingFile(path) { () throws(FormatError) in try expansion.grant(member.byteCount, to: name, limits) }
    let bytes = try ZipReader.open(source) { (reader) throws(FormatError) in try reader.read(member) }
    return ByteRegion(bytes, name: label)
  }
}
