/// A floating-point format of 4 to 8 bits with a sign: the codes of `float8e4m3fn`, `float8e5m2`, `float4e2m1` ...
///
/// A value is ±1.m · 2^(e - bias), or ±0.m · 2^(1 - bias) where e is 0, as the ONNX standard and the OCP formats define.
package struct SmallFloat: Sendable {
  /// Which codes are no finite numbers.
  package enum Special: Sendable {
    /// All codes are finite numbers; what is NaN becomes negative zero.
    case none
    /// All ones is NaN, there is no infinity.
    case allOnes
    /// An exponent of all ones is infinity, or NaN where the mantissa is not 0.
    case exponent
    /// The code of negative zero is NaN; there is neither infinity nor negative zero.
    case negativeZero
  }

  private let mantissaBits: Int
  private let bias: Int
  private let special: Special
  private let signBit: UInt8
  /// The code of the largest finite number.
  private let largest: UInt8
  /// The value of each code; of the types with fewer than 8 bits the low bits count.
  package let values: [Float]

  private init(exponentBits: Int, mantissaBits: Int, bias: Int, _ special: Special) {
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.special = special
    let sign = UInt8(truncatingIfNeeded: 1 << (exponentBits + mantissaBits))
    signBit = sign
    let top = sign - 1
    largest =
      switch special {
      case .none, .negativeZero: top
      case .allOnes: top - 1
      case .exponent: top - (1 << mantissaBits)
      }
    let finite = largest
    values = (0...UInt8.max).map { code in
      let magnitude = code & (sign - 1)
      let isNegative = code & sign != 0
      if special == .negativeZero, isNegative, magnitude == 0 { return .nan }
      if magnitude > finite {
        guard special == .exponent, magnitude == finite + 1 else { return .nan }
        return isNegative ? -.infinity : .infinity
      }
      let field = Int(magnitude >> mantissaBits)
      let mantissa = Int(magnitude) - field << mantissaBits
      let significand = field == 0 ? mantissa : mantissa + 1 << mantissaBits
      let value = Float(sign: .plus, exponent: max(field, 1) - bias - mantissaBits, significand: Float(significand))
      return isNegative ? -value : value
    }
  }

  private static let e4m3fn = SmallFloat(exponentBits: 4, mantissaBits: 3, bias: 7, .allOnes)
  private static let e4m3fnuz = SmallFloat(exponentBits: 4, mantissaBits: 3, bias: 8, .negativeZero)
  private static let e5m2 = SmallFloat(exponentBits: 5, mantissaBits: 2, bias: 15, .exponent)
  private static let e5m2fnuz = SmallFloat(exponentBits: 5, mantissaBits: 2, bias: 16, .negativeZero)
  private static let e2m1 = SmallFloat(exponentBits: 2, mantissaBits: 1, bias: 1, .none)
  private static let e2m3 = SmallFloat(exponentBits: 2, mantissaBits: 3, bias: 1, .none)
  private static let e3m2 = SmallFloat(exponentBits: 3, mantissaBits: 2, bias: 3, .none)

  /// The format of an element type; `nil` for every type that is none of these.
  package static func format(of type: ElementType) -> SmallFloat? {
    switch type {
    case .float8e4m3fn: e4m3fn
    case .float8e4m3fnuz: e4m3fnuz
    case .float8e5m2: e5m2
    case .float8e5m2fnuz: e5m2fnuz
    case .float4e2m1: e2m1
    case .float6e2m3: e2m3
    case .float6e3m2: e3m2
    default: nil
    }
  }

  /// The code of the nearest value, ties to even.
  ///
  /// - Parameter saturates: whether what is too large, infinity included, becomes the largest finite number; otherwise it
  ///   becomes infinity, or NaN where the format has none. Formats without either always saturate.
  package func encode(_ value: Double, saturates: Bool) -> UInt8 {
    let sign: UInt8 = value.sign == .minus ? signBit : 0
    if value.isNaN { return notANumber(sign) }
    var code = Int.max
    if value.isFinite {
      if value == 0 { return special == .negativeZero ? 0 : sign }
      let exponent = max(Int(value.exponent), 1 - bias)
      // Beyond the largest exponent of any format nothing has to be rounded.
      guard exponent < 64 else { return overflow(sign, saturates) }
      let quantum = Double(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
      let count = Int((value.magnitude / quantum).rounded(.toNearestOrEven))
      // The count of quanta carries the implicit bit into the exponent's field, for normal numbers and for the rest.
      code = (exponent + bias - 1) << mantissaBits + count
    }
    guard code <= Int(largest) else { return overflow(sign, saturates) }
    if code == 0, special == .negativeZero { return 0 }
    return sign | UInt8(truncatingIfNeeded: code)
  }

  private func overflow(_ sign: UInt8, _ saturates: Bool) -> UInt8 {
    if saturates || special == .none { return sign | largest }
    return special == .exponent ? sign | largest + 1 : notANumber(sign)
  }

  private func notANumber(_ sign: UInt8) -> UInt8 {
    switch special {
    case .none, .negativeZero: signBit
    case .allOnes: sign | largest + 1
    case .exponent: sign | largest + 3
    }
  }
}
