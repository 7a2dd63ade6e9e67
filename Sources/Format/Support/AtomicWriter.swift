import CFile
import Glibc

/// Writes a file so that it is replaced whole or not at all: a temporary file beside it, fsync, rename.
///
/// When the writer goes without `commit`, the temporary file goes with it and the target stays as it was. A symbolic link
/// is followed, so that the link stays, and a file that is replaced hands its permissions on. Reading from a mapping of the
/// file that is replaced is safe.
///
/// What has been appended is on its way to the device while more is appended, so that little is left to wait for at the end.
@safe public struct AtomicWriter: ~Copyable {
  private let path: String
  /// Where the file grows, for libraries that write by themselves.
  let temporaryPath: String
  /// The open temporary file, for libraries that write by themselves.
  let descriptor: Int32
  /// Whether the file is for this process alone and goes with the writer.
  private let isScratch: Bool
  private var isCommitted = false

  /// Starts a replacement of the file at `path`.
  ///
  /// - Throws: `FormatError` of kind `io` when the folder cannot be written to, or the path is a folder or a device.
  public init(replacing path: String) throws(FormatError) { try self.init(path, isScratch: false) }

  /// Makes a file beside `path` that is never committed.
  init(scratchBeside path: String) throws(FormatError) { try self.init(path, isScratch: true) }

  private init(_ path: String, isScratch: Bool) throws(FormatError) {
    var status = stat()
    var path = path
    let isReplacing = unsafe stat(path, &status) == 0
    if isReplacing {
      guard status.st_mode & S_IFMT == S_IFREG else {
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        throw FormatError(.io, "cannot be written: it is \(isFolder ? "a folder" : "not a regular file")", file: path)
      }
      path = Self.resolved(path) ?? path
    }
    var template = Array("\(path).XXXXXX".utf8CString)
    let descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else { throw .system("cannot be written", path) }
    self.path = path
    self.isScratch = isScratch
    self.descriptor = descriptor
    temporaryPath = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    // mkstemp gives the owner alone access; a new file gets what the process's mask leaves.
    let mask = umask(0)
    _ = umask(mask)
    _ = fchmod(descriptor, isReplacing ? status.st_mode & 0o777 : 0o666 & ~mask)
  }

  private static func resolved(_ path: String) -> String? {
    guard let buffer = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(buffer) }
    return unsafe String(validatingCString: buffer)
  }

  deinit {
    close(descriptor)
    if !isCommitted { _ = unsafe unlink(temporaryPath) }
  }

  /// Bytes that are written, and given to the device, at a time.
  private static let pieceSize = 8 << 20

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    var written = 0
    while written < bytes.count {
      let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[written..<min(written + Self.pieceSize, bytes.count)])
      let count = unsafe Glibc.write(descriptor, piece.baseAddress, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system("cannot be written", path) }
      written += count
      startWriting(count)
    }
  }

  /// Appends a part of a mapped file without making it resident in this process.
  func write(_ file: MappedFile, _ range: Range<Int>) throws(FormatError) {
    var start = range.lowerBound
    while start < range.upperBound {
      let piece = start..<min(start + Self.pieceSize, range.upperBound)
      let count = nn_copy_range(file.descriptor, Int64(piece.lowerBound), descriptor, piece.count)
      if count < 0, errno == EINTR { continue }
      if count > 0 {
        start += count
        startWriting(count)
      } else {
        // Some pairs of file systems do not copy by themselves.
        try unsafe file.withBytes(piece) { (bytes) throws(FormatError) in try unsafe write(bytes) }
        file.giveBack(piece)
        start = piece.upperBound
      }
    }
  }

  /// Sends what was appended last to the device; small amounts wait for the end.
  private func startWriting(_ count: Int) {
    guard !isScratch, count >= Self.pieceSize / 8 else { return }
    nn_start_writing(descriptor, Int64(lseek(descriptor, 0, SEEK_CUR) - count), Int64(count))
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(FormatError) {
    var failure: FormatError?
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(FormatError) { try unsafe write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Puts the written file in the place of the old one.
  ///
  /// The content is on the device by then. The new name follows when the file system writes its folders; a machine that
  /// fails before that keeps the old file, whole.
  public consuming func commit() throws(FormatError) {
    guard fsync(descriptor) == 0, unsafe rename(temporaryPath, path) == 0 else {
      throw .system("cannot be written", path)
    }
    isCommitted = true
  }
}
