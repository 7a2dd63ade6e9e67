/// Places blocks with known lifetimes into one arena, so that blocks which are never alive together share bytes.
package struct MemoryPlan {
  package struct Block {
    package var byteCount: Int
    /// The first and the last step, by position, at which the block holds something.
    package var lifetime: ClosedRange<Int>

    package init(byteCount: Int, lifetime: ClosedRange<Int>) {
      self.byteCount = byteCount
      self.lifetime = lifetime
    }
  }

  /// Where each block starts, a multiple of 64.
  package private(set) var offsets: [Int]
  package private(set) var byteCount: Int

  /// Places the largest blocks first, each at the lowest address that is free for the whole of its lifetime.
  package init(_ blocks: [Block]) {
    offsets = [Int](repeating: 0, count: blocks.count)
    byteCount = 0
    var placed: [Int] = []
    for index in blocks.indices.sorted(by: { blocks[$0].byteCount > blocks[$1].byteCount }) {
      let size = MemoryPlan.rounded(blocks[index].byteCount)
      var offset = 0
      for other in placed where blocks[other].lifetime.overlaps(blocks[index].lifetime) {
        if offset + size <= offsets[other] { break }
        offset = max(offset, offsets[other] + MemoryPlan.rounded(blocks[other].byteCount))
      }
      offsets[index] = offset
      byteCount = max(byteCount, offset + size)
      let position = placed.firstIndex { offsets[$0] > offset } ?? placed.count
      placed.insert(index, at: position)
    }
  }

  package static func rounded(_ byteCount: Int) -> Int { (byteCount + 63) & ~63 }
}
