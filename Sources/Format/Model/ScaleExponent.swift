/// The codes of `float8e8m0`: powers of two from 2^-127 to 2^127, and NaN. There is no sign and no zero.
package enum ScaleExponent {
  /// How a number between two powers of two is rounded.
  package enum Rounding: String, Sendable {
    /// To the larger one.
    case up
    /// To the smaller one.
    case down
    /// To the nearer one, from the middle to the larger one.
    case nearest
  }

  private static let notANumber: UInt8 = 0xFF
  private static let largest: UInt8 = 0xFE

  /// The value of a code.
  package static func decode(_ code: UInt8) -> Float {
    code == notANumber ? .nan : Float(sign: .plus, exponent: Int(code) - 127, significand: 1)
  }

  /// The code of the magnitude of a number, as the tables of the ONNX operator Cast say.
  ///
  /// - Parameter saturates: whether what is out of range becomes the smallest or the largest power; otherwise it becomes
  ///   NaN, zero included.
  package static func encode(_ value: Double, _ rounding: Rounding, saturates: Bool) -> UInt8 {
    if value.isNaN { return notANumber }
    let magnitude = value.magnitude
    guard magnitude >= 0x1p-127 else { return saturates ? 0 : notANumber }
    guard magnitude.isFinite else { return saturates ? largest : notANumber }
    let significand = magnitude.significand
    let raises =
      switch rounding {
      case .up: significand > 1
      case .down: false
      case .nearest: significand >= 1.5
      }
    let code = Int(magnitude.exponent) + 127 + (raises ? 1 : 0)
    guard code <= Int(largest) else { return saturates ? largest : notANumber }
    return UInt8(truncatingIfNeeded: code)
  }
}
