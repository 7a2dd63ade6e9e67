import OrderedCollections

/// The members of a zip archive. Stored members are reached where they lie.
package struct ZipArchive: Sendable {
  /// One member, as the directory lists it.
  package struct Member: Sendable {
    package let name: String
    package let byteCount: Int
    package let compressedByteCount: Int
    /// Whether the bytes lie in the archive as they are.
    package let isStored: Bool
    let isEncrypted: Bool
    /// Whether Unix would make a symbolic link or a device of it.
    package let isLink: Bool
    let method: Int
    let checksum: Int
    /// Where the data are; nil when no header is where the directory says, or the data reach into the directory.
    let data: Range<Int>?

    /// Whether the name leads out of the folder that it is unpacked into, on any system.
    package var leadsOutside: Bool { Path.leadsOutside(name) }

    init(_ entry: ZipDirectory.Entry, data: Range<Int>?) {
      // Common readers end a name at the first zero.
      name = String(decoding: entry.name.prefix { $0 != 0 }, as: UTF8.self)
      byteCount = entry.byteCount
      compressedByteCount = entry.compressedByteCount
      isStored = entry.method == 0
      isEncrypted = entry.isEncrypted
      isLink = ![0, 0o100000, 0o040000].contains(entry.attributes >> 16 & 0o170000)
      method = entry.method
      checksum = entry.checksum
      self.data = data
    }
  }

  package let path: String
  package let members: OrderedDictionary<String, Member>
  /// What readers may see differently, or not at all.
  package let findings: [Finding]
  private let source: ByteRegion
  private let limits: ReadLimits
  private let expansion: ExpansionBudget

  /// Local headers and an empty archive's end record.
  static let signatures: [[UInt8]] = [[0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06]]

  /// Lists an archive.
  ///
  /// - Throws: `FormatError` of kind `malformed` when the directory cannot be read, or readers could take different bytes for it.
  package init(_ source: ByteRegion, limits: ReadLimits = ReadLimits()) throws(FormatError) {
    self.source = source
    self.limits = limits
    expansion = ExpansionBudget(fileByteCount: source.count)
    path = source.name
    let directory = try ZipDirectory(source, limits: limits)
    var members: OrderedDictionary<String, Member> = [:]
    var audit = ZipAudit()
    for entry in directory.entries {
      let header = ZipHeader(entry, in: source, before: directory.range.lowerBound)
      let member = Member(entry, data: header?.data)
      audit.note(header, of: member, isFirst: members[member.name] == nil)
      if members[member.name] == nil { members[member.name] = member }
    }
    self.members = members
    findings = audit.findings(of: source, directory)
  }

  /// The bytes of a member: a part of the mapped file when it is stored, decompressed into memory when not.
  ///
  /// - Throws: `FormatError` of kind `missing`, `limit` when it expands out of proportion, or `malformed`.
  package func region(_ name: String) throws(FormatError) -> ByteRegion {
    guard let member = members[name] else {
      throw FormatError(.missing, "the archive has no member \"\(name)\"", file: path)
    }
    guard !member.isEncrypted else { throw FormatError(.unsupported, "the member is encrypted", file: path, at: name) }
    guard let data = member.data else {
      throw FormatError(.malformed, "zip: the member is not where the directory says", file: path, at: name)
    }
    let label = "\(path):\(name)"
    if member.isStored {
      guard member.byteCount == data.count else {
        throw FormatError(.malformed, "zip: the member has two sizes", file: path, at: name)
      }
      return try source.slice(data, name: label)
    }
    // Deflate, the one method that all readers know.
    guard member.method == 8 else {
      throw FormatError(.unsupported, "zip: the member is compressed by method \(member.method)", file: path, at: name)
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
    return try namingFile(path) { () throws(FormatError) in
      try expansion.grant(member.byteCount, to: name, limits)
      let bytes = try ZipInflater.inflate(
        source.slice(data), to: member.byteCount, checksum: member.checksum, name: name)
      return ByteRegion(bytes, name: label)
    }
  }
}
