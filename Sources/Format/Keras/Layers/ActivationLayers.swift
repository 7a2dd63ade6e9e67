import OrderedCollections

/// `Activation`: a function by name.
enum ActivationRule: LayerRule {
  static let classNames = ["Activation"]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let input = try call.input()
    let output = try lowering.activation(call.configuration["activation"], of: input, in: call)
    return [output.name == input.name ? try lowering.add("Identity", [input], in: call) : output]
  }
}

/// `ReLU`: `x`, at most `max_value`, above the threshold; `negative_slope · (x - threshold)` elsewhere.
enum ReLURule: LayerRule {
  static let classNames = ["ReLU"]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let x = try call.input()
    let slope = try call.configuration.float("negative_slope", default: 0)
    let threshold = try call.configuration.float("threshold", default: 0)
    let maximum = call.configuration["max_value"] == nil ? nil : try call.configuration.float("max_value", default: 0)
    if threshold == 0 {
      if slope == 0 {
        return [try maximum == nil ? lowering.add("Relu", [x], in: call) : lowering.clip(x, 0, maximum, in: call)]
      }
      let leaky = try lowering.add("LeakyRelu", [x], in: call, attributes: [Attribute("alpha", .float(slope))])
      return [try maximum == nil ? leaky : lowering.clip(leaky, nil, maximum, in: call)]
    }
    let limit = try lowering.scalar(threshold, "threshold", like: x, in: call)
    let above = try maximum == nil ? x : lowering.clip(x, 0, maximum, in: call)
    let difference = try lowering.add("Sub", [x, limit], in: call)
    let below = try lowering.add("Mul", [difference, lowering.scalar(slope, "slope", like: x, in: call)], in: call)
    let isAbove = try lowering.add("Greater", [x, limit], in: call)
    return [try lowering.add("Where", [isAbove, above, below], in: call)]
  }
}

/// Finds a `ReLU` with a threshold again.
enum ThresholdRaising: RaisingRule {
  private static func expression(_ above: OperatorExpression) -> OperatorExpression {
    let limit = OperatorExpression.constant("threshold")
    let below = OperatorExpression.node("Mul", .node("Sub", .input, limit), .constant("slope"))
    return .node("Where", .node("Greater", .input, limit), above, below)
  }
  private static let open = expression(.input)
  private static let bounded = expression(.node("Clip", .input, .number(0), .constant("maximum")))

  static let operators = open.firstOperators.union(bounded.firstOperators)

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let match = raising.match(bounded, with: node) ?? raising.match(open, with: node),
      let value = raising.values[match.input], let threshold = match.numbers("threshold"), threshold.count == 1,
      let slope = match.numbers("slope"), slope.count == 1
    else { return false }
    let maximum = match.numbers("maximum")
    guard maximum == nil || maximum?.count == 1 else { return false }
    raising.absorb(match)
    raising.emit(
      "ReLU",
      [
        "max_value": maximum.map { Raising.json($0) } ?? .null, "negative_slope": Raising.json(slope),
        "threshold": Raising.json(threshold),
      ], inputs: [value], as: match.output, of: node)
    return true
  }
}

/// `LeakyReLU`: `negative_slope · x` below zero; the slope was called `alpha` before Keras 3.
enum LeakyReLURule: LayerRule {
  static let classNames = ["LeakyReLU"]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let slope = try call.configuration.float("negative_slope", "alpha", default: 0.3)
    return [try lowering.add("LeakyRelu", [call.input()], in: call, attributes: [Attribute("alpha", .float(slope))])]
  }
}

/// `ELU`: `alpha · (exp(x) - 1)` below zero.
enum ELURule: LayerRule {
  static let classNames = ["ELU"]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let alpha = try call.configuration.float("alpha", default: 1)
    return [try lowering.add("Elu", [call.input()], in: call, attributes: [Attribute("alpha", .float(alpha))])]
  }
}

/// `PReLU`: a learned slope below zero, shared along some axes.
enum PReLURule: LayerRule {
  static let classNames = ["PReLU"]

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    [VariableRule("alpha", aliases: ["alphas"])]
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    [try lowering.add("PRelu", [call.input(), lowering.weight("alpha", in: call)], in: call)]
  }
}

/// `Softmax` over one axis, or over several together.
enum SoftmaxRule: LayerRule {
  static let classNames = ["Softmax"]
  static let usesMask = true

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let axes = try call.configuration.ints("axis") ?? [-1]
    if axes.count == 1 {
      return [
        try lowering.add("Softmax", [call.input()], in: call, attributes: [Attribute("axis", .int(Int64(axes[0])))])
      ]
    }
    // Keras: exp(x - logsumexp(x)) over the axes.
    let (x, rank) = try call.rankedInput()
    let positions = try axes.mapTyped { (axis) throws(FormatError) in try call.axis(axis, rank: rank) }
    let axisList = lowering.integers(positions, "axes", in: call)
    let total = try lowering.add("ReduceLogSumExp", [x, axisList], in: call)
    return [try lowering.add("Exp", [lowering.add("Sub", [x, total], in: call)], in: call)]
  }
}

/// `ThresholdedReLU` of Keras 2: `x` above `theta`, else zero.
enum ThresholdedReLURule: LayerRule {
  static let classNames = ["ThresholdedReLU"]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let theta = try call.configuration.float("theta", default: 1)
    return [
      try lowering.add("ThresholdedRelu", [call.input()], in: call, attributes: [Attribute("alpha", .float(theta))])
    ]
  }
}

extension ActivationRule: RaisingRule {
  /// Operators that are an activation function of both generations of Keras by themselves.
  private static let functions = [
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign",
    "Exp": "exponential", "Mish": "mish", "Selu": "selu", "Elu": "elu", "Celu": "elu", "Swish": "swish",
  ]
  static let operators = Set(functions.keys)

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let function = functions[node.operatorType], raising.isValue(node.inputs[0]) else { return false }
    switch node.operatorType {
    case "Elu", "Celu", "Swish": guard node.float("alpha", default: 1) == 1 else { return false }
    case "Selu":
      guard abs(node.float("alpha", default: 1.673_263_2) - 1.673_263_2) < 1e-5,
        abs(node.float("gamma", default: 1.050_701) - 1.050_701) < 1e-5
      else { return false }
    default: break
    }
    try raising.activate(function, node.inputs[0], as: node.outputs[0], of: node)
    return true
  }
}

extension Raising {
  /// Limits a `LeakyReLU` that nothing else uses from above: the two are one `ReLU`.
  fileprivate mutating func bound(_ name: String, by maximum: Double, as output: String) -> Bool {
    guard let value = values[name], layers[value.layer].className == "LeakyReLU", useCount(name) == 1,
      let slope = layers[value.layer].configuration[generation >= 3 ? "negative_slope" : "alpha"], maximum >= 0
    else { return false }
    layers[value.layer].className = "ReLU"
    layers[value.layer].configuration = ["max_value": Self.json([maximum]), "negative_slope": slope]
    values[output] = value
    return true
  }
}

extension SoftmaxRule: RaisingRule {
  static let operators: Set = ["Softmax", "LogSoftmax", "ReduceLogSumExp"]

  /// `exp(x - logsumexp(x))` over several axes.
  private static let several = OperatorExpression.node(
    "Exp", .node("Sub", .input, .node("ReduceLogSumExp", .input, .constant("axes"))))

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let rank = raising.shape(node.inputs[0])?.rank else { return false }
    if node.operatorType == "ReduceLogSumExp" {
      guard let match = raising.match(several, with: node), let axes = raising.axes(match, rank: rank),
        let value = raising.values[match.input], !value.isCollapsed
      else { return false }
      raising.absorb(match)
      raising.emit("Softmax", ["axis": raising.json(axes: axes)], inputs: [value], as: match.output, of: node)
      return true
    }
    let isFlattening = (raising.model.operatorSetVersion() ?? 13) < 13
    let stated = node.int("axis", default: isFlattening ? 1 : -1)
    let axis = stated < 0 ? stated + rank : stated
    let isLast = axis == rank - 1
    if isLast {
      try raising.activate(
        node.operatorType == "Softmax" ? "softmax" : "log_softmax", node.inputs[0], as: node.outputs[0], of: node)
      return true
    }
    guard axis > 0, !isFlattening, node.operatorType == "Softmax", case let value = try raising.value(node, 0),
      !value.isCollapsed
    else { return false }
    raising.emit("Softmax", ["axis": .int(axis)], inputs: [value], as: node.outputs[0], of: node)
    return true
  }
}

extension ELURule: RaisingRule {
  static let operators: Set = ["Elu"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let alpha = Double(node.float("alpha", default: 1))
    raising.emit(
      "ELU", ["alpha": Raising.json([alpha])], inputs: [try raising.value(node, 0)], as: node.outputs[0], of: node)
    return true
  }
}

extension LeakyReLURule: RaisingRule {
  static let operators: Set = ["LeakyRelu"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let alpha = node.float("alpha", default: 0.01)
    // The slope of the function called leaky_relu.
    if alpha == 0.2, raising.takesActivation(node.inputs[0]) {
      try raising.activate("leaky_relu", node.inputs[0], as: node.outputs[0], of: node)
      return true
    }
    let slope = Raising.json([Double(alpha)])
    raising.emit(
      "LeakyReLU", [raising.generation >= 3 ? "negative_slope" : "alpha": slope], inputs: [try raising.value(node, 0)],
      as: node.outputs[0], of: node)
    return true
  }
}

extension PReLURule: RaisingRule {
  static let operators: Set = ["PRelu"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let slope = raising.constant(node, 1), let shape = raising.shape(node.inputs[0]) else { return false }
    let axes = Array(shape.dimensions.dropFirst())
    var extents = slope.shape
    while extents.count > axes.count, extents.first == 1 { extents.removeFirst() }
    guard extents.count <= axes.count else { throw raising.error(node, "its slope differs along the batch") }
    extents = Array(repeating: 1, count: axes.count - extents.count) + extents
    let shared = axes.indices.filter { extents[$0] == 1 && axes[$0] != .known(1) }
    raising.emit(
      "PReLU", ["shared_axes": shared.isEmpty ? .null : .array(shared.map { .int($0 + 1) })],
      weights: [("alpha", try slope.reshaped(to: extents))], inputs: [try raising.value(node, 0)], as: node.outputs[0],
      of: node, weightName: node.inputs[1])
    return true
  }
}

extension ThresholdedReLURule: RaisingRule {
  static let operators: Set = ["ThresholdedRelu"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let theta = Raising.json([Double(node.float("alpha", default: 1))])
    raising.emit("ReLU", ["threshold": theta], inputs: [try raising.value(node, 0)], as: node.outputs[0], of: node)
    return true
  }
}

extension ReLURule: RaisingRule {
  static let operators: Set = ["Clip", "Max", "Min"]

  /// A range between two numbers: `ReLU` with a maximum, shifted where it does not begin at zero.
  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let (name, low, high) = range(node, raising), let value = raising.values[name] else { return false }
    let output = node.outputs[0]
    if low == nil, let high, raising.bound(name, by: high, as: output) { return true }
    switch (low, high) {
    case (nil, nil): raising.values[output] = value
    case (0?, nil): try raising.activate("relu", name, as: output, of: node)
    case (let low?, let high):
      var configuration: OrderedDictionary<String, JSONValue> = [:]
      if let high { configuration["max_value"] = Raising.json([high - low]) }
      let (shifted, bounded) = (output + "/shifted", output + "/bounded")
      if low != 0 { raising.rescale(value, uses: 2, offset: [-low], as: shifted, of: node) }
      let source = raising.values[shifted] ?? value
      raising.emit("ReLU", configuration, inputs: [source], as: low == 0 ? output : bounded, of: node)
      if low != 0, let result = raising.values[bounded] {
        raising.rescale(result, uses: 2, offset: [low], as: output, of: node)
      }
    case (nil, let high?):
      // min(x, high) is high - relu(high - x).
      let (shifted, bounded) = (output + "/shifted", output + "/bounded")
      raising.rescale(value, uses: 2, scale: [-1], offset: [high], as: shifted, of: node)
      raising.emit("ReLU", [:], inputs: [raising.values[shifted] ?? value], as: bounded, of: node)
      raising.rescale(raising.values[bounded] ?? value, uses: 2, scale: [-1], offset: [high], as: output, of: node)
    }
    return true
  }

  private static func range(_ node: Node, _ raising: Raising) -> (name: String, low: Double?, high: Double?)? {
    func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite && abs($0) < 3e38 ? $0 : nil } }
    if node.operatorType == "Clip" {
      let low: Double?
      let high: Double?
      if node.inputs.count == 1 {
        low = Double(node.float("min", default: -.infinity))
        high = Double(node.float("max", default: .infinity))
      } else {
        low = raising.numbers(node, 1)?.first
        high = raising.numbers(node, 2)?.first
      }
      return (node.inputs[0], finite(low), finite(high))
    }
    guard node.inputs.count == 2, let place = node.inputs.firstIndex(where: { raising.isValue($0) }),
      let limit = raising.numbers(node, 1 - place), limit.count == 1, let number = finite(limit[0])
    else { return nil }
    return node.operatorType == "Max" ? (node.inputs[place], number, nil) : (node.inputs[place], nil, number)
  }
}
