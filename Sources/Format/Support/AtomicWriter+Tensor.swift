import Glibc

extension AtomicWriter {
  /// Writes the dense bytes of a tensor at an offset of the file; see `write(_:)`.
  func write(_ tensor: Tensor, at offset: Int) throws(FormatError) {
    guard lseek(descriptor, offset, SEEK_SET) == offset else { throw .system("cannot be written", temporaryPath) }
    try write(tensor)
  }

  private static let pieceSize = 8 << 20

  /// Appends the dense bytes of a tensor. Mapped bytes go in pieces whose pages are given back, so that a large file does
  /// not become resident; deferred bytes are loaded for the moment.
  public func write(_ tensor: Tensor) throws(FormatError) {
    guard case .mapped(let file, let range) = tensor.storage else {
      return try unsafe tensor.withBytes { (bytes) throws(FormatError) in try unsafe write(bytes) }
    }
    var start = range.lowerBound
    while start < range.upperBound {
      let piece = start..<min(start + Self.pieceSize, range.upperBound)
      try unsafe file.withBytes(piece) { (bytes) throws(FormatError) in try unsafe write(bytes) }
      file.giveBack(piece)
      start = piece.upperBound
    }
  }
}
