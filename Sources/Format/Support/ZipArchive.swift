import CZip
import OrderedCollections

/// The members of a zip archive. Stored members are reached where they lie in the mapped file.
public struct ZipArchive: Sendable {
  /// One member, as the central directory lists it.
  public struct Member: Sendable {
    public let name: String
    public let byteCount: Int
    public let compressedByteCount: Int
    /// Whether the bytes lie in the archive as they are.
    public let isStored: Bool
    let isEncrypted: Bool
    /// Where the member's data begin in the archive file.
    let offset: Int
    let position: unz64_file_pos
  }

  public let path: String
  public let members: OrderedDictionary<String, Member>
  /// Names that more than one member has; the first one counts.
  public let duplicateNames: [String]
  private let file: MappedFile
  private let limits: ReadLimits

  /// Local headers and an empty archive's end record.
  static let signatures: [[UInt8]] = [[0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06]]

  /// Lists an archive.
  ///
  /// - Throws: `FormatError` of kind `malformed` when the directory cannot be read.
  public init(_ file: MappedFile, limits: ReadLimits = ReadLimits()) throws(FormatError) {
    self.file = file
    self.limits = limits
    path = file.path
    var members: OrderedDictionary<String, Member> = [:]
    var duplicates: [String] = []
    let reader = try ZipReader(path: file.path)
    var status = reader.goToFirst()
    while status == UNZ_OK {
      let member = try reader.currentMember()
      if members[member.name] == nil {
        members[member.name] = member
      } else if !duplicates.contains(member.name) {
        duplicates.append(member.name)
      }
      guard members.count <= limits.objectCount else {
        throw FormatError(.limit, "zip: more than \(limits.objectCount) members", file: file.path)
      }
      status = reader.goToNext()
    }
    guard status == UNZ_END_OF_LIST_OF_FILE else { throw reader.error("cannot list the members", status) }
    self.members = members
    duplicateNames = duplicates
  }

  /// The bytes of a member: a part of the mapped file when it is stored, decompressed into memory when not.
  ///
  /// - Throws: `FormatError` of kind `missing`, `limit` when it expands out of proportion, or `malformed`.
  public func region(_ name: String) throws(FormatError) -> ByteRegion {
    guard let member = members[name] else {
      throw FormatError(.missing, "the archive has no member \"\(name)\"", file: path)
    }
    guard !member.isEncrypted else { throw FormatError(.unsupported, "the member is encrypted", file: path, at: name) }
    let label = "\(path):\(name)"
    if member.isStored {
      guard member.byteCount <= file.count, member.offset <= file.count - member.byteCount else {
        throw FormatError(.truncated, "the file ends inside the member", file: path, at: name)
      }
      return try ByteRegion(file).slice(member.offset..<member.offset + member.byteCount, name: label)
    }
    guard limits.allowsExpansion(stored: member.compressedByteCount, declared: member.byteCount) else {
      throw FormatError(
        .limit, "the member expands from \(member.compressedByteCount) to \(member.byteCount) bytes", file: path, at: name)
    }
    return ByteRegion(try ZipReader(path: path).read(member), name: label)
  }
}

/// An open archive of the zip library.
@safe private struct ZipReader: ~Copyable {
  private let handle: unzFile
  private let path: String

  init(path: String) throws(FormatError) {
    guard let handle = unsafe unzOpen64(path) else {
      throw FormatError(.malformed, "is a zip archive whose directory cannot be read", file: path,
        advice: "The file may be cut short; fetch it again")
    }
    unsafe self.handle = handle
    self.path = path
  }

  deinit { unsafe unzClose(handle) }

  func goToFirst() -> Int32 { unsafe unzGoToFirstFile(handle) }
  func goToNext() -> Int32 { unsafe unzGoToNextFile(handle) }

  func error(_ action: String, _ status: Int32) -> FormatError {
    FormatError(.malformed, "zip: \(action) (status \(status))", file: path)
  }

  func currentMember() throws(FormatError) -> ZipArchive.Member {
    var information = unz_file_info64()
    var name = [CChar](repeating: 0, count: 1 << 16)
    var status = unsafe unzGetCurrentFileInfo64(handle, &information, &name, UInt(name.count), nil, 0, nil, 0)
    guard status == UNZ_OK else { throw error("cannot read a directory entry", status) }
    var position = unz64_file_pos()
    status = unsafe unzGetFilePos64(handle, &position)
    guard status == UNZ_OK else { throw error("cannot locate a member", status) }
    let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let isEncrypted = information.flag & 1 != 0
    var offset = 0
    if information.compression_method == 0, !isEncrypted {
      status = unsafe unzOpenCurrentFile(handle)
      guard status == UNZ_OK else { throw error("cannot open the member \"\(text)\"", status) }
      offset = Int(clamping: unsafe unzGetCurrentFileZStreamPos64(handle))
      unsafe unzCloseCurrentFile(handle)
    }
    return ZipArchive.Member(
      name: text, byteCount: Int(clamping: information.uncompressed_size),
      compressedByteCount: Int(clamping: information.compressed_size),
      isStored: information.compression_method == 0, isEncrypted: isEncrypted, offset: offset, position: position)
  }

  /// Decompresses a member, checking its checksum.
  func read(_ member: ZipArchive.Member) throws(FormatError) -> AlignedBytes {
    var position = member.position
    var status = unsafe unzGoToFilePos64(handle, &position)
    if status == UNZ_OK { status = unsafe unzOpenCurrentFile(handle) }
    guard status == UNZ_OK else { throw error("cannot open the member \"\(member.name)\"", status) }
    let bytes = try unsafe AlignedBytes(count: member.byteCount) { (buffer) throws(FormatError) in
      var filled = 0
      while filled < buffer.count {
        let length = UInt32(min(buffer.count - filled, 1 << 30))
        let count = unsafe unzReadCurrentFile(handle, buffer.baseAddress.map { unsafe $0 + filled }, length)
        guard count > 0 else { throw error("the member \"\(member.name)\" is cut short or damaged", count) }
        filled += Int(count)
      }
    }
    status = unsafe unzCloseCurrentFile(handle)
    guard status == UNZ_OK else { throw error("the checksum of the member \"\(member.name)\" is wrong", status) }
    return bytes
  }
}
