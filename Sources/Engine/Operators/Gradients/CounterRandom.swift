import Glibc

/// Random numbers that are a function of their place: seed, step, node and element. So they do not depend on the order
/// in which threads ask, and a resumed run draws the same.
///
/// The bits are those of SplitMix64 (Steele, Lea and Flood, 2014) applied to the place twice.
package struct CounterRandom: Sendable {
  private let key: UInt64

  package init(seed: UInt64, step: UInt64, node: Int) {
    key = Self.mixed(Self.mixed(seed &+ 0x9e37_79b9_7f4a_7c15 &* (step &+ 1)) ^ UInt64(truncatingIfNeeded: node))
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// 64 random bits for an element.
  package func bits(_ element: Int) -> UInt64 {
    Self.mixed(key &+ 0x9e37_79b9_7f4a_7c15 &* UInt64(truncatingIfNeeded: element))
  }

  /// Uniform in 0 ..< 1, a multiple of 2 to the -24.
  package func unit(_ element: Int) -> Float { Float(bits(element) >> 40) * 0x1p-24 }

  /// Uniform in 0 ..< 1 in double precision.
  package func doubleUnit(_ element: Int) -> Double { Double(bits(element) >> 11) * 0x1p-53 }

  /// Standard normal, by Box and Muller.
  package func normal(_ element: Int) -> Double {
    let (u, v) = (doubleUnit(2 * element), doubleUnit(2 * element + 1))
    return (-2 * Glibc.log(1 - u)).squareRoot() * Glibc.cos(2 * Double.pi * v)
  }
}
