import CSandbox
import Glibc

/// The file in memory through which a worker hands over what is large. It is read by copying: a mapping could be cut short by
/// the other side while it is read.
enum SharedMemory {
  /// A new, empty one.
  static func make() throws(FormatError) -> Int32 {
    let descriptor = unsafe nn_shared_memory("nnfmt")
    guard descriptor >= 0 else { throw .system("cannot share memory with the process that reads HDF5") }
    return descriptor
  }

  /// A copy of the first bytes.
  static func bytes(of descriptor: Int32, count: Int) throws(FormatError) -> [UInt8] {
    guard count <= size(of: descriptor) else { throw MessageDecoder.error("fewer bytes than it says") }
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: FormatError?
    unsafe bytes.withUnsafeMutableBytes { buffer in
      do throws(FormatError) { try unsafe read(descriptor, into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Copies the first bytes.
  static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(FormatError) {
    var filled = 0
    while filled < buffer.count {
      let count = unsafe pread(
        descriptor, buffer.baseAddress.map { unsafe $0 + filled }, buffer.count - filled, filled)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw MessageDecoder.error("fewer bytes than it says") }
      filled += count
    }
  }

  /// Puts bytes in the place of what is there.
  static func replace(_ descriptor: Int32, with bytes: [UInt8]) throws(FormatError) {
    var failure: FormatError?
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(FormatError) { try unsafe replace(descriptor, with: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Puts bytes in the place of what is there.
  static func replace(_ descriptor: Int32, with bytes: UnsafeRawBufferPointer) throws(FormatError) {
    guard ftruncate(descriptor, 0) == 0 else { throw .system("cannot share memory") }
    var written = 0
    while written < bytes.count {
      let count = unsafe pwrite(
        descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written, written)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system("cannot share memory") }
      written += count
    }
  }

  /// Lets `body` write a number of bytes in the place of what is there.
  static func fill(
    _ descriptor: Int32, count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(FormatError) -> Void
  ) throws(FormatError) {
    guard ftruncate(descriptor, 0) == 0, ftruncate(descriptor, count) == 0 else {
      throw .system("cannot share memory")
    }
    guard count > 0 else { return }
    let mapping = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      throw FormatError(.limit, "HDF5: no memory for \(count) bytes")
    }
    defer { unsafe munmap(mapping, count) }
    try unsafe body(UnsafeMutableRawBufferPointer(start: mapping, count: count))
  }

  /// The filter of a worker has no calls that take names, which asking for a file's status is one of.
  private static func size(of descriptor: Int32) -> Int { max(lseek(descriptor, 0, SEEK_END), 0) }
}

extension ByteRegion {
  /// Calls `body` with an open file that holds the region, its size, and where the region is in it. A region in memory is copied
  /// into a file in memory.
  func withDescriptor<Result>(
    _ body: (_ descriptor: Int32, _ size: Int, _ range: Range<Int>) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    if let (file, range) = filePart { return try body(file.descriptor, file.count, range) }
    let descriptor = try SharedMemory.make()
    defer { close(descriptor) }
    try unsafe withBytes { (bytes) throws(FormatError) in
      try unsafe SharedMemory.replace(descriptor, with: bytes)
    }
    return try body(descriptor, count, 0..<count)
  }
}
