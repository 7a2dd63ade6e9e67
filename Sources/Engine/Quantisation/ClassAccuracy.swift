import NNFormat

/// How often a classifier is right, and which of its answers change when it is quantised.
public struct ClassAccuracy: Sendable {
  /// Rows that were one class before and are another now.
  public struct Change: Sendable, Hashable {
    /// The class before.
    public let before: Int
    /// The class now.
    public let after: Int
    /// The true class.
    public let truth: Int
    /// How many rows.
    public let rows: Int
  }

  /// The share of rows that were right before.
  public let before: Double
  /// The share of rows that are right now.
  public let after: Double
  /// Answers that changed, the most frequent first.
  public let changes: [Change]

  /// How much was lost.
  public var drop: Double { before - after }

  init(before: [Int], after: [Int], truth: [Int]) {
    let total = Double(max(truth.count, 1))
    self.before = Double(zip(before, truth).count { $0 == $1 }) / total
    self.after = Double(zip(after, truth).count { $0 == $1 }) / total
    var counts: [[Int]: Int] = [:]
    for row in truth.indices where before[row] != after[row] {
      counts[[before[row], after[row], truth[row]], default: 0] += 1
    }
    changes = counts.map { Change(before: $0[0], after: $0[1], truth: $0[2], rows: $1) }.sorted {
      ($1.rows, $0.truth, $0.before, $0.after) < ($0.rows, $1.truth, $1.before, $1.after)
    }
  }

  /// The class of each row by a network: where its first output is largest along the last axis; of a single number, whether
  /// it is at least one half.
  static func classes(
    of model: Model, _ data: QuantisationData, options: EngineOptions, rowsPerRun: Int
  ) throws(EngineError) -> [Int] {
    let network = try Network(model, options: options)
    var classes: [Int] = []
    try data.forEachBatch(of: rowsPerRun) { range, batch throws(EngineError) in
      guard let output = try network.run(batch).first?.tensor, output.shape.first == range.count else {
        throw EngineError(.invalidInput, "the network's first output has no row for each row of the labelled data")
      }
      let scores = try output.probedNumbers()
      let columns = scores.count / range.count
      guard columns > 0 else { throw EngineError(.invalidInput, "the network's first output is empty") }
      if let truth = data.classes, classes.isEmpty { try QuantisationData.check(truth, scores: columns) }
      for row in 0..<range.count {
        let part = scores[row * columns..<(row + 1) * columns]
        if columns == 1 {
          classes.append(part.first.map { $0 >= 0.5 ? 1 : 0 } ?? 0)
        } else {
          classes.append(ClassRanking(part.map(Double.init), keeping: 1).top[0].index)
        }
      }
    }
    return classes
  }
}
