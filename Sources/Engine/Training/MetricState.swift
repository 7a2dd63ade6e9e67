import Glibc
import NNFormat

/// What a metric has gathered over the rows so far, in numbers that can be stored.
struct MetricState: Sendable {
  let kind: Metric.Kind
  let columns: Int
  /// Whether targets are class numbers.
  let isSparse: Bool
  /// Sums, whose meaning is the kind's.
  var sums: [Double]

  /// How many thresholds a curve may have: two ends, and what memory and single precision allow.
  private static let thresholdRange = 2...1 << 20

  /// - Throws: `EngineError` of kind `unsupported` for a curve of too few or too many points, or a metric that compares
  ///   values where the targets of `loss` are class numbers, or the other way round.
  init(_ metric: Metric, loss: Loss, columns: Int) throws(EngineError) {
    if case .areaUnderCurve(let thresholds, _) = metric.kind, !Self.thresholdRange.contains(thresholds) {
      throw EngineError(
        .unsupported,
        "the metric \"\(metric.name)\" has \(thresholds) thresholds, not 2 to \(Self.thresholdRange.upperBound)")
    }
    if loss.takesClasses, columns > 1, metric.kind.comparesValues {
      throw EngineError(
        .unsupported,
        "the metric \"\(metric.name)\" needs a target for each output, but the loss takes class numbers")
    }
    if !loss.takesClasses, case .loss(let measured) = metric.kind, measured.takesClasses {
      throw EngineError(
        .unsupported,
        "the metric \"\(metric.name)\" takes class numbers, but the loss a target for each output")
    }
    let isSparse = loss.takesClasses
    var kind = metric.kind
    if kind == .accuracy {
      kind = isSparse ? .sparseCategoricalAccuracy : columns == 1 ? .binaryAccuracy() : .categoricalAccuracy
    }
    self.kind = kind
    self.columns = columns
    self.isSparse = isSparse
    sums = Array(repeating: 0, count: Self.sumCount(kind, columns))
  }

  private static func sumCount(_ kind: Metric.Kind, _ columns: Int) -> Int {
    switch kind {
    case .f1: 3 * columns
    case .areaUnderCurve(let thresholds, _): 2 * (thresholds + 1)
    default: 2
    }
  }

  mutating func reset() { for index in sums.indices { sums[index] = 0 } }

  /// Takes in a batch.
  mutating func update(_ predictions: Floats, _ targets: Floats, rows: Int, scratch: UnsafeMutablePointer<Double>) {
    switch kind {
    case .loss(let loss):
      let evaluation = LossEvaluation(loss: loss, rows: rows, columns: columns, isFromLogits: loss.fromLogits)
      unsafe sums[0] +=
        evaluation.run(predictions, targets: targets, weights: nil, gradient: nil, scratch: scratch).sum
      sums[1] += Double(rows)
    case .rootMeanSquaredError:
      for index in 0..<rows * columns {
        let difference = Double(predictions[index]) - Double(targets[index])
        sums[0] += difference * difference
      }
      sums[1] += Double(rows * columns)
    case .binaryAccuracy(let threshold):
      for index in 0..<rows * columns {
        sums[0] += (predictions[index] > threshold ? 1 : 0) == targets[index] ? 1 : 0
      }
      sums[1] += Double(rows * columns)
    case .precision(let threshold), .recall(let threshold): count(predictions, targets, rows, threshold)
    case .areaUnderCurve(let thresholds, _): bucket(predictions, targets, rows, thresholds)
    case .f1(_, let threshold?): countClasses(predictions, targets, rows, threshold)
    case .accuracy, .categoricalAccuracy, .sparseCategoricalAccuracy, .topK, .f1:
      for row in 0..<rows { classify(predictions, targets, row) }
    }
  }

  private func best(_ values: Floats, _ start: Int) -> Int {
    var best = 0
    for k in 1..<max(columns, 1) where values[start + k] > values[start + best] { best = k }
    return best
  }

  private mutating func classify(_ predictions: Floats, _ targets: Floats, _ row: Int) {
    let start = row * columns
    let truth = isSparse ? Int(targets[row]) : best(targets, start)
    let guess = best(predictions, start)
    switch kind {
    case .topK(let limit):
      guard truth >= 0, truth < columns else { return sums[1] += 1 }
      var above = 0
      for k in 0..<columns where predictions[start + k] > predictions[start + truth] { above += 1 }
      sums[0] += above < limit ? 1 : 0
      sums[1] += 1
    case .f1:
      if guess == truth {
        sums[3 * guess] += 1
      } else {
        sums[3 * guess + 1] += 1
        if truth >= 0, truth < columns { sums[3 * truth + 2] += 1 }
      }
    default:
      sums[0] += guess == truth ? 1 : 0
      sums[1] += 1
    }
  }

  /// For each class hits, false alarms and misses of predictions above a threshold.
  private mutating func countClasses(_ predictions: Floats, _ targets: Floats, _ rows: Int, _ threshold: Float) {
    for row in 0..<rows {
      for k in 0..<columns {
        let truth = isSparse ? Int(targets[row]) == k : targets[row * columns + k] != 0
        switch (predictions[row * columns + k] > threshold, truth) {
        case (true, true): sums[3 * k] += 1
        case (true, false): sums[3 * k + 1] += 1
        case (false, true): sums[3 * k + 2] += 1
        case (false, false): break
        }
      }
    }
  }

  /// True positives, and all that were predicted or that there are.
  private mutating func count(_ predictions: Floats, _ targets: Floats, _ rows: Int, _ threshold: Float) {
    let isPrecision = if case .precision = kind { true } else { false }
    for index in 0..<rows * columns {
      let (guess, truth) = (predictions[index] > threshold, targets[index] != 0)
      if guess && truth { sums[0] += 1 }
      if isPrecision ? guess : truth { sums[1] += 1 }
    }
  }

  /// Counts positives and negatives by how many thresholds their prediction exceeds.
  private mutating func bucket(_ predictions: Floats, _ targets: Floats, _ rows: Int, _ thresholds: Int) {
    for index in 0..<rows * columns {
      let value = predictions[index]
      // NaN exceeds none.
      guard !value.isNaN else {
        sums[targets[index] != 0 ? 1 : 0] += 1
        continue
      }
      // Thresholds: below 0, i / (n - 1), above 1.
      var exceeded =
        value > 1 + 1e-7 ? thresholds : min(Int((max(value, 0) * Float(thresholds - 1)).rounded(.up)), thresholds - 1)
      if value < 0 { exceeded = value > -1e-7 ? 1 : 0 } else { exceeded = max(exceeded, 1) }
      sums[2 * exceeded + (targets[index] != 0 ? 1 : 0)] += 1
    }
  }

  /// The value over all rows so far.
  var value: Double {
    switch kind {
    case .f1(let average, _): return f1(average)
    case .areaUnderCurve(let thresholds, let isPrecisionRecall): return area(thresholds, isPrecisionRecall)
    case .rootMeanSquaredError: return sums[1] == 0 ? 0 : (sums[0] / sums[1]).squareRoot()
    default: return sums[1] == 0 ? 0 : sums[0] / sums[1]
    }
  }

  private func f1(_ average: Metric.F1Average) -> Double {
    func score(_ hits: Double, _ others: Double) -> Double { hits == 0 ? 0 : 2 * hits / (2 * hits + others) }
    var (total, weight) = (0.0, 0.0)
    var all = (hits: 0.0, others: 0.0)
    for k in 0..<columns {
      let (hits, others, misses) = (sums[3 * k], sums[3 * k + 1] + sums[3 * k + 2], sums[3 * k + 2])
      let share = average == .weighted ? hits + misses : 1
      total += share * score(hits, others)
      weight += share
      all = (all.hits + hits, all.others + others)
    }
    if average == .micro { return score(all.hits, all.others) }
    return weight == 0 ? 0 : total / weight
  }

  private func area(_ thresholds: Int, _ isPrecisionRecall: Bool) -> Double {
    // Positives and negatives above each threshold, from the lowest one on.
    var above: [(positive: Double, negative: Double)] = []
    var counts = (positive: 0.0, negative: 0.0)
    for exceeded in (1...thresholds).reversed() {
      counts.positive += sums[2 * exceeded + 1]
      counts.negative += sums[2 * exceeded]
      above.append(counts)
    }
    above.reverse()
    let all = (positive: counts.positive + sums[1], negative: counts.negative + sums[0])
    var area = 0.0
    for (low, high) in zip(above, above.dropFirst()) {
      if isPrecisionRecall {
        area += Self.precisionRecall(low, high, all.positive)
      } else {
        let width = all.negative == 0 ? 0 : (low.negative - high.negative) / all.negative
        let height = all.positive == 0 ? 0 : (low.positive + high.positive) / 2 / all.positive
        area += width * height
      }
    }
    return area
  }

  /// The interpolation of Davis and Goadrich, 2006.
  private static func precisionRecall(
    _ low: (positive: Double, negative: Double), _ high: (positive: Double, negative: Double), _ positives: Double
  ) -> Double {
    let hits = low.positive - high.positive
    let (lowTotal, highTotal) = (low.positive + low.negative, high.positive + high.negative)
    let total = lowTotal - highTotal
    let slope = total == 0 ? 0 : hits / total
    let intercept = high.positive - slope * highTotal
    let ratio = lowTotal > 0 && highTotal > 0 ? lowTotal / highTotal : 1
    guard positives > 0 else { return 0 }
    return slope * (hits + intercept * Glibc.log(ratio)) / positives
  }
}

extension Metric.Kind {
  /// Whether every output is compared with a target of its own.
  fileprivate var comparesValues: Bool {
    switch self {
    case .binaryAccuracy, .precision, .recall, .areaUnderCurve, .rootMeanSquaredError: true
    case .loss(let loss): !loss.takesClasses
    case .accuracy, .categoricalAccuracy, .sparseCategoricalAccuracy, .topK, .f1: false
    }
  }
}
