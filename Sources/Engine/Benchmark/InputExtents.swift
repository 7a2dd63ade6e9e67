import NNFormat

/// The shapes that the inputs of a network take for a batch size.
package struct InputExtents: Sendable {
  /// One shape for each input of the plan.
  package let shapes: [[Int]]
  /// The first extent of the first input, 1 where it has no axes.
  package let batch: Int

  /// Axes other than the batch that are left open and not named in `sizes`.
  package static let openExtent = 16

  /// The batch is the first axis of every input; symbolic axes of its name, or unnamed first axes, have the same extent.
  ///
  /// - Throws: `EngineError` of kind `invalidInput` when the network fixes another batch, or has no axis of a name in
  ///   `sizes`.
  package init(_ plan: ExecutionPlan, batch: Int?, sizes: [String: Int]) throws(EngineError) {
    var names: [String: Int] = sizes
    var known = Set<String>()
    for input in plan.inputs {
      for case .symbolic(let name) in input.shape?.dimensions ?? [] { known.insert(name) }
    }
    if let stranger = sizes.keys.sorted().first(where: { !known.contains($0) }) {
      throw EngineError(
        .invalidInput,
        "no input has an axis \"\(stranger)\"; "
          + (known.isEmpty ? "no axis has a name" : "the axes are \(known.sorted().joined(separator: ", "))"))
    }
    let first = plan.inputs.first?.shape?.dimensions.first
    switch first {
    case .known(let fixed)?:
      guard batch == nil || batch == fixed else {
        throw EngineError(.invalidInput, "the network takes batches of \(fixed) alone, not of \(batch ?? 0)")
      }
      self.batch = fixed
    case .symbolic(let name)?:
      self.batch = sizes[name] ?? batch ?? 1
      names[name] = self.batch
    case .unknown?: self.batch = batch ?? 1
    case nil: self.batch = 1
    }
    let rows = self.batch
    shapes = plan.inputs.map { input in
      (input.shape?.dimensions ?? []).enumerated().map { axis, dimension in
        switch dimension {
        case .known(let extent): extent
        case .symbolic(let name): names[name] ?? (axis == 0 ? rows : Self.openExtent)
        case .unknown: axis == 0 ? rows : Self.openExtent
        }
      }
    }
  }
}
