import NNFormat

/// What values inside of a network and its outputs lose when it is quantised, over all rows of some data.
struct OutputErrors {
  /// By the name of a value.
  private(set) var values: [String: ErrorSums] = [:]
  /// Over all floating-point outputs.
  private(set) var outputs = ErrorSums()

  /// Runs two networks on the same rows.
  ///
  /// - Parameter probes: values that both of them have.
  init(
    _ reference: ProbedNetwork, _ model: Model, probes: [String], _ data: QuantisationData, options: EngineOptions,
    rowsPerRun: Int
  ) throws(EngineError) {
    let network = try ProbedNetwork(model, probes: probes, options: options)
    var (values, outputs) = ([String: ErrorSums](), ErrorSums())
    try data.forEachBatch(of: rowsPerRun) { _, batch throws(EngineError) in
      let (expected, actual) = (try reference.run(batch), try network.run(batch))
      for name in probes {
        guard let left = expected.probes[name], let right = actual.probes[name] else { continue }
        try Self.add(left, right, to: &values[name, default: ErrorSums()])
      }
      for (left, right) in zip(expected.outputs, actual.outputs) where left.elementType.isFloatingPoint {
        try Self.add(left, right, to: &outputs)
      }
    }
    (self.values, self.outputs) = (values, outputs)
  }

  private static func add(_ left: Tensor, _ right: Tensor, to sums: inout ErrorSums) throws(EngineError) {
    for (exact, rounded) in zip(try left.probedNumbers(), try right.probedNumbers()) {
      sums.add(Double(exact), rounded: Double(rounded))
    }
  }
}
