import NNFormat

extension AlignedBytes {
  /// Memory of a value of so many bytes.
  ///
  /// - Throws: `EngineError` of kind `shapeMismatch` when the system has no such memory, and what `fill` throws.
  convenience init(
    value byteCount: Int, fill: (UnsafeMutableRawBufferPointer) throws(EngineError) -> Void
  ) throws(EngineError) {
    try unsafe self.init(count: byteCount, else: EngineError.noMemory(byteCount), fill: fill)
  }
}
