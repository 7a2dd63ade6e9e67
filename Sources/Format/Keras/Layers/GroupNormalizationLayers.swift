import OrderedCollections

/// `GroupNormalization`: each group of channels of a sample by its own mean and variance, over all other axes too.
///
/// ONNX has the channels on axis 1; another axis is moved there and back. `groups` of -1 is one for each channel.
enum GroupNormalizationRule: LayerRule {
  static let classNames = ["GroupNormalization"]

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    var rules: [VariableRule] = []
    if configuration["scale"]?.bool ?? true { rules.append(VariableRule("gamma")) }
    if configuration["center"]?.bool ?? true { rules.append(VariableRule("beta")) }
    return rules
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let axis = try call.axis(call.configuration.int("axis") ?? -1, rank: rank)
    guard axis > 0, let channels = input.shape?[axis].value else {
      throw call.error(.unsupported, "axis \(axis) of its input is no axis of channels with a fixed extent")
    }
    let stated = try call.configuration.int("groups") ?? 32
    let groups = stated == -1 ? channels : stated
    guard groups > 0, channels % groups == 0 else {
      throw call.error(.mismatch, "\(channels) channels cannot be divided into \(groups) groups")
    }
    let order = [0, axis] + (1..<rank).filter { $0 != axis }
    let isMoved = order != Array(0..<rank)
    let wide = try lowering.widened(input, in: call)
    let moved = isMoved ? try lowering.transpose(wide, order, in: call) : wide
    var constants = [
      "groups": lowering.integers([0, groups, -1], "groups", in: call),
      "axes": lowering.integers([-1], "axes", in: call),
      "epsilon": try lowering.scalar(
        call.configuration.float("epsilon", default: 1e-3), "epsilon", like: wide, in: call),
      "extents": try extents(of: moved, call, &lowering),
    ]
    let names = variables(call.configuration).map(\.name)
    for name in names {
      let vector = try lowering.cast(
        lowering.weight(name, in: call), to: wide.elementType ?? .float32, in: call, suffix: "\(name)/wide")
      let column = lowering.integers([-1] + Array(repeating: 1, count: rank - 2), "column", in: call)
      constants[name] =
        rank == 2 ? vector : try lowering.add("Reshape", [vector, column], in: call, suffix: "\(name)/column")
    }
    var output = try lowering.add(
      expression(isScaled: names.contains("gamma"), isShifted: names.contains("beta")), of: moved, constants: constants,
      in: call)
    if isMoved {
      var inverse = order
      for (position, axis) in order.enumerated() { inverse[axis] = position }
      output = try lowering.transpose(output, inverse, in: call)
    }
    return [try lowering.cast(output, to: input.elementType ?? .float32, in: call, suffix: "narrow")]
  }

  /// The groups on an axis of their own, normalised by mean and variance, back in the shape of the input, and scaled. ONNX
  /// has an operator for it since set 21, whose definition takes the variance as a difference of large numbers.
  fileprivate static func expression(isScaled: Bool, isShifted: Bool) -> OperatorExpression {
    let grouped = OperatorExpression.node("Reshape", .input, .constant("groups"))
    let centred = OperatorExpression.node("Sub", grouped, .node("ReduceMean", grouped, .constant("axes")))
    let variance = OperatorExpression.node("ReduceMean", .node("Mul", centred, centred), .constant("axes"))
    let deviation = OperatorExpression.node("Sqrt", .node("Add", variance, .constant("epsilon")))
    var value = OperatorExpression.node("Reshape", .node("Div", centred, deviation), .constant("extents"))
    if isScaled { value = .node("Mul", value, .constant("gamma")) }
    if isShifted { value = .node("Add", value, .constant("beta")) }
    return value
  }

  /// The shape to come back to: as numbers while one extent at most is open, else as the graph finds it.
  private static func extents(
    of value: LoweredValue, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    let extents = (value.shape?.dimensions ?? []).dropFirst().map { $0.value ?? -1 }
    if extents.count(where: { $0 < 0 }) <= 1 { return lowering.integers([0] + extents, "extents", in: call) }
    return try lowering.add("Shape", [value], in: call)
  }
}

extension Lowering {
  /// The value in float32 when it is of 16 bits: Keras normalises in float32 at least.
  mutating func widened(_ value: LoweredValue, in call: LayerCall) throws(FormatError) -> LoweredValue {
    let isNarrow = value.elementType == .float16 || value.elementType == .bfloat16
    return isNarrow ? try cast(value, to: .float32, in: call, suffix: "wide") : value
  }
}

extension GroupNormalizationRule: RaisingRule {
  static let operators: Set = ["GroupNormalization", "InstanceNormalization", "Reshape"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    if node.operatorType == "Reshape" { return try raiseWrittenOut(node, &raising) }
    guard let shape = raising.shape(node.inputs[0]), shape.rank > 1, let channels = shape[1].value,
      var scale = raising.constant(node, 1), var offset = raising.constant(node, 2)
    else { return false }
    let groups = node.operatorType == "InstanceNormalization" ? channels : node.int("num_groups", default: channels)
    guard groups > 0, channels % groups == 0, channels <= 1 << 24 else { return false }
    // Before operator set 21 there was one scale for each group.
    if scale.count == groups, groups != channels { scale = try scale.repeated(channels / groups) }
    if offset.count == groups, groups != channels { offset = try offset.repeated(channels / groups) }
    guard scale.count == channels, offset.count == channels else { return false }
    return try emit(
      node, node.inputs[0], groups, Double(node.float("epsilon", default: 1e-5)),
      [("gamma", try scale.reshaped(to: [channels])), ("beta", try offset.reshaped(to: [channels]))],
      as: node.outputs[0], &raising)
  }

  private static func raiseWrittenOut(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    for (isScaled, isShifted) in [(true, true), (true, false), (false, true), (false, false)] {
      guard let match = raising.match(expression(isScaled: isScaled, isShifted: isShifted), with: node),
        let shape = raising.shape(match.input), shape.rank > 1, let channels = shape[1].value,
        raising.shape(match.output)?.isPossibly(shape) == true, let target = match.numbers("groups"), target.count == 3,
        target[0] == 0,
        target[2] == -1, let groups = Int(exactly: target[1]), groups > 0, channels % groups == 0,
        [[-1], [2]].contains(match.numbers("axes")), let epsilon = match.numbers("epsilon"), epsilon.count == 1
      else { continue }
      var weights: [(name: String, tensor: Tensor)] = []
      for name in ["gamma", "beta"] {
        guard let tensor = match.constants[name] else { continue }
        let column = [channels] + Array(repeating: 1, count: shape.rank - 2)
        guard tensor.shape == column || tensor.shape == [1] + column else { return false }
        weights.append((name, try tensor.reshaped(to: [channels])))
      }
      guard try emit(node, match.input, groups, epsilon[0], weights, as: match.output, &raising) else { return false }
      raising.absorb(match)
      return true
    }
    return false
  }

  /// Makes the layer, with the axis of the channels where it was before it was moved to the front.
  private static func emit(
    _ node: Node, _ input: String, _ groups: Int, _ epsilon: Double, _ weights: [(name: String, tensor: Tensor)],
    as output: String, _ raising: inout Raising
  ) throws(FormatError) -> Bool {
    guard var value = raising.values[input], !value.isCollapsed else { return false }
    var (axis, output) = (1, output)
    if let before = raising.producer(of: input), before.operatorType == "Transpose", raising.useCount(input) == 1,
      let order = before.ints("perm"), let original = raising.values[before.inputs[0]],
      let after = raising.soleConsumer(of: output), after.operatorType == "Transpose", let back = after.ints("perm"),
      back.enumerated().allSatisfy({ order.indices.contains($1) && order[$1] == $0 })
    {
      raising.absorb(after)
      (value, axis, output) = (original, order[1] == order.count - 1 ? -1 : order[1], after.outputs[0])
    }
    let names = weights.map(\.name)
    raising.emit(
      "GroupNormalization",
      [
        "groups": .int(groups), "axis": .int(axis), "epsilon": Raising.json([epsilon]),
        "center": .bool(names.contains("beta")), "scale": .bool(names.contains("gamma")),
      ], weights: weights, inputs: [value], as: output, of: node,
      weightName: node.operatorType == "Reshape" ? nil : node.inputs[1])
    return true
  }
}

extension Shape {
  /// Whether the shapes agree as far as both are known.
  fileprivate func isPossibly(_ other: Shape) -> Bool {
    rank == other.rank
      && zip(dimensions, other.dimensions).allSatisfy { $0.value == nil || $1.value == nil || $0.value == $1.value }
  }
}

extension Tensor {
  /// Every element of a vector several times in a row.
  fileprivate func repeated(_ count: Int) throws(FormatError) -> Tensor {
    let values = try doubles().flatMap { Array(repeating: $0, count: count) }
    return try Tensor(values).converted(to: elementType)
  }
}
