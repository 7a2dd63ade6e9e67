/// Operations that bring vectors to a length or features to mean 0 and variance 1.
extension KerasOperation {
  static let normalizations: [KerasOperation] = [
    KerasOperation("Normalize") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
      let axes = try operation.axes(rank: rank)
      let (order, epsilon) = (try operation.number("order") ?? 2, try operation.number("epsilon") ?? 1e-7)
      return [try lowering.normalized(x, axes, order: order, epsilon: epsilon, in: operation.call)]
    },
    // x · rsqrt(mean(x²) + epsilon) · scale.
    KerasOperation("RMSNorm", parameters: ["x", "scale"]) { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
      let call = operation.call
      let axes = try operation["axis"] == nil ? [rank - 1] : operation.axes(rank: rank)
      let epsilon = try lowering.number(operation.number("epsilon") ?? 1e-7, "epsilon", like: x, in: call)
      let mean = try lowering.reduce("ReduceMean", lowering.add("Mul", [x, x], in: call), axes, true, in: call)
      let root = try lowering.add("Sqrt", [lowering.add("Add", [mean, epsilon], in: call)], in: call)
      let value = try lowering.add("Div", [x, root], in: call)
      return [try lowering.applying("Mul", "scale", to: value, of: operation)]
    },
    KerasOperation("LayerNorm", parameters: ["x", "gamma", "beta"]) { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
      let call = operation.call
      let axes = try operation["axis"] == nil ? [rank - 1] : operation.axes(rank: rank)
      let epsilon = try lowering.number(operation.number("epsilon") ?? 1e-7, "epsilon", like: x, in: call)
      let centred = try lowering.add("Sub", [x, lowering.reduce("ReduceMean", x, axes, true, in: call)], in: call)
      let variance = try lowering.reduce(
        "ReduceMean", lowering.add("Mul", [centred, centred], in: call), axes, true, in: call)
      let root = try lowering.add("Sqrt", [lowering.add("Add", [variance, epsilon], in: call)], in: call)
      let value = try lowering.add("Div", [centred, root], in: call)
      return [
        try lowering.applying(
          "Add", "beta", to: lowering.applying("Mul", "gamma", to: value, of: operation), of: operation)
      ]
    },
    // TensorFlow's l2_normalize: x · rsqrt(max(sum(x²), epsilon)).
    KerasOperation("L2Normalize") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
      let call = operation.call
      let epsilon = try lowering.number(operation.number("epsilon") ?? 1e-12, "epsilon", like: x, in: call)
      let sum = try lowering.reduce("ReduceSumSquare", x, operation.axes(rank: rank), true, in: call)
      let root = try lowering.add("Sqrt", [lowering.add("Max", [sum, epsilon], in: call)], in: call)
      return [try lowering.add("Div", [x, root], in: call)]
    },
  ]
}

extension Lowering {
  /// `x / max(norm, epsilon)` over axes, the norm of an order.
  mutating func normalized(
    _ x: LoweredValue, _ axes: [Int], order: Double, epsilon: Double, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let norm: LoweredValue
    switch order {
    case 2: norm = try reduce("ReduceL2", x, axes, true, in: call)
    case 1: norm = try reduce("ReduceL1", x, axes, true, in: call)
    case let power where power > 0 && power.isFinite: norm = try powerNorm(x, power, axes, true, in: call)
    default: throw call.error(.unsupported, "the norm of order \(order) cannot be run")
    }
    return try add("Div", [x, add("Max", [norm, number(epsilon, "epsilon", like: x, in: call)], in: call)], in: call)
  }

  /// A value joined with an argument, when it is there.
  fileprivate mutating func applying(
    _ operatorType: String, _ name: String, to value: LoweredValue, of operation: OperationCall
  ) throws(FormatError) -> LoweredValue {
    guard operation[name] != nil else { return value }
    let factor = try self.value(
      operand(name, of: operation), as: value.elementType ?? .float32, name, in: operation)
    return try add(operatorType, [value, factor], in: operation.call)
  }
}
