import Glibc
import NNFormat

extension Loss {
  /// The activations at the output through which the loss is computed from what goes into them, which loses nothing of
  /// small probabilities. Either one counts with each of these losses, as networks trained elsewhere have it.
  var joinedActivations: [String] {
    switch kind {
    case .categoricalCrossEntropy, .sparseCategoricalCrossEntropy, .binaryCrossEntropy: ["Softmax", "Sigmoid"]
    default: []
    }
  }
}

/// The smallest number that formulas put in the place of zero.
let smallestProbability = 1e-7

/// The evaluation of a loss on one batch.
struct LossEvaluation {
  let loss: Loss
  let rows: Int
  let columns: Int
  /// Whether the predictions are logits.
  let isFromLogits: Bool
  /// What the gradient is multiplied by.
  var scale = 1.0

  /// The weighted sum over the rows, and what it is divided by.
  ///
  /// - Parameters:
  ///   - targets: as many values as predictions, or a class number for each row.
  ///   - weights: one for each row, or nil.
  ///   - gradient: receives d(sum / divisor) / d(prediction).
  ///   - scratch: room for three rows of doubles.
  func run(
    _ predictions: Floats, targets: Floats, weights: Floats?, gradient: Floats?, scratch: UnsafeMutablePointer<Double>
  ) -> (sum: Double, divisor: Double) {
    var divisor = Double(rows)
    if loss.reduction == .sum { divisor = 1 }
    if loss.reduction == .meanOverWeights, let weights {
      divisor = (0..<rows).reduce(0) { $0 + Double(weights[$1]) }
    }
    let isBinary = isHinge && (0..<targets.count).allSatisfy { targets[$0] == 0 || targets[$0] == 1 }
    var total = 0.0
    for row in 0..<rows {
      let weight = weights.map { Double($0[row]) } ?? 1
      let line = unsafe LossRow(
        predictions: predictions, targets: targets, gradient: gradient, start: row * columns, row: row, count: columns,
        factor: divisor == 0 ? 0 : scale * weight / divisor, labels: isBinary, scratch: scratch)
      unsafe total += weight * line.value(of: loss, isFromLogits: isFromLogits)
    }
    return (total, divisor)
  }

  private var isHinge: Bool { loss.kind == .hinge || loss.kind == .squaredHinge }
}

/// One row of a batch. All arithmetic is in double precision.
@unsafe struct LossRow {
  let predictions: Floats
  let targets: Floats
  let gradient: Floats?
  let start: Int
  let row: Int
  let count: Int
  /// What the row's gradient is multiplied by.
  let factor: Double
  /// Whether targets 0 and 1 stand for -1 and 1.
  let labels: Bool
  let scratch: UnsafeMutablePointer<Double>

  @inline(__always) func p(_ k: Int) -> Double { unsafe Double(predictions[start + k]) }
  @inline(__always) func t(_ k: Int) -> Double { unsafe Double(targets[start + k]) }
  @inline(__always) func put(_ k: Int, _ value: Double) { unsafe gradient?[start + k] = Float(value * factor) }

  func value(of loss: Loss, isFromLogits: Bool) -> Double {
    let n = unsafe Double(count)
    switch loss.kind {
    case .categoricalCrossEntropy:
      let smoothing = loss.labelSmoothing
      return unsafe isFromLogits
        ? crossEntropyOfLogits { unsafe t($0) * (1 - smoothing) + smoothing / n }
        : crossEntropy { unsafe t($0) * (1 - smoothing) + smoothing / n }
    case .sparseCategoricalCrossEntropy:
      let label = unsafe Int(targets[row])
      return unsafe isFromLogits ? crossEntropyOfLogits { $0 == label ? 1 : 0 } : sparseCrossEntropy(label)
    case .binaryCrossEntropy: return unsafe binaryCrossEntropy(loss, isFromLogits)
    case .meanSquaredError: return unsafe mean { p, t in ((p - t) * (p - t), 2 * (p - t)) }
    case .meanAbsoluteError: return unsafe mean { p, t in (abs(p - t), p > t ? 1 : p < t ? -1 : 0) }
    case .meanAbsolutePercentageError:
      return unsafe 100
        * mean(scale: 100) { p, t in
          let size = max(abs(t), smallestProbability)
          return (abs((t - p) / size), (p > t ? 1 : p < t ? -1 : 0) / size)
        }
    case .meanSquaredLogarithmicError:
      return unsafe mean { p, t in
        let difference = log(max(p, smallestProbability) + 1) - log(max(t, smallestProbability) + 1)
        return (difference * difference, p > smallestProbability ? 2 * difference / (p + 1) : 0)
      }
    case .huber:
      let delta = loss.delta
      return unsafe mean { p, t in
        let error = p - t
        return abs(error) <= delta
          ? (0.5 * error * error, error) : (delta * abs(error) - 0.5 * delta * delta, error > 0 ? delta : -delta)
      }
    case .logCosh:
      return unsafe mean { p, t in
        let x = p - t
        return (x + max(-2 * x, 0) + log1p(exp(-abs(2 * x))) - log(2), tanh(x))
      }
    case .poisson:
      return unsafe mean { p, t in (p - t * log(p + smallestProbability), 1 - t / (p + smallestProbability)) }
    case .hinge: return unsafe mean { p, t in (max(1 - t * p, 0), 1 - t * p > 0 ? -t : 0) }
    case .squaredHinge:
      return unsafe mean { p, t in
        let margin = max(1 - t * p, 0)
        return (margin * margin, -2 * margin * t)
      }
    case .klDivergence: return unsafe divergence()
    case .categoricalHinge: return unsafe categoricalHinge()
    case .cosineSimilarity: return unsafe cosineSimilarity()
    case .binaryFocalCrossEntropy: return unsafe binaryFocal(loss, isFromLogits)
    case .categoricalFocalCrossEntropy: return unsafe categoricalFocal(loss, isFromLogits)
    }
  }

  /// The mean over the row of a function of prediction and target, given with its derivative.
  @inline(__always)
  func mean(scale: Double = 1, _ term: (Double, Double) -> (value: Double, derivative: Double)) -> Double {
    var sum = 0.0
    for k in unsafe 0..<count {
      let target = unsafe labels ? 2 * t(k) - 1 : t(k)
      let (value, derivative) = unsafe term(p(k), target)
      sum += value
      unsafe put(k, scale * derivative / Double(count))
    }
    return unsafe sum / Double(count)
  }
}
