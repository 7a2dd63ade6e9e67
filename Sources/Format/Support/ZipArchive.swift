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
    /// Where the member's data begin in the archive file.
    let offset: Int
    let position: unz64_file_pos

    /// Whether the name leads out of the folder that it is unpacked into, on any system.
    package var leadsOutside: Bool { Path.leadsOutside(name) }
  }

  package let path: String
  package let members: OrderedDictionary<String, Member>
  /// Names that more than one member has; the first one counts.
  package let duplicateNames: [String]
  private let source: ByteRegion
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
    var count = 0
    try ZipReader.open(source) { (reader) throws(FormatError) in
      var status = reader.goToFirst()
      while status == UNZ_OK {
        let member = try reader.currentMember()
        if members[member.name] == nil { members[member.name] = member } else { duplicates.append(member.name) }
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
  }

  /// Bytes behind the end of the archive, its comment not counted.
  package var trailingByteCount: Int {
    let tail = source.count - min(source.count, 22 + 0xFFFF)..<source.count
    guard let bytes = try? source.bytes(tail), bytes.count >= 22 else { return 0 }
    for start in stride(from: bytes.count - 22, through: 0, by: -1)
    where bytes[start] == 0x50 && bytes[start..<start + 4].elementsEqual([0x50, 0x4B, 0x05, 0x06]) {
      let comment = Int(bytes[start + 20]) | Int(bytes[start + 21]) << 8
      return max(bytes.count - start - 22 - comment, 0)
    }
    return 0
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
      guard member.byteCount <= source.count, member.offset <= source.count - member.byteCount else {
        throw FormatError(.truncated, "the file ends inside the member", file: path, at: name)
      }
      return try source.slice(member.offset..<member.offset + member.byteCount, name: label)
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
