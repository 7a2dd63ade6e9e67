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
    guard call.configuration["rms_scaling"]?.bool != true else {
      throw call.error(.unsupported, "rms_scaling has no operator")
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
