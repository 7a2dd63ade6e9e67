import Glibc

extension AtomicWriter {
  /// Writes the dense bytes of a tensor at an offset of the file; see `write(_:)`.
  func write(_ tensor: Tensor, at offset: Int) throws(FormatError) {
    guard lseek(descriptor, offset, SEEK_SET) == offset else { throw .system("cannot be written", path) }
    try write(tensor)
  }

  /// Appends the dense bytes of a tensor: mapped ones from file to file; deferred ones are loaded for the moment.
  public func write(_ tensor: Tensor) throws(FormatError) {
    if case .mapped(let file, let range) = tensor.storage { return try write(file, range) }
    try unsafe tensor.withBytes { (bytes) throws(FormatError) in try unsafe write(bytes) }
  }
}
