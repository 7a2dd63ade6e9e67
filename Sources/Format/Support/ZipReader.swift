import CZip

/// An open archive of the zip library, reading from bytes that are mapped or in memory.
@safe struct ZipReader: ~Copyable {
  private let handle: unzFile
  private let path: String

  /// Opens the archive for the duration of `body`.
  ///
  /// - Throws: `FormatError` of kind `malformed` when the directory at the end cannot be read.
  static func open<Result>(
    _ source: ByteRegion, _ body: (borrowing ZipReader) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    try unsafe source.withBytes { (bytes) throws(FormatError) in
      var stream = unsafe MemoryStream(bytes: bytes, position: 0)
      return try unsafe withUnsafeMutablePointer(to: &stream) { (stream) throws(FormatError) in
        var functions = unsafe MemoryStream.functions(over: stream)
        guard let handle = unsafe unzOpen2_64(source.name, &functions) else {
          throw FormatError(
            .malformed, "is a zip archive whose directory cannot be read", file: source.name,
            advice: "The file may be cut short; fetch it again")
        }
        return try body(unsafe ZipReader(handle: handle, path: source.name))
      }
    }
  }

  @unsafe private init(handle: unzFile, path: String) {
    unsafe self.handle = handle
    self.path = path
  }

  deinit { unsafe unzClose(handle) }

  func goToFirst() -> Int32 { unsafe unzGoToFirstFile(handle) }
  func goToNext() -> Int32 { unsafe unzGoToNextFile(handle) }

  func error(_ action: String, _ status: Int32) -> FormatError {
    FormatError(.malformed, "zip: \(action) (status \(status))", file: path)
  }

  /// A name as readers take it, which ends at the first zero.
  static func name(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

  func currentMember() throws(FormatError) -> ZipArchive.Member {
    var information = unz_file_info64()
    var name = [CChar](repeating: 0, count: 1 << 16)
    var status = unsafe unzGetCurrentFileInfo64(handle, &information, &name, UInt(name.count), nil, 0, nil, 0)
    guard status == UNZ_OK else { throw error("cannot read a directory entry", status) }
    var position = unz64_file_pos()
    status = unsafe unzGetFilePos64(handle, &position)
    guard status == UNZ_OK else { throw error("cannot locate a member", status) }
    let text = Self.name(name.map(UInt8.init(bitPattern:)))
    let isEncrypted = information.flag & 1 != 0
    let isStored = information.compression_method == 0
    let header = localHeader(nameByteCount: Int(clamping: information.size_filename))
    guard header != nil || !isStored || isEncrypted else {
      throw error("cannot open the member \"\(text)\"", UNZ_BADZIPFILE)
    }
    return ZipArchive.Member(
      name: text, byteCount: Int(clamping: information.uncompressed_size),
      compressedByteCount: Int(clamping: information.compressed_size), isStored: isStored, isEncrypted: isEncrypted,
      isLink: ![0, 0o100000, 0o040000].contains(information.external_fa >> 16 & 0o170000),
      hasDescriptor: information.flag & 8 != 0, header: header, position: position)
  }

  /// Where the header in front of the current member's data lies; nil when it contradicts the directory.
  private func localHeader(nameByteCount: Int) -> ZipArchive.LocalHeader? {
    var method: Int32 = 0
    guard unsafe unzOpenCurrentFile2(handle, &method, nil, 1) == UNZ_OK else { return nil }
    defer { unsafe unzCloseCurrentFile(handle) }
    let extraByteCount = unsafe Int(unzGetLocalExtrafield(handle, nil, 0))
    let data = Int(clamping: unsafe unzGetCurrentFileZStreamPos64(handle))
    let name = data - extraByteCount - nameByteCount
    guard extraByteCount >= 0, name >= ZipArchive.LocalHeader.fixedByteCount else { return nil }
    return ZipArchive.LocalHeader(name: name..<name + nameByteCount, data: data)
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

/// A read position in a run of bytes, behind the zip library's file functions.
@unsafe private struct MemoryStream {
  let bytes: UnsafeRawBufferPointer
  var position: Int

  static func functions(over stream: UnsafeMutablePointer<MemoryStream>) -> zlib_filefunc64_def {
    unsafe zlib_filefunc64_def(
      zopen64_file: { stream, _, _ in unsafe stream },
      zread_file: { _, stream, target, count in
        guard let stream = unsafe stream?.assumingMemoryBound(to: MemoryStream.self), let target = unsafe target else {
          return 0
        }
        let (bytes, position) = unsafe (stream.pointee.bytes, stream.pointee.position)
        let length = min(Int(clamping: count), bytes.count - position)
        guard length > 0, let base = bytes.baseAddress else { return 0 }
        unsafe target.copyMemory(from: base + position, byteCount: length)
        unsafe stream.pointee.position += length
        return UInt(length)
      },
      zwrite_file: { _, _, _, _ in 0 },
      ztell64_file: { _, stream in
        unsafe UInt64(stream?.assumingMemoryBound(to: MemoryStream.self).pointee.position ?? 0)
      },
      zseek64_file: { _, stream, offset, origin in
        guard let stream = unsafe stream?.assumingMemoryBound(to: MemoryStream.self) else { return -1 }
        let count = unsafe stream.pointee.bytes.count
        let base =
          switch origin {
          case ZLIB_FILEFUNC_SEEK_CUR: unsafe stream.pointee.position
          case ZLIB_FILEFUNC_SEEK_END: count
          default: 0
          }
        let (target, overflow) = base.addingReportingOverflow(Int(truncatingIfNeeded: offset))
        guard !overflow, (0...count).contains(target) else { return -1 }
        unsafe stream.pointee.position = target
        return 0
      },
      zclose_file: { _, _ in 0 },
      zerror_file: { _, _ in 0 },
      opaque: stream)
  }
}
