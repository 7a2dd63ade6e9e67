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
  public init<Failure: Error>(
    count: Int, fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    guard let memory = unsafe Self.allocate(count) else { preconditionFailure("no memory for \(count) bytes") }
    self.count = count
    unsafe base = memory
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
    unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
    try unsafe fill(buffer)
  }

  /// Allocates as many bytes as a file asks for, where the system has them.
  ///
  /// - Throws: `FormatError` of kind `limit` when it has not, and what `fill` throws.
  package init(
    claiming count: Int, fill: (UnsafeMutableRawBufferPointer) throws(FormatError) -> Void
  ) throws(FormatError) {
    guard let memory = unsafe Self.allocate(count) else {
      throw FormatError(.limit, "there is no memory for \(count) bytes")
    }
    self.count = count
    unsafe base = memory
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
    unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
    try unsafe fill(buffer)
  }

  /// A copy of the bytes of an array.
  public convenience init<Element: BitwiseCopyable>(copying elements: [Element]) {
    unsafe self.init(count: elements.count * MemoryLayout<Element>.stride) { buffer in
      unsafe elements.withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
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
