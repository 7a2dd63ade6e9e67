import NNFormat

/// Quantising as many layers as a bound on the loss allows.
public struct QuantisationBudget: Sendable {
  /// What was tried: how many layers were kept, and what was lost then.
  public struct Trial: Sendable {
    /// The layer that was kept last; `nil` in the first trial.
    public let kept: String?
    /// The loss of accuracy, or the relative error of the outputs where there are no labels.
    public let drop: Double
  }

  /// The layers that stay as they were, by index, with the reason.
  public private(set) var kept: [Int: String] = [:]
  /// What was tried, in order.
  public private(set) var trials: [Trial] = []
  /// Whether the bound holds with some layer quantised.
  public private(set) var isMet = false

  /// Leaves layers as they were, the most sensitive first, until the bound holds.
  ///
  /// - Parameters:
  ///   - limit: the largest loss of accuracy as a share of all rows, or of the outputs' relative error without labels.
  ///   - rows: the layers with their sensitivities.
  public init<Quantiser: NetworkQuantiser>(
    _ limit: Double, _ quantiser: inout Quantiser, _ measurement: QuantisationMeasurement<Quantiser>,
    _ ranges: [String: ClosedRange<Float>], _ rows: [LayerQuantisation]
  ) throws(EngineError) {
    var order = rows.indices.filter { rows[$0].isQuantised }
    order.sort { (rows[$0].sensitivity ?? 0) > (rows[$1].sensitivity ?? 0) }
    var last: String?
    for count in order.indices {
      if count > 0 {
        kept[order[count - 1]] = "left as it was to hold the budget"
        last = rows[order[count - 1]].name
      }
      let (model, _) = try quantiser.quantised(ranges: ranges, keeping: kept)
      let drop: Double
      if let accuracy = try measurement.accuracy(model) {
        drop = accuracy.drop
      } else {
        var rows = rows
        let sums = try measurement.measureTogether(model, &rows)
        drop = sums.signal > 0 ? (sums.noise / sums.signal).squareRoot() : 0
      }
      trials.append(Trial(kept: last, drop: drop))
      if drop <= limit {
        isMet = true
        return
      }
    }
  }
}
