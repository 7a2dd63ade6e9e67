import NNFormat

/// The ranges of values inside of a network, found by running it.
public struct Calibration: Sendable {
  /// The range that was chosen for each value.
  public private(set) var ranges: [String: ClosedRange<Float>] = [:]
  /// The share of numbers beyond the range.
  public private(set) var saturation: [String: Double] = [:]

  /// Runs the float network of a quantiser on calibration data, some rows at a time.
  ///
  /// - Throws: `EngineError` of kind `invalidInput` when a value becomes NaN or infinite.
  public init(
    _ quantiser: ModelQuantiser, _ data: QuantisationData, options: EngineOptions = .init(), rowsPerRun: Int = 64
  ) throws(EngineError) {
    let names = quantiser.calibratedValues
    let settings = quantiser.settings
    let network = try ProbedNetwork(quantiser.model, probes: names, options: options)
    var seen: [String: ClosedRange<Float>] = [:]
    try data.forEachBatch(of: rowsPerRun) { _, batch throws(EngineError) in
      for (name, tensor) in try network.run(batch).probes {
        let values = try tensor.probedNumbers()
        guard let first = values.first else { continue }
        var (lowest, highest, isFinite) = (seen[name]?.lowerBound ?? first, seen[name]?.upperBound ?? first, true)
        for value in values {
          isFinite = isFinite && value.isFinite
          lowest = value < lowest ? value : lowest
          highest = value > highest ? value : highest
        }
        guard isFinite else {
          throw EngineError(.invalidInput, "the value \"\(name)\" becomes NaN or infinite on the calibration data")
        }
        seen[name] = lowest...highest
      }
    }
    ranges = seen
    guard settings.calibrationMethod != .minmax else { return }
    var histograms = seen.mapValues { ActivationHistogram($0) }
    try data.forEachBatch(of: rowsPerRun) { _, batch throws(EngineError) in
      for (name, tensor) in try network.run(batch).probes {
        let values = try tensor.probedNumbers()
        histograms[name]?.add(values)
      }
    }
    for (name, histogram) in histograms {
      let range =
        settings.calibrationMethod == .entropy
        ? histogram.rangeOfLeastDivergence(levels: 1 << (settings.activationType.bitWidth ?? 8))
        : histogram.range(keeping: settings.percentile / 100)
      ranges[name] = range
      saturation[name] = histogram.share(beyond: range)
    }
  }
}

extension ModelQuantiser {
  /// The values whose ranges are needed: what products take, and what they give where that is rounded as well.
  var calibratedValues: [String] {
    guard settings.scheme == .calibrated else { return [] }
    var names: [String] = []
    for index in candidates {
      guard let input = activation(of: index) else { continue }
      let node = model.graph.nodes[layers[index].node]
      names.append(input)
      if settings.form == .qoperator, node.operatorType == "MatMul" { names.append(node.outputs[0]) }
    }
    var known: Set<String> = []
    return names.filter { known.insert($0).inserted }
  }
}
