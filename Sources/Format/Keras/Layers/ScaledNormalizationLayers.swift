import OrderedCollections

/// `UnitNormalization`: `x` divided by its Euclidean norm over some axes.
enum UnitNormalizationRule: LayerRule {
  static let classNames = ["UnitNormalization"]

  private static let expression = OperatorExpression.node(
    "Div", .input, .node("Max", .node("ReduceL2", .input, .constant("axes")), .constant("epsilon")))

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let axes = try call.axes(rank: rank)
    // Before Keras 3, TensorFlow bounded the square of the norm by 1e-12.
    let smallest: Float = call.configuration.generation >= 3 ? 1e-12 : 1e-6
    let constants = [
      "axes": lowering.integers(axes, "axes", in: call),
      "epsilon": try lowering.scalar(smallest, "epsilon", like: input, in: call),
    ]
    return [try lowering.add(expression, of: input, constants: constants, in: call)]
  }
}

/// `RMSNormalization`: `x / sqrt(mean(x²) + epsilon) · scale`, the mean over some axes.
enum RMSNormalizationRule: LayerRule {
  static let classNames = ["RMSNormalization"]
  static let passesMask = false

  fileprivate static let normalized: OperatorExpression = {
    let square = OperatorExpression.node("Mul", .input, .input)
    let mean = OperatorExpression.node("ReduceMean", square, .constant("axes"))
    return .node("Div", .input, .node("Sqrt", .node("Add", mean, .constant("epsilon"))))
  }()

  private static let expression = OperatorExpression.node("Mul", normalized, .constant("scale"))

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] { [VariableRule("scale")] }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let axes = try call.axes(rank: rank)
    let epsilon = try call.configuration.float("epsilon", default: 1e-6)
    let wide = try lowering.widened(input, in: call)
    let stored = try lowering.cast(
      lowering.weight("scale", in: call), to: wide.elementType ?? .float32, in: call, suffix: "scale/wide")
    // Keras broadcasts the scale from the last axis, whatever the axes are.
    guard let extents = stored.shape?.extents, extents.count <= rank else {
      throw call.error(.mismatch, "its scale does not fit an input with \(rank) axes")
    }
    let constants = [
      "axes": lowering.integers(axes, "axes", in: call),
      "epsilon": try lowering.scalar(epsilon, "epsilon", like: wide, in: call), "scale": stored,
    ]
    let output = try lowering.add(expression, of: wide, constants: constants, in: call)
    return [try lowering.cast(output, to: input.elementType ?? .float32, in: call, suffix: "narrow")]
  }
}

extension LayerCall {
  /// The axes of a configuration in rising order.
  func axes(rank: Int) throws(FormatError) -> [Int] {
    let stated = try configuration.ints("axis") ?? [-1]
    return try stated.mapTyped { (axis) throws(FormatError) in try self.axis(axis, rank: rank) }.sorted()
  }
}

extension UnitNormalizationRule: RaisingRule {
  static let operators = expression.firstOperators.union(["LpNormalization"])

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let rank = raising.shape(node.inputs[0])?.rank else { return false }
    if node.operatorType == "LpNormalization" {
      let stated = node.int("axis", default: -1)
      let axis = stated < 0 ? stated + rank : stated
      guard node.int("p", default: 2) == 2, axis > 0, case let value = try raising.value(node, 0), !value.isCollapsed
      else { return false }
      raising.emit("UnitNormalization", ["axis": .int(axis)], inputs: [value], as: node.outputs[0], of: node)
      return true
    }
    guard let match = raising.match(expression, with: node), let epsilon = match.numbers("epsilon"),
      epsilon.count == 1, epsilon[0] <= 1e-6, let axes = raising.axes(match, rank: rank),
      let value = raising.values[match.input], !value.isCollapsed
    else { return false }
    raising.absorb(match)
    raising.emit("UnitNormalization", ["axis": raising.json(axes: axes)], inputs: [value], as: match.output, of: node)
    return true
  }
}

extension RMSNormalizationRule: RaisingRule {
  static let operators = expression.firstOperators.union(["RMSNormalization"])

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    // Keras 2 has no such layer.
    guard raising.generation >= 3, let rank = raising.shape(node.inputs[0])?.rank else { return false }
    if node.operatorType == "RMSNormalization" {
      let stated = node.int("axis", default: -1)
      guard let scale = raising.constant(node, 1), node.int("stash_type", default: 1) == 1,
        let value = raising.values[node.inputs[0]]
      else { return false }
      let first = stated < 0 ? stated + rank : stated
      guard (0..<rank).contains(first) else { return false }
      let axes = Array(first..<rank)
      return try emit(
        axes, Double(node.float("epsilon", default: 1e-5)), scale, value, as: node.outputs[0], of: node, &raising)
    }
    guard let match = raising.match(expression, with: node), let epsilon = match.numbers("epsilon"),
      epsilon.count == 1, let axes = raising.axes(match, rank: rank), let scale = match.constants["scale"],
      let value = raising.values[match.input]
    else { return false }
    guard try emit(axes, epsilon[0], scale, value, as: match.output, of: node, &raising) else { return false }
    raising.absorb(match)
    return true
  }

  private static func emit(
    _ axes: [Int], _ epsilon: Double, _ scale: Tensor, _ value: RaisedValue, as output: String, of node: Node,
    _ raising: inout Raising
  ) throws(FormatError) -> Bool {
    let extents = axes.compactMap { raising.shape(output)?[$0].value }
    guard axes.first ?? 0 > 0, !value.isCollapsed, extents.count == axes.count,
      Array(scale.shape.drop { $0 == 1 }) == Array(extents.drop { $0 == 1 })
    else { return false }
    raising.emit(
      "RMSNormalization", ["axis": raising.json(axes: axes), "epsilon": Raising.json([epsilon])],
      weights: [("scale", try scale.reshaped(to: extents))], inputs: [value], as: output, of: node,
      weightName: node.operatorType == "RMSNormalization" ? node.inputs[1] : nil)
    return true
  }
}

extension Raising {
  /// The axes that an expression reduces, when the batch is not among them.
  func axes(_ match: ExpressionMatch, rank: Int) -> [Int]? {
    guard let numbers = match.integers("axes"), !numbers.isEmpty else { return nil }
    let axes = numbers.map { $0 < 0 ? $0 + rank : $0 }.sorted()
    return axes.allSatisfy { (1..<rank).contains($0) } ? axes : nil
  }

  /// One axis as a number, several as a list.
  func json(axes: [Int]) -> JSONValue { axes.count == 1 ? .int(axes[0]) : .array(axes.map { .int($0) }) }
}
