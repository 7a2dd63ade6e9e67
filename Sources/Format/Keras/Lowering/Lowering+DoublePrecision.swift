/// Operators whose parameters ONNX states in single precision, written out for values of double precision.
extension Lowering {
  /// The number that a single-precision one was written as: 0.2 and not 0.200000003.
  static func written(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }

  /// An operator on `float64` with its parameters as constants of that type.
  ///
  /// - Returns: `nil` when the operator has no parameters that would lose digits.
  mutating func doubleForm(
    of operatorType: String, _ inputs: [LoweredValue?], in call: LayerCall, attributes: [Attribute]
  ) throws(FormatError) -> LoweredValue? {
    guard let x = inputs.first ?? nil, x.elementType == .float64 else { return nil }
    let node = Node(operatorType, inputs: [], outputs: [], attributes: attributes)
    switch operatorType {
    case "Gelu":
      let isPlain = node.text("approximate", default: "none") == "none"
      return try isPlain ? gelu(x, in: call) : approximateGelu(x, in: call)
    case "LeakyRelu":
      // TensorFlow has the slope in single precision too.
      return try slopes(x, below: scaled(x, Double(node.float("alpha", default: 0.01)), in: call), in: call)
    case "Elu", "Celu":
      return try exponential(
        x, alpha: Self.written(node.float("alpha", default: 1)), isCelu: operatorType == "Celu", in: call)
    case "Selu":
      let curve = try exponential(x, alpha: 1.673_263_242_354_377_2, isCelu: false, in: call)
      return try scaled(curve, 1.050_700_987_355_480_5, in: call)
    case "HardSigmoid":
      let stated = node.float("alpha", default: 0.2)
      let slope = stated == Float(1.0 / 6) ? 1.0 / 6 : Self.written(stated)
      return try ramp(x, slope: slope, offset: Self.written(node.float("beta", default: 0.5)), in: call)
    case "HardSwish": return try add("Mul", [x, ramp(x, slope: 1.0 / 6, offset: 0.5, in: call)], in: call)
    case "ThresholdedRelu":
      let limit = try number(Self.written(node.float("alpha", default: 1)), "threshold", like: x, in: call)
      let zero = try number(0, "zero", like: x, in: call)
      return try add("Where", [add("Greater", [x, limit], in: call), x, zero], in: call)
    case "LayerNormalization": return try layerNormalization(x, inputs, in: call, attributes: attributes)
    case "BatchNormalization":
      return try batchNormalization(
        x, inputs, epsilon: Self.written(node.float("epsilon", default: 1e-5)), in: call)
    default: return nil
    }
  }

  /// The value where it is positive, something else below.
  private mutating func slopes(_ x: LoweredValue, below: LoweredValue, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    let zero = try number(0, "zero", like: x, in: call)
    return try add("Where", [add("Greater", [x, zero], in: call), x, below], in: call)
  }

  /// The value where it is positive, `alpha · (exp(x) - 1)` below; `alpha · (exp(x / alpha) - 1)` for Celu.
  mutating func exponential(_ x: LoweredValue, alpha: Double, isCelu: Bool, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    let negative = try add("Min", [x, number(0, "zero", like: x, in: call)], in: call)
    let exponent = try isCelu && alpha != 1 ? scaled(negative, 1 / alpha, in: call) : negative
    let curve = try add("Sub", [add("Exp", [exponent], in: call), number(1, "one", like: x, in: call)], in: call)
    return try slopes(x, below: alpha == 1 ? curve : scaled(curve, alpha, in: call), in: call)
  }

  /// `slope · x + offset` between 0 and 1.
  private mutating func ramp(_ x: LoweredValue, slope: Double, offset: Double, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    let line = try add("Add", [scaled(x, slope, in: call), number(offset, "offset", like: x, in: call)], in: call)
    return try bounded(line, 0, 1, in: call)
  }

  /// `scale · (x - mean) / sqrt(variance + epsilon) + offset` over axis 1.
  private mutating func batchNormalization(
    _ x: LoweredValue, _ inputs: [LoweredValue?], epsilon: Double, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    guard let rank = x.rank, inputs.count == 5 else { throw call.error(.mismatch, "it lacks parameters") }
    var parameters: [LoweredValue] = []
    for input in inputs.dropFirst() {
      guard let input else { throw call.error(.mismatch, "it lacks parameters") }
      let axes = integers(Array(1..<max(rank - 1, 1)), "channel_axes", in: call)
      parameters.append(try rank <= 2 ? input : add("Unsqueeze", [input, axes], in: call))
    }
    let bound = try number(epsilon, "epsilon", like: x, in: call)
    let deviation = try add("Sqrt", [add("Add", [parameters[3], bound], in: call)], in: call)
    let centred = try add("Sub", [x, parameters[2]], in: call)
    let normal = try add("Div", [centred, deviation], in: call)
    return try add("Add", [add("Mul", [normal, parameters[0]], in: call), parameters[1]], in: call)
  }
}
