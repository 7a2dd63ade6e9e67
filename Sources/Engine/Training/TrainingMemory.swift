import Glibc
import NNFormat

/// Memory of zeros that takes no pages before it is written, on huge pages where it is large.
@safe final class TrainingMemory {
  let base: UnsafeMutableRawPointer
  private let byteCount: Int

  /// - Parameter count: single-precision values.
  /// - Throws: `EngineError` of kind `shapeMismatch` when the system has no such block.
  init(count: Int) throws(EngineError) {
    let (bytes, isTooLarge) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    guard !isTooLarge,
      let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      unsafe memory != MAP_FAILED
    else { throw EngineError(.shapeMismatch, "\(count) parameters do not fit into memory") }
    unsafe base = memory
    byteCount = bytes
    unsafe HugePages.advise(base, byteCount: bytes)
  }

  deinit { unsafe munmap(base, byteCount) }

  func floats(_ offset: Int, _ count: Int) -> Floats { unsafe Floats(base + offset * 4, count: count) }
}
