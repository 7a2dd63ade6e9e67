import CFile
import Glibc

/// Writes a file so that it is replaced whole or not at all: the new content grows in a file without a name, is brought to the
/// device, and takes the place of the old one by renaming.
///
/// When the writer, or the process, goes without `commit`, the new content goes with it and the target stays as it was. File
/// systems without nameless files get a temporary file beside the target, which a process that is killed leaves behind. A
/// symbolic link is followed, so that the link stays, and a file that is replaced hands its permissions on. Reading from a
/// mapping of the file that is replaced is safe.
///
/// What has been appended is on its way to the device while more is appended, so that little is left to wait for at the end.
@safe public struct AtomicWriter: ~Copyable {
  let path: String
  /// Where the file has a name before it is committed; `nil` for one without a name.
  private let temporaryName: String?
  /// The open new file, for libraries that write by themselves.
  let descriptor: Int32
  /// Whether the file is for this process alone and goes with the writer.
  private let isScratch: Bool
  private var isCommitted = false

  /// Starts a replacement of the file at `path`.
  ///
  /// - Throws: `FormatError` of kind `io` when the folder cannot be written to, or the path is a folder or a device.
  public init(replacing path: String) throws(FormatError) { try self.init(path, isScratch: false, isNamed: false) }

  /// Starts a replacement that libraries can open by a name beside `path`, which a killed process leaves behind.
  init(replacing path: String, isNamed: Bool) throws(FormatError) {
    try self.init(path, isScratch: false, isNamed: isNamed)
  }

  /// Makes a file beside `path` that is never committed.
  init(scratchBeside path: String) throws(FormatError) { try self.init(path, isScratch: true, isNamed: false) }

  private init(_ path: String, isScratch: Bool, isNamed: Bool) throws(FormatError) {
    var status = stat()
    var path = FileSystem.target(of: path)
    let isReplacing = unsafe stat(path, &status) == 0
    if isReplacing {
      guard status.st_mode & S_IFMT == S_IFREG else {
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        throw FormatError(.io, "cannot be written: it is \(isFolder ? "a folder" : "not a regular file")", file: path)
      }
      path = FileSystem.canonical(path) ?? path
    }
    var temporaryName: String?
    var descriptor = isNamed ? -1 : unsafe nn_open_unnamed(Path.folder(of: path))
    if descriptor < 0, isNamed || [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) {
      var template = Array("\(path).XXXXXX".utf8CString)
      descriptor = unsafe mkstemp(&template)
      temporaryName = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    guard descriptor >= 0 else { throw .system("cannot be written", path) }
    self.path = path
    self.temporaryName = temporaryName
    self.isScratch = isScratch
    self.descriptor = descriptor
    // The owner alone has access so far; a new file gets what the process's mask leaves.
    _ = fchmod(descriptor, isReplacing ? status.st_mode & 0o777 : 0o666 & ~FileSystem.creationMask)
  }

  deinit {
    close(descriptor)
    if !isCommitted, let temporaryName { _ = unsafe unlink(temporaryName) }
  }

  /// A path that opens the new file for this process.
  var temporaryPath: String { temporaryName ?? "/proc/self/fd/\(descriptor)" }

  /// Calls `body` with the name of the new file, for libraries that open nothing else. A file that had none has it for the
  /// moment, and can have no other afterwards: it must be a scratch file.
  func withName<Result: ~Copyable>(_ body: (String) throws(FormatError) -> Result) throws(FormatError) -> Result {
    if let temporaryName { return try body(temporaryName) }
    let name = try FileSystem.nameBeside(descriptor, path)
    defer { FileSystem.remove(name) }
    return try body(name)
  }

  /// Bytes that are written, and given to the device, at a time.
  private static let pieceSize = 8 << 20

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    for start in stride(from: 0, to: bytes.count, by: Self.pieceSize) {
      let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.pieceSize, bytes.count)])
      guard unsafe Self.writeAll(piece, to: descriptor) == piece.count else { throw .system("cannot be written", path) }
      startWriting(piece.count)
    }
  }

  /// Writes until all is written or an error is in `errno`, which a short count alone does not give.
  ///
  /// - Returns: how many bytes were written.
  static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
    var done = 0
    while done < bytes.count {
      let count = unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      done += count
    }
    return done
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

  /// Gives what was written another name, which stays whatever becomes of the writer.
  ///
  /// - Throws: `FormatError` of kind `io`, also where the file system has no hard links.
  func link(to path: String) throws(FormatError) {
    guard fsync(descriptor) == 0 else { throw .system("cannot be written", path) }
    try FileSystem.name(descriptor, path)
    FileSystem.synchronizeFolder(of: path)
  }

  /// Puts the written file in the place of the old one.
  ///
  /// The content is on the device before the name changes, and the name is when this returns, as far as the file system
  /// can say so.
  public consuming func commit() throws(FormatError) {
    guard fsync(descriptor) == 0 else { throw .system("cannot be written", path) }
    if let temporaryName {
      guard unsafe rename(temporaryName, path) == 0 else { throw .system("cannot be written", path) }
    } else {
      try FileSystem.name(descriptor, path)
    }
    isCommitted = true
    FileSystem.synchronizeFolder(of: path)
  }
}
