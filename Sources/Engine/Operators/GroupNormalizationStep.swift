import NNFormat

/// Normalisation of groups of channels, axis 1, each row by itself, then scale and offset.
///
/// Scale and offset have one value for each channel, or for each group.
struct GroupNormalizationStep<T: RealScalar>: Step {
  /// `nil` makes every channel a group of its own.
  let groups: Int?
  let hasParametersOfGroups: Bool
  let epsilon: Float

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { "groupNormalization" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    guard shape.count >= 2 else { throw EngineError(.shapeMismatch, "\(Shape(shape)) has no axis of channels") }
    let count = try Extents.count(shape)
    let channels = shape[1]
    let groups = groups ?? channels
    guard groups > 0 || channels == 0, channels % max(groups, 1) == 0 else {
      throw EngineError(.shapeMismatch, "\(channels) channels cannot be divided into \(groups) groups")
    }
    let parameters = hasParametersOfGroups ? groups : channels
    for index in 1...2 where try inputs.view(index).count != parameters {
      throw EngineError(
        .shapeMismatch,
        "input \(index) has shape \(Shape(try inputs.shape(index))) where \(parameters) values are needed")
    }
    let length = count == 0 ? 0 : count / (shape[0] * groups)
    let rows = count == 0 ? 0 : shape[0] * groups
    let columns = count == 0 ? 0 : count / (shape[0] * parameters)
    let normalization = RowNormalization(isCentred: true, epsilon: epsilon)
    let batch = shape[0]
    return Work([shape], inPlaceInputs: [0], cost: .elements(count, operations: 8)) { (memory) throws(EngineError) in
      guard count > 0 else { return }
      let target = unsafe memory.output(0).assumingMemoryBound(to: T.self)
      unsafe normalization.apply(
        memory.input(0).assumingMemoryBound(to: T.self), target, rows: rows, length: length, scale: nil, offset: nil,
        means: nil, inverses: nil, pool: memory.pool)
      let scale = memory.input(1, T.self, count: parameters)
      let offset = memory.input(2, T.self, count: parameters)
      for block in 0..<batch * parameters {
        let (factor, shift) = (scale[block % parameters], offset[block % parameters])
        let start = unsafe target + block * columns
        for index in 0..<columns { unsafe start[index] = start[index] * factor + shift }
      }
    }
  }
}
