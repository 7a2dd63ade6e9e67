import NNFormat

/// What quantising does to the numbers of a network, measured by running it before and after.
public struct QuantisationMeasurement<Quantiser: NetworkQuantiser> {
  private let quantiser: Quantiser
  private let data: QuantisationData
  private let options: EngineOptions
  private let rowsPerRun: Int
  private let reference: ProbedNetwork
  /// The value that each layer gives, by the layer's index.
  private let outputs: [String]

  /// Compiles the float network.
  public init(
    _ quantiser: Quantiser, _ data: QuantisationData, options: EngineOptions = .init(), rowsPerRun: Int = 64
  ) throws(EngineError) {
    self.quantiser = quantiser
    self.data = data
    self.options = options
    self.rowsPerRun = rowsPerRun
    outputs = quantiser.probes
    reference = try ProbedNetwork(quantiser.model, probes: outputs.filter { !$0.isEmpty }, options: options)
  }

  /// Fills in what each layer's output loses by all layers, and the loss of the network's outputs.
  public func measureTogether(
    _ model: Model, _ rows: inout [LayerQuantisation]
  ) throws(EngineError) -> ErrorSums {
    let errors = try OutputErrors(
      reference, model, probes: outputs.filter { !$0.isEmpty }, data, options: options, rowsPerRun: rowsPerRun)
    for index in rows.indices { rows[index].cumulative = errors.values[outputs[index]] }
    return errors.outputs
  }

  /// Fills in what each quantised layer's output, and the network's, lose when it alone is quantised.
  public func measureAlone(
    _ ranges: [String: ClosedRange<Float>], _ rows: inout [LayerQuantisation], progress: (Double) -> Void = { _ in }
  ) throws(EngineError) {
    var quantiser = quantiser
    let quantised = rows.indices.filter { rows[$0].isQuantised }
    for (position, index) in quantised.enumerated() {
      progress(Double(position) / Double(quantised.count))
      let others = quantised.filter { $0 != index }.map { ($0, "") }
      let (model, _) = try quantiser.quantised(
        ranges: ranges, keeping: Dictionary(others) { first, _ in first })
      let errors = try OutputErrors(
        reference, model, probes: [outputs[index]].filter { !$0.isEmpty }, data, options: options,
        rowsPerRun: rowsPerRun)
      rows[index].output = errors.values[outputs[index]]
      let sums = errors.outputs
      rows[index].sensitivity = sums.signal > 0 ? (sums.noise / sums.signal).squareRoot() : 0
    }
  }

  /// How often the network is right before and after; `nil` when the data has no labels.
  public func accuracy(_ model: Model) throws(EngineError) -> ClassAccuracy? {
    guard let truth = data.classes else { return nil }
    return ClassAccuracy(
      before: try ClassAccuracy.classes(of: quantiser.model, data, options: options, rowsPerRun: rowsPerRun),
      after: try ClassAccuracy.classes(of: model, data, options: options, rowsPerRun: rowsPerRun), truth: truth)
  }
}
