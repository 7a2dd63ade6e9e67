/// Changes to the bytes of a file: what happens to files on bad disks and in bad hands.
package enum ByteMutation {
  /// Numbers at which sizes, offsets and counts go wrong.
  private static let edges: [UInt64] = [
    0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
    0x1_0000_0000, 1 << 40, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFE, .max,
  ]

  /// Makes one change, sometimes a few.
  package static func mutate(_ bytes: inout [UInt8], _ numbers: inout SeededNumbers, other: [UInt8]) {
    for _ in 0...(numbers.below(3) == 0 ? numbers.below(4) : 0) { change(&bytes, &numbers, other: other) }
  }

  /// Makes one change at a random place.
  ///
  /// - Parameter other: a file of the same kind, from which pieces are spliced in.
  package static func change(_ bytes: inout [UInt8], _ numbers: inout SeededNumbers, other: [UInt8]) {
    guard !bytes.isEmpty else { return bytes = Array(other.prefix(numbers.below(64))) }
    let start = place(in: bytes, &numbers)
    let length = min(1 << numbers.below(10), bytes.count - start)
    switch numbers.below(24) {
    case 0...8: bytes[start] ^= 1 << UInt8(numbers.below(8))
    case 9...12: bytes[start] = UInt8(numbers.below(256))
    case 13...15:
      // A whole number of 1, 2, 4 or 8 bytes in either order.
      let edge = edges[numbers.below(edges.count)]
      let width = min(1 << numbers.below(4), bytes.count - start)
      let isBig = numbers.below(4) == 0
      for index in 0..<width {
        bytes[start + index] = UInt8(truncatingIfNeeded: edge >> UInt64(8 * (isBig ? width - 1 - index : index)))
      }
    case 16: bytes.removeLast(bytes.count - start)
    case 17: bytes.removeSubrange(start..<start + length)
    case 18: bytes.insert(contentsOf: (0..<length).map { _ in UInt8(numbers.below(256)) }, at: start)
    case 19: bytes.insert(contentsOf: Array(bytes[start..<start + length]), at: place(in: bytes, &numbers))
    case 20: for index in start..<start + length { bytes[index] = 0 }
    default:
      guard !other.isEmpty else { return }
      let from = place(in: other, &numbers)
      let count = numbers.below(4) == 0 ? other.count - from : min(1 << numbers.below(12), other.count - from)
      let end = numbers.below(2) == 0 ? start : min(start + count, bytes.count)
      bytes.replaceSubrange(start..<end, with: other[from..<from + count])
    }
  }

  /// A place in the file; what steers the reading of one lies near its ends more often than in between.
  private static func place(in bytes: [UInt8], _ numbers: inout SeededNumbers) -> Int {
    switch numbers.below(4) {
    case 0: numbers.below(min(bytes.count, 1024))
    case 1: bytes.count - 1 - numbers.below(min(bytes.count, 1024))
    default: numbers.below(bytes.count)
    }
  }
}
