import Glibc
import NNFormat

extension LossRow {
  /// -sum t log softmax(x): the logits' gradient is softmax(x) sum t - t.
  func crossEntropyOfLogits(_ target: (Int) -> Double) -> Double {
    var largest = -Double.infinity
    for k in unsafe 0..<count { unsafe largest = max(largest, p(k)) }
    var sum = 0.0
    for k in unsafe 0..<count {
      unsafe scratch[k] = exp(p(k) - largest)
      unsafe sum += scratch[k]
    }
    let logSum = log(sum)
    var (value, mass) = (0.0, 0.0)
    for k in unsafe 0..<count {
      let t = target(k)
      mass += t
      if t != 0 { unsafe value -= t * (p(k) - largest - logSum) }
    }
    for k in unsafe 0..<count { unsafe put(k, scratch[k] / sum * mass - target(k)) }
    // A comparison leaves NaN out of the maximum.
    for k in unsafe 0..<count where unsafe p(k).isNaN { return .nan }
    return value
  }

  /// -sum t log clip(p / sum p).
  func crossEntropy(_ target: (Int) -> Double) -> Double {
    var sum = 0.0
    for k in unsafe 0..<count { unsafe sum += p(k) }
    var (value, inner) = (0.0, 0.0)
    for k in unsafe 0..<count {
      let share = unsafe p(k) / sum
      let (clipped, slope) = unsafe Self.clipped(share)
      value -= target(k) * log(clipped)
      unsafe scratch[k] = -target(k) / clipped * slope
      unsafe inner += scratch[k] * share
    }
    for k in unsafe 0..<count { unsafe put(k, (scratch[k] - inner) / sum) }
    return value
  }

  /// The cross-entropy of softmax over log clip(p), which divides by the sum of what was clipped.
  func sparseCrossEntropy(_ label: Int) -> Double {
    var sum = 0.0
    for k in unsafe 0..<count { unsafe sum += Self.clipped(p(k)).value }
    for k in unsafe 0..<count {
      let (clipped, slope) = unsafe Self.clipped(p(k))
      unsafe put(k, (1 / sum - (k == label ? 1 / clipped : 0)) * slope)
    }
    return unsafe log(sum) - log(Self.clipped(p(label)).value)
  }

  func binaryCrossEntropy(_ loss: Loss, _ isFromLogits: Bool) -> Double {
    let smoothing = loss.labelSmoothing
    return unsafe mean { x, target in
      let t = target * (1 - smoothing) + 0.5 * smoothing
      if isFromLogits { return (max(x, 0) - x * t + log1p(exp(-abs(x))), 1 / (1 + exp(-x)) - t) }
      let (q, slope) = unsafe Self.clipped(x)
      return (-(t * log(q) + (1 - t) * log(1 - q)), ((1 - t) / (1 - q) - t / q) * slope)
    }
  }

  func binaryFocal(_ loss: Loss, _ isFromLogits: Bool) -> Double {
    let (smoothing, gamma, alpha) = (loss.labelSmoothing, loss.gamma, loss.alpha)
    return unsafe mean { x, target in
      let t = target * (1 - smoothing) + 0.5 * smoothing
      let y = isFromLogits ? 1 / (1 + exp(-x)) : x
      let (q, slope) = unsafe Self.clipped(y)
      let entropy = -(t * log(q) + (1 - t) * log(1 - q))
      let entropySlope = ((1 - t) / (1 - q) - t / q) * slope
      let rest = 1 - (t * y + (1 - t) * (1 - y))
      let focus = pow(rest, gamma)
      let focusSlope = rest > 0 ? gamma * pow(rest, gamma - 1) * (1 - 2 * t) : 0
      let weight = loss.balancesClasses ? t * alpha + (1 - t) * (1 - alpha) : 1
      let derivative = weight * (focusSlope * entropy + focus * entropySlope)
      return (weight * focus * entropy, isFromLogits ? derivative * y * (1 - y) : derivative)
    }
  }

  func categoricalFocal(_ loss: Loss, _ isFromLogits: Bool) -> Double {
    let n = unsafe Double(count)
    let probabilities = unsafe scratch
    let slopes = unsafe scratch + count
    var (largest, mass) = (-Double.infinity, 0.0)
    for k in unsafe 0..<count { unsafe largest = max(largest, p(k)) }
    for k in unsafe 0..<count {
      unsafe probabilities[k] = isFromLogits ? exp(p(k) - largest) : p(k)
      unsafe mass += probabilities[k]
    }
    var (value, inner) = (0.0, 0.0)
    for k in unsafe 0..<count {
      unsafe probabilities[k] /= mass
      let (q, slope) = unsafe Self.clipped(probabilities[k])
      let t = unsafe t(k) * (1 - loss.labelSmoothing) + loss.labelSmoothing / n
      value -= loss.alpha * pow(1 - q, loss.gamma) * t * log(q)
      let derivative = loss.gamma * pow(1 - q, loss.gamma - 1) * log(q) - pow(1 - q, loss.gamma) / q
      unsafe slopes[k] = loss.alpha * t * derivative * slope
      unsafe inner += slopes[k] * probabilities[k]
    }
    for k in unsafe 0..<count {
      unsafe put(k, isFromLogits ? probabilities[k] * (slopes[k] - inner) : (slopes[k] - inner) / mass)
    }
    return value
  }

  /// Sum t log(t / p) of what is clipped to 1e-7 ... 1.
  func divergence() -> Double {
    var value = 0.0
    for k in unsafe 0..<count {
      let t = unsafe min(max(t(k), smallestProbability), 1)
      let q = unsafe min(max(p(k), smallestProbability), 1)
      value += t * log(t / q)
      unsafe put(k, p(k) >= smallestProbability && p(k) <= 1 ? -t / q : 0)
    }
    return value
  }

  /// max(0, max((1 - t) p) - sum(t p) + 1).
  func categoricalHinge() -> Double {
    var (positive, negative) = (0.0, -Double.infinity)
    for k in unsafe 0..<count {
      unsafe positive += t(k) * p(k)
      unsafe negative = max(negative, (1 - t(k)) * p(k))
    }
    let value = negative - positive + 1
    var equal = 0.0
    for k in unsafe 0..<count where unsafe (1 - t(k)) * p(k) == negative { equal += 1 }
    for k in unsafe 0..<count {
      let share = unsafe (1 - t(k)) * p(k) == negative ? (1 - t(k)) / equal : 0
      unsafe put(k, value > 0 ? share - t(k) : 0)
    }
    return max(value, 0)
  }

  /// Minus the cosine of the angle between targets and predictions.
  func cosineSimilarity() -> Double {
    var (predicted, wanted, product) = (0.0, 0.0, 0.0)
    for k in unsafe 0..<count {
      unsafe predicted += p(k) * p(k)
      unsafe wanted += t(k) * t(k)
      unsafe product += p(k) * t(k)
    }
    // Lengths below 1e-7 count as that.
    let tiny = 1e-14
    let (a, b) = (max(predicted, tiny).squareRoot(), max(wanted, tiny).squareRoot())
    let cosine = product / (a * b)
    for k in unsafe 0..<count {
      unsafe put(k, -(t(k) / (a * b) - (predicted > tiny ? cosine * p(k) / predicted : 0)))
    }
    return -cosine
  }

  /// x within 1e-7 ... 1 - 1e-7, and the slope of that.
  static func clipped(_ x: Double) -> (value: Double, slope: Double) {
    if x < smallestProbability { return (smallestProbability, 0) }
    // The neighbour that single precision has for 1 - 1e-7.
    let most = Double(Float(1 - smallestProbability))
    if x > most { return (most, 0) }
    return (x, 1)
  }
}
