/// The activation functions of `keras.ops.nn`, with their parameters.
extension KerasOperation {
  static let activations: [KerasOperation] =
    [
      "relu": "Relu", "relu6": "Relu6", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus",
      "softsign": "Softsign", "silu": "Silu", "log_sigmoid": "LogSigmoid", "hard_sigmoid": "HardSigmoid",
      "hard_silu": "HardSilu", "selu": "Selu", "tanh_shrink": "TanhShrink", "hard_tanh": "HardTanh",
      "sparse_plus": "SparsePlus", "sparse_sigmoid": "SparseSigmoid",
    ].compactMap { entry in
      KerasActivation.functions[entry.key].map { composed(entry.value, isFloat: entry.key != "relu", $0) }
    } + [
      parametric("LeakyRelu", "LeakyRelu", ["negative_slope": "alpha"], fallback: 0.2),
      KerasOperation("Elu") { (lowering, operation) throws(FormatError) in
        try exponential("Elu", &lowering, operation)
      },
      KerasOperation("Celu") { (lowering, operation) throws(FormatError) in
        try exponential("Celu", &lowering, operation)
      },
      KerasOperation("Gelu") { (lowering, operation) throws(FormatError) in
        let form = try operation.bool("approximate", default: true) ? "tanh" : "none"
        let x = try lowering.tensor(isFloat: true, of: operation)
        return [
          try lowering.add("Gelu", [x], in: operation.call, attributes: [Attribute("approximate", .text(form))])
        ]
      },
      KerasOperation("Glu") { (lowering, operation) throws(FormatError) in
        let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
        let axis = try operation.axis(operation.int("axis") ?? -1, rank: rank)
        guard let extent = x.shape?[axis].value, extent % 2 == 0 else {
          throw operation.error(.mismatch, "glu needs an even number of features")
        }
        let halves = try lowering.split(x, [extent / 2, extent / 2], axis: axis, in: operation.call)
        let gate = try lowering.add("Sigmoid", [halves[1]], in: operation.call)
        return [try lowering.add("Mul", [halves[0], gate], in: operation.call)]
      },
      KerasOperation("SoftShrink") { (lowering, operation) throws(FormatError) in
        let x = try lowering.tensor(isFloat: true, of: operation)
        let threshold = try operation.number("threshold") ?? 0.5
        return [
          try lowering.add(
            "Sub", [x, lowering.bounded(x, -threshold, threshold, in: operation.call)], in: operation.call)
        ]
      },
      KerasOperation("HardShrink") { (lowering, operation) throws(FormatError) in
        let x = try lowering.tensor(isFloat: true, of: operation)
        let threshold = try lowering.number(
          operation.number("threshold") ?? 0.5, "threshold", like: x, in: operation.call)
        let isLarge = try lowering.add(
          "Greater", [lowering.add("Abs", [x], in: operation.call), threshold], in: operation.call)
        let zero = try lowering.number(0, "zero", like: x, in: operation.call)
        return [try lowering.add("Where", [isLarge, x, zero], in: operation.call)]
      },
      KerasOperation("Threshold") { (lowering, operation) throws(FormatError) in
        let x = try lowering.tensor(isFloat: true, of: operation)
        let (bound, other) = (try operation.number("threshold") ?? 0, try operation.number("default_value") ?? 0)
        let threshold = try lowering.number(bound, "threshold", like: x, in: operation.call)
        let isLarge = try lowering.add("Greater", [x, threshold], in: operation.call)
        let fallback = try lowering.number(other, "default_value", like: x, in: operation.call)
        return [try lowering.add("Where", [isLarge, x, fallback], in: operation.call)]
      },
      // (x + sqrt(x² + b)) / 2.
      KerasOperation("Squareplus") { (lowering, operation) throws(FormatError) in
        let x = try lowering.tensor(isFloat: true, of: operation)
        let b = try lowering.number(operation.number("b") ?? 4, "b", like: x, in: operation.call)
        let square = try lowering.add("Mul", [x, x], in: operation.call)
        let root = try lowering.add(
          "Sqrt", [lowering.add("Add", [square, b], in: operation.call)], in: operation.call)
        return [
          try lowering.scaled(lowering.add("Add", [x, root], in: operation.call), 0.5, in: operation.call)
        ]
      },
      softmax("Softmax"), softmax("LogSoftmax"),
    ]

  private static func parametric(
    _ name: String, _ operatorType: String, _ attributes: [String: String], fallback: Double
  ) -> KerasOperation {
    KerasOperation(name) { (lowering, operation) throws(FormatError) in
      let x = try lowering.tensor(isFloat: true, of: operation)
      var list: [Attribute] = []
      for (name, attribute) in attributes {
        list.append(Attribute(attribute, .float(Float(try operation.number(name) ?? fallback))))
      }
      return [try lowering.add(operatorType, [x], in: operation.call, attributes: list)]
    }
  }

  /// `Elu` and `Celu`, whose `alpha` is 1 unless it is stated.
  private static func exponential(
    _ operatorType: String, _ lowering: inout Lowering, _ operation: OperationCall
  ) throws(FormatError) -> [LoweredValue] {
    let x = try lowering.tensor(isFloat: true, of: operation)
    let alpha = Float(try operation.number("alpha") ?? 1)
    return [
      try lowering.add(operatorType, [x], in: operation.call, attributes: [Attribute("alpha", .float(alpha))])
    ]
  }

  /// Over one axis, or over all elements.
  private static func softmax(_ name: String) -> KerasOperation {
    KerasOperation(name) { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
      let call = operation.call
      // The configuration states an axis of null for all elements, and no axis for the last one.
      if call.configuration.json["axis"]?.isNull == true {
        let flat = try lowering.flat(x, in: call)
        let value = try lowering.add(name, [flat], in: call, attributes: [Attribute("axis", .int(0))])
        return [try lowering.add("Reshape", [value, lowering.add("Shape", [x], in: call)], in: call)]
      }
      let axis = try operation.axis(operation.int("axis") ?? -1, rank: rank)
      return [try lowering.add(name, [x], in: call, attributes: [Attribute("axis", .int(Int64(axis)))])]
    }
  }
}

extension Lowering {
  /// A value limited to a range.
  mutating func bounded(_ value: LoweredValue, _ low: Double, _ high: Double, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    let (minimum, maximum) = (
      try number(low, "minimum", like: value, in: call), try number(high, "maximum", like: value, in: call)
    )
    return try add("Clip", [value, minimum, maximum], in: call)
  }

  /// All elements on one axis.
  mutating func flat(_ value: LoweredValue, in call: LayerCall) throws(FormatError) -> LoweredValue {
    try add("Reshape", [value, integers([-1], "flat", in: call)], in: call)
  }

  /// Parts of a value along an axis.
  mutating func split(_ value: LoweredValue, _ extents: [Int], axis: Int, in call: LayerCall) throws(FormatError)
    -> [LoweredValue]
  {
    try addAll(
      "Split", [value, integers(extents, "extents", in: call)], outputs: extents.count, in: call,
      attributes: [Attribute("axis", .int(Int64(axis)))])
  }
}
