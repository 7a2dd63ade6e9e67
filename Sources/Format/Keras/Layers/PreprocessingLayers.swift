/// `Normalization`: `(x - mean) / max(sqrt(variance), 1e-7)`, or the way back.
///
/// The statistics come from the configuration, or from what the layer learnt.
enum NormalizationRule: LayerRule {
  static let classNames = ["Normalization"]
  /// Keras's `backend.epsilon()`.
  private static let smallestDeviation: Float = 1e-7

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    guard configuration["mean"] == nil else { return [] }
    return ["mean", "variance", "count"].map { VariableRule($0, trainable: false) }
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let mean = try statistic("mean", rank: rank, call, &lowering)
    let variance = try statistic("variance", rank: rank, call, &lowering)
    let deviation = try lowering.add(
      "Max",
      [
        lowering.add("Sqrt", [variance], in: call),
        lowering.scalar(smallestDeviation, "epsilon", like: input, in: call),
      ],
      in: call)
    if try call.configuration.bool("invert", default: false) {
      return [try lowering.add("Add", [mean, lowering.add("Mul", [input, deviation], in: call)], in: call)]
    }
    return [try lowering.add("Div", [lowering.add("Sub", [input, mean], in: call), deviation], in: call)]
  }

  /// The mean or variance with its kept axes where they are in the input, the others of extent 1.
  private static func statistic(
    _ name: String, rank: Int, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    let elementType = call.configuration.policy.compute
    let stored: Tensor
    if let json = call.configuration[name] {
      guard let (values, shape) = Self.numbers(json), values.count == checkedProduct(shape) else {
        throw call.configuration.unreadable(name, "a number or a list of numbers")
      }
      stored = try Tensor(values, shape: shape).converted(to: elementType)
    } else {
      stored = try lowering.storedWeight(name, in: call).converted(to: elementType)
    }
    if call.configuration["mean"] != nil, stored.count > 1, stored.shape.count > 1 {
      return lowering.constant(stored, name, in: call)
    }
    let axes = try (call.configuration.ints("axis") ?? (call.configuration.json["axis"] == nil ? [-1] : [])).mapTyped {
      (axis) throws(FormatError) in try call.axis(axis, rank: rank)
    }
    var shape = Array(repeating: 1, count: rank)
    if stored.count > 1 {
      for axis in axes {
        guard let extent = call.inputs.first?.shape?[axis].value else {
          throw call.error(.unsupported, "axis \(axis) of its input has no fixed extent")
        }
        shape[axis] = extent
      }
    }
    guard checkedProduct(shape) == stored.count else {
      throw call.error(.mismatch, "\(name) of shape \(stored.shape) does not fit the axes \(axes) of its input")
    }
    // Axes of extent 1 in front change nothing, and without them the variable stays as the file holds it.
    if Array(shape.drop { $0 == 1 }) == stored.shape {
      let value = lowering.constant(stored, name, in: call)
      if call.layer.weights[name]?.elementType == elementType { lowering.carry(name, as: value, in: call) }
      return value
    }
    return lowering.constant(try stored.reshaped(to: shape), name, in: call)
  }

  /// Numbers in nested lists with their shape.
  private static func numbers(_ json: JSONValue) -> ([Float], shape: [Int])? {
    if let number = (json["config"]?["value"] ?? json).float { return ([number], []) }
    guard let elements = (json["config"]?["value"] ?? json).array else { return nil }
    var values: [Float] = []
    var inner: [Int]?
    for element in elements {
      guard let (part, shape) = numbers(element), inner == nil || inner == shape else { return nil }
      values += part
      inner = shape
    }
    return (values, [elements.count] + (inner ?? []))
  }
}

/// `Rescaling`: `x · scale + offset`, each a number or a list for the last axis.
enum RescalingRule: LayerRule {
  static let classNames = ["Rescaling"]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let input = try call.input()
    let scale = try factor("scale", default: 1, like: input, call, &lowering)
    let offset = try factor("offset", default: 0, like: input, call, &lowering)
    return [try lowering.add("Add", [lowering.add("Mul", [input, scale], in: call), offset], in: call)]
  }

  private static func factor(
    _ name: String, default fallback: Float, like input: LoweredValue, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    let stated = call.configuration[name]?["config"]?["value"] ?? call.configuration[name]
    guard let list = stated?.array else {
      guard let number = stated?.double, input.elementType?.isFloatingPoint == true else {
        return try lowering.scalar(call.configuration.float(name, default: fallback), name, like: input, in: call)
      }
      return try lowering.number(Double(Float(number)), name, like: input, in: call)
    }
    let values = list.compactMap(\.float)
    guard values.count == list.count else { throw call.configuration.unreadable(name, "a list of numbers") }
    return lowering.constant(try Tensor(values).converted(to: input.elementType ?? .float32), name, in: call)
  }
}

extension RescalingRule: RaisingRule {
  static let operators: Set = ["Add", "Sub", "Mul", "Div", "Neg"]

  /// Arithmetic of one value with a number, or with one for each feature.
  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let output = node.outputs[0]
    if node.operatorType == "Neg" {
      raising.rescale(try raising.value(node, 0), scale: [-1], as: output, of: node)
      return true
    }
    guard node.inputs.count == 2, let place = node.inputs.firstIndex(where: { raising.isValue($0) }),
      let tensor = raising.constant(node, 1 - place), let shape = raising.shape(node.inputs[place]),
      let numbers = raising.numbers(node, 1 - place)
    else { return false }
    let isVector =
      shape.dimensions.last?.value == tensor.count && tensor.shape.last == tensor.count
      && tensor.shape.count <= shape.rank
    let isDivided = node.operatorType == "Div" && place == 1
    guard tensor.count == 1 || isVector, !isDivided || raising.generation < 3 else {
      if raising.generation >= 3 { return false }
      throw raising.error(
        node, "a constant of shape \(Shape(tensor.shape)) is neither a number nor one for each feature")
    }
    // Keras holds the layer's numbers in float32; an operation takes those of float64 as they are.
    if raising.generation >= 3, numbers.contains(where: { Double(Float($0)) != $0 }) { return false }
    let value = try raising.value(node, place)
    let uses = raising.useCount(node.inputs[place])
    switch (node.operatorType, place) {
    case ("Add", _): raising.rescale(value, uses: uses, offset: numbers, as: output, of: node)
    case ("Sub", 0): raising.rescale(value, uses: uses, offset: numbers.map { -$0 }, as: output, of: node)
    case ("Sub", _): raising.rescale(value, uses: uses, scale: [-1], offset: numbers, as: output, of: node)
    case ("Mul", _): raising.rescale(value, uses: uses, scale: numbers, as: output, of: node)
    case ("Div", 0): raising.rescale(value, uses: uses, scale: numbers.map { 1 / $0 }, as: output, of: node)
    default: throw raising.error(node, "no Keras layer divides by its input")
    }
    return true
  }
}
