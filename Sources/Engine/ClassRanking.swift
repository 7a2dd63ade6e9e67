import NNFormat

/// The classes of one row of scores, best first.
public struct ClassRanking: Sendable, Hashable {
  /// A class and its score.
  public struct Entry: Sendable, Hashable {
    /// The position of the class among the scores.
    public var index: Int
    /// The score of the class.
    public var score: Double
  }

  /// The best classes, as many as were asked for.
  public var top: [Entry]
  /// The best score less the second one; the score itself when there is one class.
  public var margin: Double

  /// Ranks one row of scores. Of equal scores the first class comes first; NaN comes last.
  ///
  /// - Parameter count: how many classes to keep.
  public init(_ scores: some Sequence<Double>, keeping count: Int) {
    let entries = scores.enumerated().map { Entry(index: $0, score: $1) }.sorted { left, right in
      if left.score.isNaN || right.score.isNaN { return !left.score.isNaN }
      return left.score == right.score ? left.index < right.index : left.score > right.score
    }
    top = Array(entries.prefix(max(count, 1)))
    margin = entries.count > 1 ? entries[0].score - entries[1].score : entries.first?.score ?? 0
  }

  /// Whether rows of values look like probability vectors: in [0, 1] and, each by itself, summing to 1.
  public static func areProbabilities(_ values: [Double], columns: Int) -> Bool {
    guard columns > 1, !values.isEmpty else { return false }
    for start in stride(from: 0, to: values.count - columns + 1, by: columns) {
      let row = values[start..<start + columns]
      guard row.allSatisfy({ (-1e-6...1.000_001).contains($0) }), abs(row.reduce(0, +) - 1) < 1e-2 else { return false }
    }
    return true
  }
}
