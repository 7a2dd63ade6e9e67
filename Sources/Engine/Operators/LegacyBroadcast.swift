import NNFormat

/// Binary operators before version 7, which broadcast only the second operand and only when told so.
struct LegacyBroadcastStep: Step {
  private let inner: any Step
  private let axis: Int?
  private let broadcasts: Bool

  /// The step for the node's version: `step` itself since version 7.
  static func adapting(_ step: any Step, _ context: NodeContext) -> any Step {
    guard context.version < 7 else { return step }
    return LegacyBroadcastStep(
      inner: step, axis: context.node.attribute("axis").map { _ in context.int("axis", default: 0) },
      broadcasts: context.int("broadcast", default: 0) != 0)
  }

  var outputTypes: [ElementType] { inner.outputTypes }
  var kernel: String { inner.kernel }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let left = try inputs.view(0)
    let right = try inputs.view(1)
    let shape = try aligned(right.shape, with: left.shape)
    return unsafe try inner.resolve(
      StepInputs([left, InputView(elementType: right.elementType, shape: shape, contents: right.contents)]))
  }

  /// The second operand's shape with the trailing ones that put it at its axis of the first one's.
  private func aligned(_ right: [Int], with left: [Int]) throws(EngineError) -> [Int] {
    if right == left { return right }
    let count = try Extents.count(right)
    if broadcasts, count == 1 { return [] }
    let start = axis.map { $0 < 0 ? $0 &+ left.count : $0 } ?? left.count - right.count
    guard broadcasts, start >= 0, start <= left.count - right.count,
      Array(left[start..<start + right.count]) == right
    else {
      let place = axis.map { " at axis \($0)" } ?? ""
      throw EngineError(
        .shapeMismatch, "\(Shape(right)) does not fit into \(Shape(left))\(place) as operators before version 7 need it"
      )
    }
    return right + [Int](repeating: 1, count: left.count - start - right.count)
  }
}

/// PRelu before version 7, whose slopes are one for all or one for each channel, which is axis 1.
struct ChannelSlopeStep: Step {
  let inner: any Step

  var outputTypes: [ElementType] { inner.outputTypes }
  var kernel: String { inner.kernel }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let values = try inputs.view(0)
    let slope = try inputs.view(1)
    let channels = values.shape.count > 1 ? values.shape[1] : values.shape.first ?? 1
    guard slope.count == 1 || (slope.shape.count == 1 && slope.count == channels) else {
      throw EngineError(.shapeMismatch, "slopes of shape \(Shape(slope.shape)) for \(channels) channels")
    }
    let shape = slope.count == 1 ? [] : [channels] + [Int](repeating: 1, count: max(values.shape.count - 2, 0))
    return unsafe try inner.resolve(
      StepInputs([values, InputView(elementType: slope.elementType, shape: shape, contents: slope.contents)]))
  }
}
