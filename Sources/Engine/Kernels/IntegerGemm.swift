/// C = A · B' of 16-bit integers, exact modulo 2^32: what products of 8-bit operands less their zero points need.
///
/// The loops are plain, written so that the compiler finds the multiply-add of pairs. B is stored by columns. It serves
/// right sides that are no constants; `ByteGemm` the others.
package enum IntegerGemm {
  /// Columns that share the reading of a row of A.
  private static let tile = 4

  /// Multiplies.
  ///
  /// - Parameters:
  ///   - a: [rows x depth].
  ///   - b: [columns x depth].
  ///   - c: [rows x columns]; it must not overlap the operands.
  package static func run(
    rows: Int, depth: Int, columns: Int, a: UnsafePointer<Int16>, b: UnsafePointer<Int16>,
    c: UnsafeMutablePointer<Int32>, pool: ThreadPool
  ) {
    let tiles = (columns + tile - 1) / tile
    let estimate = WorkEstimate(nanoseconds: Double(rows) * Double(columns) * Double(depth) / 8)
    let tasks = max(1, estimate.taskCount(most: tiles, pool))
    pool.parallelFor(tasks: tasks) { task in
      for index in tiles * task / tasks..<tiles * (task + 1) / tasks {
        let column = index * tile
        let width = min(tile, columns - column)
        for row in 0..<rows {
          let (left, right) = unsafe (a + row * depth, b + column * depth)
          let target = unsafe c + row * columns + column
          if width == tile {
            let sums = unsafe products(left, right, depth)
            unsafe target[0] = sums.0
            unsafe target[1] = sums.1
            unsafe target[2] = sums.2
            unsafe target[3] = sums.3
          } else {
            for offset in 0..<width { unsafe target[offset] = unsafe product(left, right + offset * depth, depth) }
          }
        }
      }
    }
  }

  @inline(__always)
  private static func product(_ a: UnsafePointer<Int16>, _ b: UnsafePointer<Int16>, _ depth: Int) -> Int32 {
    var sum: Int32 = 0
    for k in 0..<depth { unsafe sum &+= Int32(a[k]) &* Int32(b[k]) }
    return sum
  }

  @inline(__always)
  private static func products(
    _ a: UnsafePointer<Int16>, _ b: UnsafePointer<Int16>, _ depth: Int
  ) -> (Int32, Int32, Int32, Int32) {
    let (b1, b2, b3) = unsafe (b + depth, b + 2 * depth, b + 3 * depth)
    var (sum0, sum1, sum2, sum3): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    for k in 0..<depth {
      let value = unsafe Int32(a[k])
      unsafe sum0 &+= value &* Int32(b[k])
      unsafe sum1 &+= value &* Int32(b1[k])
      unsafe sum2 &+= value &* Int32(b2[k])
      unsafe sum3 &+= value &* Int32(b3[k])
    }
    return (sum0, sum1, sum2, sum3)
  }
}

/// 8-bit integers as 16-bit ones less a zero point.
package struct ByteWidening: Sendable {
  private let flip: UInt8
  private let bias: Int16

  package init(isSigned: Bool) {
    flip = isSigned ? 0x80 : 0
    bias = isSigned ? 128 : 0
  }

  /// target[i] = source[i] - zero, for -255 <= zero <= 255.
  package func run(
    _ source: UnsafePointer<UInt8>, count: Int, zero: Int32, into target: UnsafeMutablePointer<Int16>
  ) {
    let offset = bias &+ Int16(truncatingIfNeeded: zero)
    for index in 0..<count { unsafe target[index] = Int16(source[index] ^ flip) &- offset }
  }

  /// target[column][row] = source[row][column] - zeros[column * zeroStride], by squares that stay in the cache.
  package func transpose(
    _ source: UnsafePointer<UInt8>, rows: Int, columns: Int, zeros: UnsafePointer<Int32>, zeroStride: Int,
    into target: UnsafeMutablePointer<Int16>, pool: ThreadPool
  ) {
    let side = 64
    let stripes = (columns + side - 1) / side
    let tasks = max(1, WorkEstimate(nanoseconds: Double(rows) * Double(columns)).taskCount(most: stripes, pool))
    pool.parallelFor(tasks: tasks) { task in
      for stripe in stripes * task / tasks..<stripes * (task + 1) / tasks {
        let range = stripe * side..<min(columns, (stripe + 1) * side)
        for first in stride(from: 0, to: rows, by: side) {
          for column in range {
            let offset = unsafe bias &+ Int16(truncatingIfNeeded: zeros[column * zeroStride])
            for row in first..<min(rows, first + side) {
              unsafe target[column * rows + row] = Int16(source[row * columns + column] ^ flip) &- offset
            }
          }
        }
      }
    }
  }
}
