import Glibc

/// Writes a file so that it is replaced whole or not at all: a temporary file beside it, fsync, rename.
///
/// When the writer goes without `commit`, the temporary file goes with it and the target stays as it was. A symbolic link
/// is followed, so that the link stays, and a file that is replaced hands its permissions on. Reading from a mapping of the
/// file that is replaced is safe.
@safe public struct AtomicWriter: ~Copyable {
  private let path: String
  /// Where the file grows, for libraries that write by themselves.
  let temporaryPath: String
  /// The open temporary file, for libraries that write by themselves.
  let descriptor: Int32
  private var isCommitted = false

  /// Starts a replacement of the file at `path`.
  ///
  /// - Throws: `FormatError` of kind `io` when the folder cannot be written to, or the path is a folder or a device.
  public init(replacing path: String) throws(FormatError) {
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

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system("cannot be written", path) }
      written += count
    }
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
  public consuming func commit() throws(FormatError) {
    guard fsync(descriptor) == 0, unsafe rename(temporaryPath, path) == 0 else {
      throw .system("cannot be written", path)
    }
    isCommitted = true
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let folderDescriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folderDescriptor >= 0 {
      _ = fsync(folderDescriptor)
      close(folderDescriptor)
    }
  }
}
