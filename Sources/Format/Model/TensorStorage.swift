import Glibc

/// Where the bytes of a tensor are. Dense, row-major, little-endian, sub-byte types packed low bits first.
public enum TensorStorage: Sendable {
  /// A range of a mapped file, untouched until it is read.
  case mapped(MappedFile, Range<Int>)
  /// Bytes in memory.
  case owned(AlignedBytes)
  /// Bytes that a function produces when they are asked for, such as those of a compressed dataset.
  case deferred(byteCount: Int, load: @Sendable () throws(FormatError) -> AlignedBytes)
  /// String elements, each any bytes.
  case strings([[UInt8]])
}

/// An immutable block of memory aligned to 64 bytes, shared by reference.
@safe public final class AlignedBytes: Sendable {
  /// The number of bytes.
  public let count: Int
  /// `nonisolated(unsafe)` holds because nothing writes after `init` returns.
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer

  /// Allocates `count` bytes and lets `fill` write them; they start as zeros.
  ///
  /// - Throws: `FormatError` of kind `limit` when the system has no such memory, and what `fill` throws.
  public convenience init(
    count: Int, fill: (UnsafeMutableRawBufferPointer) throws(FormatError) -> Void
  ) throws(FormatError) {
    try unsafe self.init(
      count: count, else: FormatError(.limit, "there is no memory for \(count) bytes"), fill: fill)
  }

  /// Allocates `count` bytes and lets `fill` write them; they start as zeros.
  ///
  /// - Parameter failure: what is thrown when the system has no such memory.
  package init<Failure: Error>(
    count: Int, else failure: @autoclosure () -> Failure,
    fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    guard let memory = unsafe Self.allocate(count) else { throw failure() }
    self.count = count
    unsafe base = memory
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
    unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
    try unsafe fill(buffer)
  }

  /// A copy of the bytes of an array, which has found memory itself.
  public init<Element: BitwiseCopyable>(copying elements: [Element]) {
    count = elements.count * MemoryLayout<Element>.stride
    guard let memory = unsafe Self.allocate(count) else { preconditionFailure("no memory for \(count) bytes") }
    unsafe base = memory
    unsafe elements.withUnsafeBytes { bytes in
      unsafe UnsafeMutableRawBufferPointer(start: base, count: count).copyMemory(from: bytes)
    }
  }

  private static func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
    var memory: UnsafeMutableRawPointer?
    guard count >= 0, count < Int.max - 64, unsafe posix_memalign(&memory, 64, max(count, 1)) == 0 else { return nil }
    return unsafe memory
  }

  deinit { unsafe free(base) }

  /// The bytes, valid while the object lives.
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(UnsafeRawBufferPointer(start: base, count: count))
  }
}
