import NNEngine
import NNFormat

/// Prints what `quantise` did for people.
struct QuantisationView {
  private let result: QuantisationResult

  init(_ result: QuantisationResult) { self.result = result }

  func print() {
    table.print()
    Swift.print("")
    for line in lines { Swift.print(line.onOneLine) }
  }

  private var table: Table {
    var table = Table(
      ("Layer", .left), ("Weights", .left), ("Bits", .right), ("Weight SQNR", .right), ("Output SQNR", .right),
      ("Cumulated", .right), ("Cosine", .right), ("Largest error", .right), ("Saturated", .right), ("Scales", .right),
      ("", .left))
    for row in result.layers {
      let measured = row.cumulative ?? row.output
      table.add(
        row.name, row.scheme, Figures.fixed(row.bits, 2), decibels(row.weights), decibels(row.output),
        decibels(row.cumulative), measured.map { Figures.fixed($0.cosine, 6) } ?? "",
        measured.map { Figures.short($0.largest) } ?? "", saturation(row), scales(row), row.reason ?? "")
    }
    return table
  }

  private func decibels(_ sums: ErrorSums?) -> String {
    guard let sums else { return "" }
    return sums.noise == 0 ? "exact" : "\(Figures.fixed(sums.decibels, 1)) dB"
  }

  private func saturation(_ row: LayerQuantisation) -> String {
    guard let share = row.activation?.saturation ?? row.weights?.saturation else { return "" }
    return "\(Figures.fixed(100 * share, 2)) %"
  }

  private func scales(_ row: LayerQuantisation) -> String {
    guard let scales = row.scales else { return "" }
    let (low, high) = (Figures.short(Double(scales.lowerBound)), Figures.short(Double(scales.upperBound)))
    return low == high ? low : "\(low) - \(high)"
  }

  private var lines: [String] {
    var lines: [String] = []
    if let after = result.bytesAfter {
      let ratio = Double(result.bytesBefore) / Double(max(after, 1))
      lines.append(
        "size: \(Figures.bytes(result.bytesBefore)) -> \(Figures.bytes(after)) (\(Figures.fixed(ratio, 2)) times smaller)"
      )
    }
    if let outputs = result.outputs {
      lines.append("outputs: SQNR \(decibels(outputs)), cosine \(Figures.fixed(outputs.cosine, 6))")
    }
    if let speed = result.speed {
      let rows = speed.rows == 1 ? "1 row" : "\(speed.rows) rows"
      lines.append(
        "speed: \(Figures.duration(speed.before)) -> \(Figures.duration(speed.after)), \(rows), \(speed.threads) threads (\(Figures.fixed(speed.ratio, 2)) times as fast)"
      )
    }
    if let accuracy = result.accuracy {
      lines.append(
        "accuracy: \(Figures.fixed(100 * accuracy.before, 2)) % -> \(Figures.fixed(100 * accuracy.after, 2)) %")
      for change in accuracy.changes.prefix(8) {
        lines.append(
          "  class \(change.before) became \(change.after) in \(change.rows) \(change.rows == 1 ? "row" : "rows") of class \(change.truth)"
        )
      }
      if accuracy.changes.count > 8 { lines.append("  and \(accuracy.changes.count - 8) kinds of changes more") }
    }
    if let (limit, budget) = result.budget {
      for trial in budget.trials {
        lines.append(
          "budget: a loss of \(Figures.short(trial.drop)) "
            + (trial.kept.map { "with \($0) left as it was" } ?? "with all layers"))
      }
      lines.append("budget: \(budget.isMet ? "held" : "not held"), at most \(Figures.short(limit))")
    }
    if let refusal = result.refusal { lines.append("nothing written: \(refusal)") }
    return lines
  }
}
