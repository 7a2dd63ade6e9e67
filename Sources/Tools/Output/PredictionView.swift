import NNEngine
import NNFormat
import OrderedCollections

/// Prints what a network predicted: classes where its single output is a row of probabilities, values elsewhere.
struct PredictionView {
  private struct Row {
    var ranking: ClassRanking
    var isUncertain: Bool
  }

  private let results: [(name: String, tensor: Tensor)]
  private let labels: [String]?
  /// The elements of each output, none where they are no real numbers.
  private let values: [[Double]]
  /// The same for people.
  private let cells: [[String]]
  private let rankings: [Row]?
  private let isMarginAsked: Bool
  private let correct: Int?

  /// Ranks the classes of each row.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when labels or true classes do not fit the output.
  init(
    _ results: [(name: String, tensor: Tensor)], labels: [String]?, top: Int?, minimumMargin: Double?, truth: [Int]?
  ) throws(FormatError) {
    self.results = results
    self.labels = labels
    isMarginAsked = minimumMargin != nil
    var values: [[Double]] = []
    var cells: [[String]] = []
    for (_, tensor) in results {
      let numbers = tensor.holdsNumbers ? try tensor.doubles() : []
      values.append(numbers)
      cells.append(tensor.holdsNumbers ? numbers.map { "\(Float($0))" } : try tensor.texts())
    }
    self.values = values
    self.cells = cells
    let columns = results.first?.tensor.shape.last ?? 0
    let isAsked = labels != nil || top != nil || minimumMargin != nil || truth != nil
    let isRow =
      results.count == 1 && results[0].tensor.shape.count == 2 && columns > 0 && results[0].tensor.holdsNumbers
    guard isRow, isAsked ? columns > 1 || truth != nil : ClassRanking.areProbabilities(values[0], columns: columns)
    else {
      guard !isAsked else {
        throw FormatError(
          .mismatch,
          "classes are asked for, but the output is not one row of scores a sample (it is \(Self.shapes(results)))")
      }
      rankings = nil
      correct = nil
      return
    }
    if let labels, labels.count != columns {
      throw FormatError(.mismatch, "\(labels.count) labels are given for \(columns) classes")
    }
    let rows = results[0].tensor.shape[0]
    if let truth, truth.count != rows {
      throw FormatError(.mismatch, "\(truth.count) true classes are given for \(rows) rows")
    }
    let rankings = (0..<rows).map { row in
      let scores = values[0][row * columns..<(row + 1) * columns]
      let ranking = ClassRanking(scores, keeping: top ?? min(3, columns))
      return Row(ranking: ranking, isUncertain: minimumMargin.map { !(ranking.margin >= $0) } ?? false)
    }
    self.rankings = rankings
    correct = truth.map { truth in
      zip(rankings, truth).count { row, expected in
        // One column is the probability of class 1.
        columns == 1 ? (row.ranking.top[0].score >= 0.5 ? 1 : 0) == expected : row.ranking.top[0].index == expected
      }
    }
  }

  /// How many rows were right.
  var accuracyText: String? {
    guard let correct, let rows = results.first?.tensor.shape.first, rows > 0 else { return nil }
    return "Accuracy: \(correct) of \(rows) (\(Figures.fixed(100 * Double(correct) / Double(rows), 2)) %)"
  }

  func print() {
    if let rankings { printClasses(rankings) } else { printValues() }
    if let accuracyText { Swift.print("\n" + accuracyText) }
  }

  private func printClasses(_ rankings: [Row]) {
    let classCount = results[0].tensor.shape[1]
    var table = Table(
      ("Row", .right), ("Class", .left), ("Score", .right), ("Margin", .right), ("Then", .left), ("", .left))
    for (index, row) in rankings.enumerated() {
      guard let best = row.ranking.top.first else { continue }
      let others = row.ranking.top.dropFirst().map { "\(label($0.index)) \(Figures.fixed($0.score, 4))" }
      table.add(
        [
          String(index), label(best.index), Figures.fixed(best.score, 4),
          classCount > 1 ? Figures.fixed(row.ranking.margin, 4) : "", others.joined(separator: ", "),
          row.isUncertain ? "uncertain" : "",
        ], color: row.isUncertain ? .yellow : nil)
    }
    table.print()
    let uncertain = rankings.count { $0.isUncertain }
    if isMarginAsked { Swift.print("\nUncertain: \(uncertain) of \(rankings.count)") }
  }

  private func printValues() {
    for ((name, tensor), cells) in zip(results, cells) {
      if results.count > 1 { Swift.print(Terminal.colored("\(name) \(Shape(tensor.shape))".onOneLine, .bold)) }
      let columns = tensor.shape.dropFirst().reduce(1, *)
      guard columns > 0, !tensor.shape.isEmpty else {
        Swift.print(cells.joined(separator: " "))
        continue
      }
      var table = Table(("Row", .right), (columns == 1 ? "Value" : "Values", .left))
      for row in 0..<cells.count / columns {
        table.add(String(row), cells[row * columns..<(row + 1) * columns].joined(separator: " ").onOneLine)
      }
      table.print()
    }
  }

  /// The prediction as `nnfmt.predict/1`.
  func json(model: String) -> JSONValue {
    var members: OrderedDictionary<String, JSONValue> = [
      "schema": "nnfmt.predict/1", "model": .string(model),
      "outputs": .array(
        results.map { name, tensor in
          [
            "name": .string(name), "elementType": .string(tensor.elementType.name),
            "shape": .array(tensor.shape.map { .int($0) }),
          ]
        }),
    ]
    if let rankings {
      members["predictions"] = .array(rankings.enumerated().map { index, row in json(of: row, at: index) })
    } else {
      members["values"] = .array(
        results.indices.map { index in
          .array(
            results[index].tensor.holdsNumbers
              ? values[index].map { .double($0) } : cells[index].map { .string($0) })
        })
    }
    if let correct, let rows = results.first?.tensor.shape.first {
      members["accuracy"] = [
        "correct": .int(correct), "rows": .int(rows), "value": .double(Double(correct) / Double(max(rows, 1))),
      ]
    }
    return .object(members)
  }

  private func json(of row: Row, at index: Int) -> JSONValue {
    let top = row.ranking.top.map { entry -> JSONValue in
      ["class": .int(entry.index), "label": .string(label(entry.index)), "score": .double(entry.score)]
    }
    return [
      "row": .int(index), "class": .int(row.ranking.top.first?.index ?? 0),
      "label": .string(label(row.ranking.top.first?.index ?? 0)), "margin": .double(row.ranking.margin),
      "uncertain": .bool(row.isUncertain), "top": .array(top),
    ]
  }

  private func label(_ index: Int) -> String { labels?[index] ?? String(index) }

  private static func shapes(_ results: [(name: String, tensor: Tensor)]) -> String {
    results.map { "\($0.name) \(Shape($0.tensor.shape))" }.joined(separator: ", ")
  }
}
