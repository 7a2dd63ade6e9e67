import NNFormat

extension Network {
  /// Runs a network over many rows, some at a time, and joins the outputs.
  ///
  /// The result is bit for bit that of one run over all rows, unless an operator looks at them all, as dynamic
  /// quantisation does.
  /// - Parameters:
  ///   - inputs: a tensor for each input, by name, rows along the first axis.
  ///   - rowsPerRun: how many rows to run at a time; `nil` runs all of them together.
  /// - Throws: `EngineError`, of kind `invalidInput` when the inputs have different numbers of rows.
  public func run(
    _ inputs: [String: Tensor], rowsPerRun: Int?, progress: (Int) -> Void = { _ in }
  ) throws(EngineError) -> [(name: String, tensor: Tensor)] {
    let rows = inputs.values.first?.shape.first ?? 0
    guard let rowsPerRun, rowsPerRun > 0, rowsPerRun < rows else { return try run(inputs) }
    guard inputs.values.allSatisfy({ $0.shape.first == rows }) else {
      throw EngineError(.invalidInput, "the inputs have different numbers of rows, so they cannot be run in batches")
    }
    var parts: [[(name: String, tensor: Tensor)]] = []
    for start in stride(from: 0, to: rows, by: rowsPerRun) {
      let range = start..<min(start + rowsPerRun, rows)
      var batch: [String: Tensor] = [:]
      for (name, tensor) in inputs {
        batch[name] = try wrappingFormatErrors { () throws(FormatError) in try tensor.rows(range) }
      }
      parts.append(try run(batch))
      progress(range.upperBound)
    }
    return try outputs.indices.map { index in (outputs[index].name, parts.map { $0[index].tensor }) }
      .mapJoined { (tensors) throws(EngineError) in
        try wrappingFormatErrors { () throws(FormatError) in try Tensor.joined(tensors) }
      }
  }
}

/// Turns an error of the format layer into one of the engine.
private func wrappingFormatErrors<Result>(_ body: () throws(FormatError) -> Result) throws(EngineError) -> Result {
  do throws(FormatError) { return try body() } catch { throw EngineError(.invalidInput, error.message) }
}

extension Array where Element == (String, [Tensor]) {
  fileprivate func mapJoined(
    _ join: ([Tensor]) throws(EngineError) -> Tensor
  ) throws(EngineError) -> [(name: String, tensor: Tensor)] {
    var result: [(name: String, tensor: Tensor)] = []
    for (name, tensors) in self { result.append((name, try join(tensors))) }
    return result
  }
}
