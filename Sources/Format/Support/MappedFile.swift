import Glibc

/// A file mapped read-only into memory. Pages are read when they are touched.
///
/// The mapping stays valid when the file is replaced by renaming another one over it, which is how this library writes.
/// A file that another program shortens in place while it is mapped ends the process on access (SIGBUS), as with every
/// mapping reader.
@safe public final class MappedFile: Sendable {
  /// Where the file lies.
  public let path: String
  /// Its size in bytes.
  public let count: Int
  /// The open file, for the system's own copying.
  let descriptor: Int32
  /// Start of the mapping. `nonisolated(unsafe)` holds because the pages are read-only for the life of the object.
  private nonisolated(unsafe) let base: UnsafeRawPointer?

  /// Maps a regular file.
  ///
  /// - Throws: `FormatError` of kind `io` with the system's reason.
  public convenience init(path: String) throws(FormatError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("cannot open", path) }
    try self.init(adopting: descriptor, path: path)
  }

  /// Maps a regular file that is open, and closes it with the mapping.
  ///
  /// - Parameter path: how errors name it.
  init(adopting descriptor: Int32, path: String) throws(FormatError) {
    do throws(FormatError) {
      count = try Self.byteCount(ofRegularFile: descriptor, path)
      unsafe base = count > 0 ? try Self.mapping(of: descriptor, count: count, path) : nil
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  private static func byteCount(ofRegularFile descriptor: Int32, _ path: String) throws(FormatError) -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("cannot stat", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FormatError(.io, isFolder ? "is a folder, not a file" : "is not a regular file", file: path)
    }
    return Int(status.st_size)
  }

  @unsafe private static func mapping(
    of descriptor: Int32, count: Int, _ path: String
  ) throws(FormatError) -> UnsafeRawPointer {
    let mapping = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else { throw .system("cannot map", path) }
    return UnsafeRawPointer(mapping)
  }

  deinit {
    if let base = unsafe base { unsafe munmap(UnsafeMutableRawPointer(mutating: base), count) }
    close(descriptor)
  }

  /// Calls `body` with the bytes of `range`.
  ///
  /// - Throws: `FormatError` of kind `truncated` when the range passes the end of the file.
  public func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    guard range.lowerBound >= 0, range.upperBound <= count else {
      throw FormatError(
        .truncated, "ends at byte \(count), but bytes \(range.lowerBound) to \(range.upperBound) are needed",
        file: path)
    }
    return try unsafe body(UnsafeRawBufferPointer(start: base.map { unsafe $0 + range.lowerBound }, count: range.count))
  }

  /// Drops the pages of a range from this process. They come back from the file when they are touched again.
  public func giveBack(_ range: Range<Int>) {
    guard let base = unsafe base, range.lowerBound >= 0, range.upperBound <= count, !range.isEmpty else { return }
    let start = range.lowerBound & ~(Self.pageSize - 1)
    unsafe madvise(UnsafeMutableRawPointer(mutating: base + start), range.upperBound - start, MADV_DONTNEED)
  }

  private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

  /// A copy of a range of bytes.
  public func bytes(_ range: Range<Int>) throws(FormatError) -> [UInt8] {
    try unsafe withBytes(range) { buffer in unsafe [UInt8](buffer) }
  }

  /// A copy of the first `length` bytes, or of all when there are fewer.
  public func prefix(_ length: Int) -> [UInt8] {
    guard count > 0, let base = unsafe base else { return [] }
    return unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: min(length, count)))
  }
}

extension FormatError {
  /// An error from the system's `errno`.
  static func system(_ action: String, _ path: String? = nil) -> FormatError {
    FormatError(.io, "\(action): \(unsafe String(cString: strerror(errno)))", file: path)
  }
}
