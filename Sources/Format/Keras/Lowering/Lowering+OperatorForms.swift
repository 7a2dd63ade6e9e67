extension Lowering {
  /// The operator in older ones, when the operator set that is emitted does not have it, or not for the input's type.
  ///
  /// - Returns: `nil` when the operator can be emitted as it is.
  mutating func olderForm(
    of operatorType: String, _ inputs: [LoweredValue?], in call: LayerCall, attributes: [Attribute]
  ) throws(FormatError) -> LoweredValue? {
    guard let x = inputs.first ?? nil else { return nil }
    if let value = try doubleForm(of: operatorType, inputs, in: call, attributes: attributes) { return value }
    switch operatorType {
    case "Gelu" where operatorSetVersion < 20:
      let form = Node("Gelu", inputs: [], outputs: [], attributes: attributes).text("approximate", default: "none")
      return try form == "none" ? gelu(x, in: call) : approximateGelu(x, in: call)
    case "Mish" where operatorSetVersion < 18:
      return try add("Mul", [x, add("Tanh", [add("Softplus", [x], in: call)], in: call)], in: call)
    case "HardSwish" where operatorSetVersion < 14:
      let gate = try add(
        "HardSigmoid", [x], in: call, attributes: [Attribute("alpha", .float(1 / 6)), Attribute("beta", .float(0.5))])
      return try add("Mul", [x, gate], in: call)
    case "LayerNormalization" where operatorSetVersion < 17:
      return try layerNormalization(x, inputs, in: call, attributes: attributes)
    case "ReduceLogSumExp", "ReduceSumSquare", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
      "ReduceL2":
      return try operatorSetVersion < 18 ? reduction(operatorType, inputs, in: call, attributes: attributes) : nil
    // Celu is for float32 alone; with an alpha of 1 it is Elu.
    case "Celu" where x.elementType != .float32:
      let alpha = Node("Celu", inputs: [], outputs: [], attributes: attributes).float("alpha", default: 1)
      return try alpha == 1
        ? add("Elu", [x], in: call, attributes: attributes)
        : exponential(x, alpha: Self.written(alpha), isCelu: true, in: call)
    default: return try widened(operatorType, inputs, in: call, attributes: attributes)
    }
  }

  /// The first operator set in which an operator takes bfloat16, where that is later than 13 or never. `Clip` does before,
  /// but it stands for `Where`, which does not.
  private static let bfloat16Versions = [
    "BatchNormalization": 14, "CumSum": 14, "Trilu": 14, "Pow": 15, "Clip": 16, "GreaterOrEqual": 16, "LeakyRelu": 16,
    "LessOrEqual": 16, "PRelu": 16, "Where": 16, "IsInf": 20, "Acos": 22, "Acosh": 22, "Asin": 22, "Asinh": 22,
    "Atan": 22, "Atanh": 22, "Cos": 22, "Cosh": 22, "Elu": 22, "GlobalAveragePool": 22, "GlobalMaxPool": 22,
    "HardSigmoid": 22, "HardSwish": 22, "InstanceNormalization": 22, "LpNormalization": 22, "Mish": 22, "Round": 22,
    "Selu": 22, "Sin": 22, "Sinh": 22, "Softplus": 22, "Softsign": 22, "Tan": 22, "ThresholdedRelu": 22, "TopK": 24,
    "Einsum": .max, "OneHot": .max, "Shrink": .max,
  ]

  /// An operator that does not take bfloat16 yet, in float32.
  private mutating func widened(
    _ operatorType: String, _ inputs: [LoweredValue?], in call: LayerCall, attributes: [Attribute]
  ) throws(FormatError) -> LoweredValue? {
    guard let wide = try widened(inputs, of: operatorType, in: call) else { return nil }
    return try narrowed(add(operatorType, wide, in: call, attributes: attributes), in: call)
  }

  /// The inputs in float32, when an operator does not take bfloat16 yet and one of them is of it.
  mutating func widened(_ inputs: [LoweredValue?], of operatorType: String, in call: LayerCall) throws(FormatError)
    -> [LoweredValue?]?
  {
    guard let version = Self.bfloat16Versions[operatorType], operatorSetVersion < version,
      inputs.contains(where: { $0?.elementType == .bfloat16 })
    else { return nil }
    var wide: [LoweredValue?] = []
    for input in inputs {
      guard let input, input.elementType == .bfloat16 else {
        wide.append(input)
        continue
      }
      wide.append(try cast(input, to: .float32, in: call, suffix: "wide"))
    }
    return wide
  }

  /// What was computed in float32, back in bfloat16.
  mutating func narrowed(_ value: LoweredValue, in call: LayerCall) throws(FormatError) -> LoweredValue {
    try value.elementType == .float32 ? cast(value, to: .bfloat16, in: call, suffix: "narrow") : value
  }

  /// `1 / √2`, in double precision rounded to the single one that TensorFlow takes there too.
  private static func rootOfHalf(_ elementType: ElementType?) -> Double {
    elementType == .float64 ? Double(Float(0.707_106_781_186_547_6)) : 0.707_106_781_186_547_6
  }

  /// `x / 2 · (1 + erf(x / √2))`.
  mutating func gelu(_ x: LoweredValue, in call: LayerCall) throws(FormatError) -> LoweredValue {
    let scaled = try add("Mul", [x, number(Self.rootOfHalf(x.elementType), "gelu_scale", like: x, in: call)], in: call)
    let sum = try add(
      "Add", [add("Erf", [scaled], in: call), scalar(1, "gelu_one", like: x, in: call)], in: call)
    return try add("Mul", [add("Mul", [x, scalar(0.5, "gelu_half", like: x, in: call)], in: call), sum], in: call)
  }

  /// `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`.
  mutating func approximateGelu(_ x: LoweredValue, in call: LayerCall) throws(FormatError) -> LoweredValue {
    let cube = try add("Mul", [add("Mul", [x, x], in: call), x], in: call)
    let inner = try add("Add", [x, scaled(cube, Double(Float(0.044715)), in: call)], in: call)
    let bend = try add("Tanh", [scaled(inner, 0.797_884_560_802_865_4, in: call)], in: call)
    let sum = try add("Add", [bend, number(1, "gelu_one", like: x, in: call)], in: call)
    return try add("Mul", [scaled(x, 0.5, in: call), sum], in: call)
  }

  /// Axes were an attribute before operator set 18.
  private mutating func reduction(
    _ operatorType: String, _ inputs: [LoweredValue?], in call: LayerCall, attributes: [Attribute]
  ) throws(FormatError) -> LoweredValue? {
    guard inputs.count == 2, let axes = inputs[1] else { return nil }
    let extents = (axes.type.contents ?? []).compactMap(\.value)
    guard extents.count == axes.type.contents?.count else {
      throw call.error(.unsupported, "its axes are not constant")
    }
    graph.initializers.removeAll { $0.name == axes.name }
    return try add(
      operatorType, [inputs[0]], in: call, attributes: attributes + [Attribute("axes", .ints(extents.map(Int64.init)))])
  }

  /// The mean and variance of the last axes written out.
  mutating func layerNormalization(
    _ x: LoweredValue, _ inputs: [LoweredValue?], in call: LayerCall, attributes: [Attribute]
  ) throws(FormatError) -> LoweredValue {
    let node = Node("LayerNormalization", inputs: [], outputs: [], attributes: attributes)
    let count = -node.int("axis", default: -1)
    guard count > 0 else { throw call.error(.unsupported, "its axes are not counted from the end") }
    let axes = Array(-count..<0)
    let centred = try add("Sub", [x, reduce("ReduceMean", x, axes, true, in: call)], in: call)
    let variance = try reduce("ReduceMean", add("Mul", [centred, centred], in: call), axes, true, in: call)
    let epsilon = try number(Self.written(node.float("epsilon", default: 1e-5)), "epsilon", like: x, in: call)
    let deviation = try add("Sqrt", [add("Add", [variance, epsilon], in: call)], in: call)
    var value = try add("Div", [centred, deviation], in: call)
    if inputs.count > 1, let scale = inputs[1] { value = try add("Mul", [value, scale], in: call) }
    if inputs.count > 2, let offset = inputs[2] { value = try add("Add", [value, offset], in: call) }
    return value
  }
}
