import Glibc

/// Pages of 2 MB, which large blocks of memory ask the system for: a walk over rows that are far apart then finds its
/// addresses in the processor's tables.
enum HugePages {
  private static let size = 2 << 20

  /// The alignment of a block, at least a cache line.
  static func alignment(for byteCount: Int) -> Int { byteCount >= 2 * size ? size : 64 }

  /// Asks for huge pages under a block where it is large enough; one that does not start on a page stays as it is.
  static func advise(_ base: UnsafeMutableRawPointer, byteCount: Int) {
    if byteCount >= 2 * size { unsafe _ = madvise(base, byteCount, Int32(MADV_HUGEPAGE)) }
  }
}
