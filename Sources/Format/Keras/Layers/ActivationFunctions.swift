extension Lowering {
  /// Applies an activation as a configuration states it: a name, a serialised function, or a layer.
  mutating func activation(
    _ json: JSONValue?, of value: LoweredValue, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    guard let json, !json.isNull else { return value }
    if let name = json.string { return try activation(named: name, of: value, in: call) }
    guard let className = json["class_name"]?.string else {
      throw call.error(.malformed, "its activation \(json.text().prefix(60)) is neither a name nor a layer")
    }
    if className == "function", let name = json["config"]?.string {
      return try activation(named: name, of: value, in: call)
    }
    if var layer = call.layer.activationLayer {
      for rule in layer.variableRules ?? [] { layer.weights[rule.name] = call.layer.weights[rule.name] }
      guard let rule = KerasLayerTable.rule(for: layer), layer.sublayers.isEmpty else {
        throw call.error(.unsupported, "its activation is a layer of class \"\(className)\", which cannot be run")
      }
      let inner = LayerCall(layer: layer, scope: call.scope, index: call.index, inputs: [value], arguments: nil)
      return try rule.lower(inner, &self).first ?? value
    }
    return try activation(named: json["config"]?.string ?? className, of: value, in: call)
  }

  private mutating func activation(
    named name: String, of value: LoweredValue, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let plainName = name.hasPrefix("Keras>") ? String(name.dropFirst("Keras>".count)) : name
    if plainName == "threshold" {
      throw call.error(
        .unsupported, "its activation \"threshold\" stands without its two numbers, so that Keras cannot run it either",
        advice: "Use a ReLU layer with a threshold")
    }
    guard let function = KerasActivation.functions[plainName] else {
      throw call.error(.unsupported, "its activation \"\(name)\" cannot be run")
    }
    return try function(&self, value, call)
  }
}

/// The activation functions of Keras by name, as operators. Defaults are those of `keras.activations`.
enum KerasActivation {
  typealias Function = @Sendable (inout Lowering, LoweredValue, LayerCall) throws(FormatError) -> LoweredValue

  static let functions: [String: Function] = [
    "linear": { (_, x, _) throws(FormatError) in x },
    "relu": single("Relu"), "sigmoid": single("Sigmoid"), "tanh": single("Tanh"), "exponential": single("Exp"),
    "softplus": single("Softplus"), "softsign": single("Softsign"), "mish": single("Mish"),
    "hard_silu": single("HardSwish"), "hard_swish": single("HardSwish"),
    "elu": single("Elu", [Attribute("alpha", .float(1))]),
    "celu": single("Celu", [Attribute("alpha", .float(1))]),
    "selu": single("Selu", selu),
    "leaky_relu": single("LeakyRelu", [Attribute("alpha", .float(0.2))]),
    "gelu": single("Gelu", [Attribute("approximate", .text("none"))]),
    "softmax": single("Softmax", [Attribute("axis", .int(-1))]),
    "log_softmax": single("LogSoftmax", [Attribute("axis", .int(-1))]),
    "hard_sigmoid": hardSigmoid,
    "sparse_sigmoid": single("HardSigmoid", [Attribute("alpha", .float(0.5)), Attribute("beta", .float(0.5))]),
    "swish": silu, "silu": silu,
    "relu6": CompositeActivation.function("relu6"), "hard_tanh": CompositeActivation.function("hard_tanh"),
    "tanh_shrink": CompositeActivation.function("tanh_shrink"),
    "soft_shrink": CompositeActivation.function("soft_shrink"),
    "hard_shrink": CompositeActivation.function("hard_shrink"),
    "log_sigmoid": CompositeActivation.function("log_sigmoid"),
    "squareplus": CompositeActivation.function("squareplus"),
    "sparse_plus": CompositeActivation.function("sparse_plus"), "sparsemax": CompositeActivation.function("sparsemax"),
    "glu": { (lowering, x, call) throws(FormatError) in
      guard let rank = x.rank, let width = x.shape?[rank - 1].value, width % 2 == 0 else {
        throw call.error(.mismatch, "glu needs an even number of features")
      }
      func half(_ start: Int, _ name: String) throws(FormatError) -> LoweredValue {
        try lowering.add(
          "Slice",
          [
            x, lowering.integers([start], "\(name)_start", in: call),
            lowering.integers([start + width / 2], "\(name)_end", in: call),
            lowering.integers([rank - 1], "glu_axis", in: call),
          ], in: call)
      }
      let gate = try lowering.add("Sigmoid", [half(width / 2, "gate")], in: call)
      return try lowering.add("Mul", [half(0, "value"), gate], in: call)
    },
  ]

  /// Keras's constants, which ONNX's defaults equal to within float32.
  static let selu = [Attribute("alpha", .float(1.673_263_2)), Attribute("gamma", .float(1.050_701))]

  private static func single(_ operatorType: String, _ attributes: [Attribute] = []) -> Function {
    { (lowering, x, call) throws(FormatError) in try lowering.add(operatorType, [x], in: call, attributes: attributes) }
  }

  /// `x · sigmoid(x)`.
  private static let silu: Function = { (lowering, x, call) throws(FormatError) in
    try lowering.add("Mul", [x, lowering.add("Sigmoid", [x], in: call)], in: call)
  }

  /// Keras 3 divides by six, `relu6(x + 3) / 6`; before it the slope was 0.2.
  private static let hardSigmoid: Function = { (lowering, x, call) throws(FormatError) in
    let slope: Float = call.configuration.generation >= 3 ? 1 / 6 : 0.2
    return try lowering.add(
      "HardSigmoid", [x], in: call, attributes: [Attribute("alpha", .float(slope)), Attribute("beta", .float(0.5))])
  }
}

extension Lowering {
  /// Limits a value to a range.
  mutating func clip(_ value: LoweredValue, _ low: Float?, _ high: Float?, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    var inputs: [LoweredValue?] = [value]
    inputs.append(try low.map { (low) throws(FormatError) in try scalar(low, "minimum", like: value, in: call) })
    if let high { inputs.append(try scalar(high, "maximum", like: value, in: call)) }
    return try add("Clip", inputs, in: call)
  }
}
