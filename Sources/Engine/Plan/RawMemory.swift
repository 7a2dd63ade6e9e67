import Glibc

/// A block of memory aligned to 64 bytes at least that grows on demand and belongs to one context or one constant.
///
/// `@unchecked Sendable` holds because a block is written by its only owner before it is shared, and never afterwards.
@safe package final class RawMemory: @unchecked Sendable {
  package private(set) var base: UnsafeMutableRawPointer
  package private(set) var capacity: Int

  /// Allocates at least one byte.
  ///
  /// - Throws: `EngineError` of kind `shapeMismatch` when the system has no such block.
  package init(byteCount: Int) throws(EngineError) {
    capacity = max(byteCount, 64)
    unsafe base = try RawMemory.allocate(capacity)
  }

  deinit { unsafe free(base) }

  /// Makes room for `byteCount` bytes; what was stored is lost when the block has to grow.
  package func reserve(_ byteCount: Int) throws(EngineError) {
    guard byteCount > capacity else { return }
    let larger = unsafe try RawMemory.allocate(byteCount)
    unsafe free(base)
    unsafe base = larger
    capacity = byteCount
  }

  /// A block, aligned to 64 bytes at least, that `free` gives back.
  static func allocate(_ byteCount: Int) throws(EngineError) -> UnsafeMutableRawPointer {
    var memory: UnsafeMutableRawPointer? = nil
    let alignment = HugePages.alignment(for: byteCount)
    guard byteCount < Int.max - alignment else { throw .noMemory(byteCount) }
    let size = (byteCount + alignment - 1) / alignment * alignment
    guard unsafe posix_memalign(&memory, alignment, size) == 0, let memory = unsafe memory else {
      throw .noMemory(byteCount)
    }
    unsafe HugePages.advise(memory, byteCount: size)
    return unsafe memory
  }
}
