import Glibc
import NNEngine

/// One of each activation, with parameters that are not their defaults.
let activations: [Activation] = [
  .identity, .relu, .leakyRelu(slope: 0.1), .sigmoid, .tanh, .elu(alpha: 0.7), .selu(alpha: 1.67, gamma: 1.05),
  .celu(alpha: 1.5), .gelu, .geluTanh, .silu, .swish(alpha: 1.7), .softplus, .softsign,
  .hardSigmoid(alpha: 0.2, beta: 0.5), .hardSwish, .mish, .clip(low: -0.5, high: 0.75), .thresholdedRelu(alpha: 0.3),
  .exp, .log, .sqrt, .reciprocal, .abs, .negate, .erf,
]

func apply(_ activation: Activation, _ x: [Float], _ table: KernelTable) -> [Float] {
  var y = x
  unsafe y.withUnsafeMutableBufferPointer { buffer in
    guard let start = buffer.baseAddress else { return }
    unsafe activation.apply(start, start, count: buffer.count, table: table)
  }
  return y
}

/// The activation in double precision, with the limits at infinities.
func exact(_ activation: Activation, _ value: Float) -> Double {
  let x = Double(value)
  switch activation {
  case .identity: return x
  case .relu: return x < 0 ? 0 : x
  case .leakyRelu(let slope): return x < 0 ? Double(slope) * x : x
  case .sigmoid: return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x))
  case .tanh: return tanh(x)
  case .elu(let alpha): return x < 0 ? Double(alpha) * expm1(x) : x
  case .selu(let alpha, let gamma): return Double(gamma) * (x < 0 ? Double(alpha) * expm1(x) : x)
  case .celu(let alpha): return x < 0 ? Double(alpha) * expm1(x / Double(alpha)) : x
  case .gelu: return x == -.infinity ? 0 : x * 0.5 * erfc(-x / 2.0.squareRoot())
  case .geluTanh:
    let inner = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
    return x < -30 ? 0 : x / (1 + exp(-2 * inner))
  case .silu: return x == -.infinity ? 0 : x / (1 + exp(-x))
  case .swish(let alpha): return x == -.infinity ? 0 : x / (1 + exp(-Double(alpha) * x))
  case .softplus: return max(x, 0) + log1p(exp(-Swift.abs(x)))
  case .softsign: return Swift.abs(x) == .infinity ? (x < 0 ? -1 : 1) : x / (1 + Swift.abs(x))
  case .hardSigmoid(let alpha, let beta): return clamp(Double(alpha) * x + Double(beta), 0, 1)
  case .hardSwish: return x == -.infinity ? 0 : x * clamp(x + 3, 0, 6) / 6
  case .mish: return x == -.infinity ? 0 : x * tanh(x > 40 ? x : log1p(exp(x)))
  case .clip(let low, let high): return clamp(x, Double(low), Double(high))
  case .thresholdedRelu(let alpha): return x <= Double(alpha) ? 0 : x
  case .exp: return exp(x)
  case .log: return x < 0 ? .nan : log(x)
  case .sqrt: return x < 0 ? .nan : x.squareRoot()
  case .reciprocal: return 1 / x
  case .abs: return Swift.abs(x)
  case .negate: return -x
  case .erf: return erf(x)
  }
}

private func clamp(_ x: Double, _ low: Double, _ high: Double) -> Double { x < low ? low : x > high ? high : x }
