/// Places blocks in the scratch memory of a step, each on a 64-byte boundary.
package struct ScratchLayout {
  /// Bytes taken so far.
  package private(set) var byteCount = 0

  package init() {}

  /// The place of `count` values.
  ///
  /// - Throws: `EngineError` of kind `shapeMismatch` when the sizes overflow.
  package mutating func reserve<Scalar>(_: Scalar.Type, _ count: Int) throws(EngineError) -> ScratchBlock<Scalar> {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Scalar>.stride)
    guard !overflow, count >= 0, bytes < Int.max / 4, byteCount < Int.max / 4 else {
      throw EngineError(.shapeMismatch, "a value is too large")
    }
    defer { byteCount += (bytes + 63) & ~63 }
    return ScratchBlock(offset: byteCount)
  }
}

/// A block of values in the scratch memory of a step.
package struct ScratchBlock<Scalar>: Sendable {
  package let offset: Int

  /// Its address in one run.
  @inline(__always)
  package func pointer(in memory: StepMemory) -> UnsafeMutablePointer<Scalar> {
    unsafe (memory.scratch + offset).assumingMemoryBound(to: Scalar.self)
  }
}
