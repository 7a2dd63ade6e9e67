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
