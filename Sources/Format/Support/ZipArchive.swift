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
    /// Whether Unix would make a symbolic link or a device of it.
    package let isLink: Bool
    let method: Int
    let checksum: Int
    /// Whether it is neither encrypted nor a patch of something else.
    let isReadable: Bool
    /// Where the data are, or why they are not where the archive says.
    let data: Result<Range<Int>, ZipContradiction>

    /// Whether the name leads out of the folder that it is unpacked into, on any system.
    package var leadsOutside: Bool { Path.leadsOutside(name) }

    init(_ entry: ZipDirectory.Entry, data: Result<Range<Int>, ZipContradiction>) {
      name = entry.text
      byteCount = entry.byteCount
      compressedByteCount = entry.compressedByteCount
      isStored = entry.method == 0
      isLink = ![0, 0o100000, 0o040000].contains(entry.attributes >> 16 & 0o170000)
      method = entry.method
      checksum = entry.checksum
      isReadable = entry.isReadable
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
    let layout = ZipLayout(directory, in: source)
    var members: OrderedDictionary<String, Member> = [:]
    for (entry, data) in zip(directory.entries, layout.data) where members[entry.text] == nil {
      members[entry.text] = Member(entry, data: data)
    }
    self.members = members
    findings = layout.findings
  }

  /// The bytes of a member: a part of the mapped file when it is stored, decompressed into memory when not.
  ///
  /// - Throws: `FormatError` of kind `missing`, `limit` when it expands out of proportion, or `malformed`.
  package func region(_ name: String) throws(FormatError) -> ByteRegion {
    guard let member = members[name] else {
      throw FormatError(.missing, "the archive has no member \"\(name)\"", file: path)
    }
    guard member.isReadable else { throw FormatError(.unsupported, "the member is encrypted", file: path, at: name) }
    let data: Range<Int>
    do throws(ZipContradiction) { data = try member.data.get() } catch {
      throw FormatError(.malformed, "zip: \(error.message)", file: path, at: name)
    }
    let label = "\(path):\(name)"
    if member.isStored {
      guard member.byteCount == data.count else {
        throw FormatError(.malformed, "zip: the member has two sizes", file: path, at: name)
      }
      let region = try source.slice(data, name: label)
      guard data.count > Self.largestChecked || Self.isIntact(member, region) else { throw damaged(member) }
      return region
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
      let bytes = try ZipInflater.inflate(source.slice(data), to: member.byteCount, name: name)
      let region = ByteRegion(bytes, name: label)
      guard Self.isIntact(member, region) else { throw damaged(member) }
      return region
    }
  }

  /// Bytes of a stored member whose checksum is computed whenever it is read; weights are mapped and not read at once.
  private static let largestChecked = 1 << 20

  private static func isIntact(_ member: Member, _ region: ByteRegion) -> Bool {
    (try? unsafe region.withBytes { bytes in unsafe ZipInflater.checksum(bytes) }) == member.checksum
  }

  private func damaged(_ member: Member) -> FormatError {
    FormatError(.malformed, "zip: the checksum of the member is wrong", file: path, at: member.name)
  }

  /// The errors of members whose bytes are not those that were stored, by the checksums of all that were not checked before.
  package func damage() -> [FormatError] {
    members.values.filter { $0.isStored && $0.byteCount > Self.largestChecked }.compactMap { member in
      guard let region = try? region(member.name), !Self.isIntact(member, region) else { return nil }
      return damaged(member)
    }
  }
}
