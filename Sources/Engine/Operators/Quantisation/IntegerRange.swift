import NNFormat

/// The integers that a quantised element type of at most 16 bits holds.
struct IntegerRange: Sendable {
  let lowest: Int32
  let highest: Int32

  /// - Returns: `nil` for types that are no integers, or wider.
  init?(_ type: ElementType) {
    guard type.isInteger, let width = type.bitWidth, width <= 16 else { return nil }
    switch type {
    case .int2, .int4, .int8, .int16:
      lowest = -(1 << (width - 1))
      highest = (1 << (width - 1)) - 1
    default:
      lowest = 0
      highest = (1 << width) - 1
    }
  }

  /// round(value) + zero, ties to even, what is outside of the range moved to its end; a NaN becomes the lowest.
  @inline(__always)
  func quantised(_ value: Float, zero: Int32) -> Int32 {
    rounded(value, lowest: Float(lowest &- zero), highest: Float(highest &- zero)) &+ zero
  }

  /// round(value), moved into the range.
  @inline(__always)
  func rounded(_ value: Float) -> Int32 { rounded(value, lowest: Float(lowest), highest: Float(highest)) }

  @inline(__always)
  private func rounded(_ value: Float, lowest: Float, highest: Float) -> Int32 {
    let raised = value > lowest ? value : lowest
    let bounded = raised < highest ? raised : highest
    // 1.5 · 2^23 leaves no bits for the fraction, so that the addition rounds; the low bits are then the integer.
    return Int32(bitPattern: (bounded + 12_582_912).bitPattern) &- 0x4B40_0000
  }
}
