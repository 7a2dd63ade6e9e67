/// `BatchNormalization` with its moving statistics: `gamma · (x - mean) / sqrt(variance + epsilon) + beta`.
///
/// ONNX normalises axis 1; another axis is moved there and back.
enum BatchNormalizationRule: LayerRule {
  static let classNames = ["BatchNormalization", "SyncBatchNormalization"]
  static let dependsOnTraining = true

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    var rules: [VariableRule] = []
    if configuration["scale"]?.bool ?? true { rules.append(VariableRule("gamma")) }
    if configuration["center"]?.bool ?? true { rules.append(VariableRule("beta")) }
    return rules + [
      VariableRule("moving_mean", trainable: false, aliases: ["running_mean"]),
      VariableRule("moving_variance", trainable: false, aliases: ["running_std"]),
    ]
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let axes = try call.configuration.ints("axis") ?? [-1]
    guard axes.count == 1, rank >= 2 else {
      throw call.error(.unsupported, "normalising \(axes.count) axes of \(rank) has no operator")
    }
    let axis = try call.axis(axes[0], rank: rank)
    guard axis > 0 else { throw call.error(.unsupported, "normalising the batch axis has no operator") }
    let mean = try lowering.weight("moving_mean", in: call)
    let variance = try lowering.weight("moving_variance", in: call)
    let rules = variables(call.configuration).map(\.name)
    let scale =
      try rules.contains("gamma")
      ? lowering.weight("gamma", in: call) : lowering.filled(1, "gamma", like: mean, in: call)
    let offset =
      try rules.contains("beta") ? lowering.weight("beta", in: call) : lowering.filled(0, "beta", like: mean, in: call)
    let epsilon = try call.configuration.float("epsilon", default: 1e-3)
    var order = Array(0..<rank)
    order.swapAt(1, axis)
    let moved = axis == 1 ? input : try lowering.transpose(input, order, in: call)
    let output = try lowering.add(
      "BatchNormalization", [moved, scale, offset, mean, variance], in: call,
      attributes: [Attribute("epsilon", .float(epsilon))])
    return [axis == 1 ? output : try lowering.transpose(output, order, in: call)]
  }
}

/// `LayerNormalization` over one or several axes of each sample.
enum LayerNormalizationRule: LayerRule {
  static let classNames = ["LayerNormalization"]

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    if configuration["rms_scaling"]?.bool == true { return [VariableRule("gamma")] }
    var rules: [VariableRule] = []
    if configuration["scale"]?.bool ?? true { rules.append(VariableRule("gamma")) }
    if configuration["center"]?.bool ?? true { rules.append(VariableRule("beta")) }
    return rules
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    if call.configuration["rms_scaling"]?.bool == true {
      return [try scaledByVariance(input, rank: rank, call, &lowering)]
    }
    let axes = try (call.configuration.ints("axis") ?? [-1]).mapTyped { (axis) throws(FormatError) in
      try call.axis(axis, rank: rank)
    }.sorted()
    let rules = variables(call.configuration).map(\.name)
    let epsilon = Attribute("epsilon", .float(try call.configuration.float("epsilon", default: 1e-3)))
    let others = (0..<rank).filter { !axes.contains($0) }
    // The normalised axes go to the end, where the operator wants them.
    let order = others + axes
    let isMoved = order != Array(0..<rank)
    let moved = isMoved ? try lowering.transpose(input, order, in: call) : input
    let extents = try axes.mapTyped { (axis) throws(FormatError) in
      guard let extent = input.shape?[axis].value else {
        throw call.error(.unsupported, "a normalised axis has no fixed extent")
      }
      return extent
    }
    let scale =
      try rules.contains("gamma")
      ? parameter("gamma", extents, call, &lowering) : lowering.ones(extents, "gamma", in: call)
    var inputs = [moved, scale]
    if rules.contains("beta") { inputs.append(try parameter("beta", extents, call, &lowering)) }
    let output = try lowering.add(
      "LayerNormalization", inputs, in: call, attributes: [Attribute("axis", .int(Int64(-axes.count))), epsilon])
    guard isMoved else { return [output] }
    var inverse = order
    for (position, axis) in order.enumerated() { inverse[axis] = position }
    return [try lowering.transpose(output, inverse, in: call)]
  }

  /// `x / sqrt(variance + epsilon) · gamma`: what `rms_scaling` does, without taking the mean off.
  fileprivate static let scaling: OperatorExpression = {
    let axes = OperatorExpression.constant("axes")
    let centred = OperatorExpression.node("Sub", .input, .node("ReduceMean", .input, axes))
    let variance = OperatorExpression.node("ReduceMean", .node("Mul", centred, centred), axes)
    let deviation = OperatorExpression.node("Sqrt", .node("Add", variance, .constant("epsilon")))
    return .node("Mul", .node("Div", .input, deviation), .constant("gamma"))
  }()

  private static func scaledByVariance(
    _ input: LoweredValue, rank: Int, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    let axes = try call.axes(rank: rank)
    var extents = Array(repeating: 1, count: rank - (axes.first ?? 0))
    for axis in axes {
      guard let extent = input.shape?[axis].value else {
        throw call.error(.unsupported, "a normalised axis has no fixed extent")
      }
      extents[axis - (axes.first ?? 0)] = extent
    }
    let epsilon = try call.configuration.float("epsilon", default: 1e-3)
    let wide = try lowering.widened(input, in: call)
    let gamma = try parameter("gamma", extents, call, &lowering)
    let constants = [
      "axes": lowering.integers(axes, "axes", in: call),
      "epsilon": try lowering.scalar(epsilon, "epsilon", like: wide, in: call),
      "gamma": try lowering.cast(gamma, to: wide.elementType ?? .float32, in: call, suffix: "gamma/wide"),
    ]
    let output = try lowering.add(scaling, of: wide, constants: constants, in: call)
    return try lowering.cast(output, to: input.elementType ?? .float32, in: call, suffix: "narrow")
  }

  /// A variable in the extents of the sorted axes. Keras makes it in the order in which the axes are listed and reshapes
  /// it where it is used.
  private static func parameter(
    _ name: String, _ extents: [Int], _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    let value = try lowering.weight(name, in: call)
    guard value.shape?.extents != extents else { return value }
    return try lowering.add("Reshape", [value, lowering.integers(extents, "extents", in: call)], in: call)
  }
}

extension Lowering {
  /// A constant of ones in the type that the layer computes in.
  ///
  /// - Throws: `FormatError` of kind `limit` when a configuration asks for more than a file may expand to.
  mutating func ones(_ shape: [Int], _ name: String, in call: LayerCall) throws(FormatError) -> LoweredValue {
    guard let count = checkedProduct(shape), count <= limits.freelyExpandedBytes / MemoryLayout<Float>.stride else {
      throw call.error(.limit, "the normalised axes \(shape) are too large")
    }
    let tensor = Tensor([Float](repeating: 1, count: count), shape: shape)
    return constant(try tensor.converted(to: call.configuration.policy.compute), name, in: call)
  }

  /// A constant of the same shape and type with one value everywhere.
  mutating func filled(_ value: Float, _ name: String, like reference: LoweredValue, in call: LayerCall)
    throws(FormatError) -> LoweredValue
  {
    guard let shape = reference.shape?.extents, let count = checkedProduct(shape) else {
      throw call.error(.unsupported, "the shape of \(reference.name) is not known")
    }
    let tensor = Tensor([Float](repeating: value, count: count), shape: shape)
    return constant(try tensor.converted(to: reference.elementType ?? .float32), name, in: call)
  }
}

extension BatchNormalizationRule: RaisingRule {
  static let operators: Set = ["BatchNormalization"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard node.int("training_mode", default: 0) == 0 else { throw raising.error(node, "it is in training mode") }
    var weights: [(name: String, tensor: Tensor)] = []
    for (index, name) in ["gamma", "beta", "moving_mean", "moving_variance"].enumerated() {
      guard let tensor = raising.constant(node, index + 1) else { return false }
      weights.append((name, tensor))
    }
    guard let rank = raising.shape(node.inputs[0])?.rank else {
      throw raising.error(node, "the shape of its input is not known")
    }
    var value = try raising.value(node, 0)
    var axis = rank == 2 ? -1 : 1
    var output = node.outputs[0]
    if let before = raising.producer(of: node.inputs[0]), before.operatorType == "Transpose",
      raising.useCount(node.inputs[0]) == 1, let order = before.ints("perm"),
      let after = raising.soleConsumer(of: output), after.operatorType == "Transpose",
      after.ints("perm") == inverse(order),
      let original = raising.values[before.inputs[0]]
    {
      raising.absorb(after)
      (value, axis, output) = (original, order[1] == rank - 1 ? -1 : order[1], after.outputs[0])
    }
    raising.emit(
      "BatchNormalization",
      [
        "axis": .int(axis), "momentum": Raising.json([Double(node.float("momentum", default: 0.9))]),
        "epsilon": Raising.json([Double(node.float("epsilon", default: 1e-5))]), "center": true, "scale": true,
      ], weights: weights, inputs: [value], as: output, of: node, weightName: node.inputs[1])
    return true
  }

  private static func inverse(_ order: [Int]) -> [Int] {
    var inverse = order
    for (position, axis) in order.enumerated() { inverse[axis] = position }
    return inverse
  }
}

extension LayerNormalizationRule: RaisingRule {
  static let operators: Set = ["LayerNormalization", "ReduceMean"]

  /// A layer with `rms_scaling`, which Keras 3 alone has.
  private static func raiseScaling(_ node: Node, rank: Int, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard raising.generation >= 3, let match = raising.match(scaling, with: node),
      let epsilon = match.numbers("epsilon"),
      epsilon.count == 1, let axes = raising.axes(match, rank: rank), let gamma = match.constants["gamma"],
      let value = raising.values[match.input], !value.isCollapsed
    else { return false }
    let extents = axes.compactMap { raising.shape(match.input)?[$0].value }
    guard extents.count == axes.count, checkedProduct(extents) == gamma.count,
      gamma.shape.count <= rank,
      gamma.shape.enumerated().allSatisfy({ place, extent in
        extent == 1 || raising.shape(match.input)?[place + rank - gamma.shape.count].value == extent
      })
    else { return false }
    raising.absorb(match)
    raising.emit(
      "LayerNormalization",
      [
        "axis": raising.json(axes: axes), "epsilon": Raising.json([epsilon[0]]), "center": true, "scale": true,
        "rms_scaling": true,
      ], weights: [("gamma", try gamma.reshaped(to: extents))], inputs: [value], as: match.output, of: node)
    return true
  }

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let rank = raising.shape(node.inputs[0])?.rank else { return false }
    if node.operatorType == "ReduceMean", try raiseScaling(node, rank: rank, &raising) { return true }
    if node.operatorType == "ReduceMean" { return try raiseWrittenOut(node, rank: rank, &raising) }
    let stated = node.int("axis", default: -1)
    let first = stated < 0 ? stated + rank : stated
    guard node.outputs.dropFirst().allSatisfy({ raising.useCount($0) == 0 }), first > 0,
      let scale = raising.constant(node, 1)
    else { return false }
    let offset = raising.constant(node, 2)
    if node.inputs.count > 2, !node.inputs[2].isEmpty, offset == nil { return false }
    try emit(
      node, epsilon: Double(node.float("epsilon", default: 1e-5)), axes: rank - first, scale: scale, offset: offset,
      as: node.outputs[0], &raising)
    return true
  }

  /// Mean, difference, variance, root and quotient, as exporters wrote them before the operator existed.
  private static func raiseWrittenOut(_ node: Node, rank: Int, _ raising: inout Raising) throws(FormatError) -> Bool {
    let x = node.inputs[0]
    guard let axes = node.ints("axes") ?? raising.integers(node, 1), !axes.isEmpty,
      axes.map({ $0 < 0 ? $0 + rank : $0 }).sorted() == Array(rank - axes.count..<rank), axes.count < rank,
      let centred = raising.soleConsumer(of: node.outputs[0]), centred.inputs == [x, node.outputs[0]],
      centred.operatorType == "Sub", let square = raising.consumer(of: centred.outputs[0], ["Mul", "Pow"]),
      let variance = raising.soleConsumer(of: square.outputs[0]), variance.operatorType == "ReduceMean",
      let sum = raising.soleConsumer(of: variance.outputs[0]), sum.operatorType == "Add",
      let epsilon = raising.numbers(sum, 1) ?? raising.numbers(sum, 0), epsilon.count == 1,
      let root = raising.soleConsumer(of: sum.outputs[0]), root.operatorType == "Sqrt",
      let quotient = raising.soleConsumer(of: root.outputs[0]), quotient.operatorType == "Div",
      quotient.inputs == [centred.outputs[0], root.outputs[0]]
    else { return false }
    raising.absorb(centred, square, variance, sum, root, quotient)
    var output = quotient.outputs[0]
    let width = raising.shape(x)?.dimensions.suffix(axes.count).compactMap(\.value) ?? []
    func vector(_ operatorType: String) -> (Node, Tensor)? {
      guard let next = raising.soleConsumer(of: output), next.operatorType == operatorType,
        let tensor = raising.constant(next, 0) ?? raising.constant(next, 1), tensor.count == checkedProduct(width)
      else { return nil }
      return (next, tensor)
    }
    var (scale, offset): (Tensor?, Tensor?) = (nil, nil)
    if let (next, tensor) = vector("Mul") {
      (scale, output) = (tensor, next.outputs[0])
      raising.absorb(next)
    }
    if let (next, tensor) = vector("Add") {
      (offset, output) = (tensor, next.outputs[0])
      raising.absorb(next)
    }
    try emit(node, epsilon: epsilon[0], axes: axes.count, scale: scale, offset: offset, as: output, &raising)
    return true
  }

  private static func emit(
    _ node: Node, epsilon: Double, axes: Int, scale: Tensor?, offset: Tensor?, as output: String,
    _ raising: inout Raising
  ) throws(FormatError) {
    let extents = raising.shape(node.inputs[0])?.dimensions.suffix(axes).compactMap(\.value) ?? []
    var weights: [(name: String, tensor: Tensor)] = []
    for (name, tensor) in [("gamma", scale), ("beta", offset)] {
      if let tensor { weights.append((name, try tensor.reshaped(to: extents))) }
    }
    raising.emit(
      "LayerNormalization",
      [
        "axis": axes == 1 ? -1 : .array((-axes..<0).map { .int($0) }), "epsilon": Raising.json([epsilon]),
        "center": .bool(offset != nil), "scale": .bool(scale != nil),
      ], weights: weights, inputs: [try raising.value(node, 0)], as: output, of: node,
      weightName: node.inputs.count > 1 ? node.inputs[1] : nil)
  }
}
