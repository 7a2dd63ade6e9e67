import CZip
import Glibc

/// Writes a zip archive of stored members. Members carry no dates, so the same content gives the same bytes.
@safe package struct ZipWriter: ~Copyable {
  private let handle: zipFile
  private let path: String
  private var isOpen = true
  /// From which size on a member is written with sizes of 64 bits.
  private let largeFrom: Int

  /// Writes an archive in the place of the file at `path`; nothing is left behind when `body` throws.
  ///
  /// - Parameter largeFrom: the size from which on a member has sizes of 64 bits; by default the first that needs them.
  package static func write(
    to path: String, largeFrom: Int = 0xFFFF_FFFF, _ body: (borrowing ZipWriter) throws(FormatError) -> Void
  ) throws(FormatError) {
    let file = try AtomicWriter(replacing: path)
    var archive = try ZipWriter(descriptor: file.descriptor, path: path, largeFrom: largeFrom)
    try body(archive)
    try archive.finish()
    try file.commit()
  }

  private init(descriptor: Int32, path: String, largeFrom: Int) throws(FormatError) {
    var functions = unsafe Self.functions(writingTo: descriptor)
    guard let handle = unsafe zipOpen2_64(path, APPEND_STATUS_CREATE, nil, &functions) else {
      throw .system("cannot be written", path)
    }
    unsafe self.handle = handle
    self.path = path
    self.largeFrom = largeFrom
  }

  private static let pieceSize = 8 << 20

  /// Adds a member with all its bytes.
  package func add(_ name: String, _ bytes: [UInt8]) throws(FormatError) {
    try add(name, ByteRegion(AlignedBytes(copying: bytes), name: name))
  }

  /// Adds a member whose bytes are taken in pieces from where they are, so that a large one does not become resident.
  package func add(_ name: String, _ bytes: ByteRegion) throws(FormatError) { try add(name, [bytes]) }

  /// Adds a member whose bytes are those of several regions in turn.
  package func add(_ name: String, _ regions: [ByteRegion]) throws(FormatError) {
    let count = regions.reduce(0) { $0 + $1.count }
    var information = zip_fileinfo()
    // The first day that zip's calendar has.
    information.dosDate = 1 << 21 | 1 << 16
    let isLarge: Int32 = count >= largeFrom ? 1 : 0
    var status = unsafe zipOpenNewFileInZip64(handle, name, &information, nil, 0, nil, 0, nil, 0, 0, isLarge)
    guard status == ZIP_OK else { throw .system("cannot be written", path) }
    for region in regions {
      var start = 0
      while status == ZIP_OK, start < region.count {
        let piece = start..<min(start + Self.pieceSize, region.count)
        status = try unsafe region.withBytes(piece) { buffer in
          unsafe zipWriteInFileInZip(handle, buffer.baseAddress, UInt32(buffer.count))
        }
        region.giveBack(piece)
        start = piece.upperBound
      }
    }
    guard status == ZIP_OK, unsafe zipCloseFileInZip(handle) == ZIP_OK else { throw .system("cannot be written", path) }
  }

  deinit {
    if isOpen { _ = unsafe zipClose(handle, nil) }
  }

  private mutating func finish() throws(FormatError) {
    isOpen = false
    guard unsafe zipClose(handle, nil) == ZIP_OK else { throw .system("cannot be written", path) }
  }

  /// The library's file functions over an open descriptor, which they leave open.
  private static func functions(writingTo descriptor: Int32) -> zlib_filefunc64_def {
    // The descriptor travels as the stream pointer, moved by one since zero would mean failure.
    let stream = unsafe UnsafeMutableRawPointer(bitPattern: Int(descriptor) + 1)
    return unsafe zlib_filefunc64_def(
      zopen64_file: { opaque, _, _ in unsafe opaque },
      zread_file: { _, stream, target, count in
        UInt(clamping: unsafe Glibc.read(openDescriptor(stream), target, Int(clamping: count)))
      },
      zwrite_file: { _, stream, source, count in
        let bytes = unsafe UnsafeRawBufferPointer(start: source, count: source == nil ? 0 : Int(clamping: count))
        return unsafe UInt(AtomicWriter.writeAll(bytes, to: openDescriptor(stream)))
      },
      ztell64_file: { _, stream in UInt64(clamping: unsafe lseek(openDescriptor(stream), 0, SEEK_CUR)) },
      zseek64_file: { _, stream, offset, origin in
        unsafe lseek(openDescriptor(stream), Int(clamping: offset), origin) < 0 ? -1 : 0
      },
      zclose_file: { _, _ in 0 },
      zerror_file: { _, _ in 0 },
      opaque: stream)
  }
}

/// The descriptor that a stream pointer stands for.
private func openDescriptor(_ stream: UnsafeMutableRawPointer?) -> Int32 {
  Int32(truncatingIfNeeded: Int(bitPattern: stream) - 1)
}
