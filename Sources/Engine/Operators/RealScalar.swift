import Glibc
import NNFormat

/// The float types in which steps compute, with the functions of the C library.
package protocol RealScalar: BinaryFloatingPoint, TensorScalar {
  static func exp(_ x: Self) -> Self
  static func expMinusOne(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func logOnePlus(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  static func erf(_ x: Self) -> Self
  static func pow(_ x: Self, _ y: Self) -> Self
}

extension Float: RealScalar {
  package static func exp(_ x: Float) -> Float { Glibc.exp(x) }
  package static func expMinusOne(_ x: Float) -> Float { Glibc.expm1f(x) }
  package static func log(_ x: Float) -> Float { Glibc.log(x) }
  package static func logOnePlus(_ x: Float) -> Float { Glibc.log1pf(x) }
  package static func tanh(_ x: Float) -> Float { Glibc.tanhf(x) }
  package static func erf(_ x: Float) -> Float { Glibc.erff(x) }
  package static func pow(_ x: Float, _ y: Float) -> Float { Glibc.powf(x, y) }
}

extension Double: RealScalar {
  package static func exp(_ x: Double) -> Double { Glibc.exp(x) }
  package static func expMinusOne(_ x: Double) -> Double { Glibc.expm1(x) }
  package static func log(_ x: Double) -> Double { Glibc.log(x) }
  package static func logOnePlus(_ x: Double) -> Double { Glibc.log1p(x) }
  package static func tanh(_ x: Double) -> Double { Glibc.tanh(x) }
  package static func erf(_ x: Double) -> Double { Glibc.erf(x) }
  package static func pow(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }
}

extension Activation {
  /// The name without parameters.
  package var name: String { String(String(describing: self).prefix { $0 != "(" }) }

  /// The function on one value in any float type; for float64, where no vector kernel stands.
  package func scalar<T: RealScalar>(_ x: T) -> T {
    switch self {
    case .identity: x
    case .relu: x > 0 || x.isNaN ? x : 0
    case .leakyRelu(let slope): x < 0 ? T(slope) * x : x
    case .sigmoid: 1 / (1 + T.exp(-x))
    case .tanh: T.tanh(x)
    case .elu(let alpha): x < 0 ? T(alpha) * T.expMinusOne(x) : x
    case .selu(let alpha, let gamma): T(gamma) * (x < 0 ? T(alpha) * T.expMinusOne(x) : x)
    case .celu(let alpha): x < 0 ? T(alpha) * T.expMinusOne(x / T(alpha)) : x
    case .gelu: x / 2 * (1 + T.erf(x * T(0.5).squareRoot()))
    case .geluTanh: x / 2 * (1 + T.tanh((2 / T.pi).squareRoot() * (x + T(0.044715) * x * x * x)))
    case .silu: x / (1 + T.exp(-x))
    case .swish(let alpha): x / (1 + T.exp(-T(alpha) * x))
    case .softplus: T.maximum(x, 0) + T.logOnePlus(T.exp(-x.magnitude))
    case .softsign: x / (1 + x.magnitude)
    case .hardSigmoid(let alpha, let beta): T.minimum(T.maximum(T(alpha) * x + T(beta), 0), 1)
    case .hardSwish: x * T.minimum(T.maximum(x / 6 + 0.5, 0), 1)
    case .mish: x * T.tanh(T.maximum(x, 0) + T.logOnePlus(T.exp(-x.magnitude)))
    case .clip(let lowest, let highest): x.isNaN ? x : T.minimum(T.maximum(x, T(lowest)), T(highest))
    case .thresholdedRelu(let threshold): x > T(threshold) ? x : 0
    case .exp: T.exp(x)
    case .log: T.log(x)
    case .sqrt: x < 0 ? .nan : x.squareRoot()
    case .reciprocal: 1 / x
    case .abs: x.magnitude
    case .negate: -x
    case .erf: T.erf(x)
    }
  }
}
