/// Comparisons and truth values.
extension KerasOperation {
  static let comparisons: [KerasOperation] = [
    binary("Equal", "Equal"), binary("Greater", "Greater"), binary("Less", "Less"),
    binary("GreaterOrEqual", "GreaterEqual"), binary("LessOrEqual", "LessEqual"),
    KerasOperation("NotEqual", parameters: operands) { (lowering, operation) throws(FormatError) in
      let isEqual = try lowering.add("Equal", lowering.promoted(operands, of: operation), in: operation.call)
      return [try lowering.add("Not", [isEqual], in: operation.call)]
    },
    logical("And", "LogicalAnd"), logical("Or", "LogicalOr"), logical("Xor", "LogicalXor"),
    composed("LogicalNot", isFloat: false) { (lowering, x, call) throws(FormatError) in
      try lowering.add("Not", [lowering.cast(x, to: .bool, in: call)], in: call)
    },
    composed("Isnan") { (lowering, x, call) throws(FormatError) in try lowering.add("IsNaN", [x], in: call) },
    composed("Isinf") { (lowering, x, call) throws(FormatError) in
      try lowering.add("IsInf", [narrow(x, &lowering, call)], in: call)
    },
    composed("Isfinite") { (lowering, x, call) throws(FormatError) in
      let isInfinite = try lowering.add("IsInf", [narrow(x, &lowering, call)], in: call)
      let isNone = try lowering.add("IsNaN", [x], in: call)
      return try lowering.add("Not", [lowering.add("Or", [isInfinite, isNone], in: call)], in: call)
    },
  ]

  /// `IsInf` knows no 16-bit types before operator set 20; both fit float32.
  private static func narrow(_ x: LoweredValue, _ lowering: inout Lowering, _ call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    try x.elementType == .float64 ? x : lowering.cast(x, to: .float32, in: call)
  }

  private static func logical(_ operatorType: String, _ name: String) -> KerasOperation {
    KerasOperation(name, parameters: operands) { (lowering, operation) throws(FormatError) in
      var pair: [LoweredValue] = []
      for name in operands {
        let operand = try lowering.operand(name, of: operation)
        pair.append(try lowering.value(operand, as: .bool, name, in: operation))
      }
      return [try lowering.add(operatorType, pair, in: operation.call)]
    }
  }

  /// Operations that choose between values.
  static let choices: [KerasOperation] = [
    KerasOperation("Where", parameters: ["condition", "x1", "x2"]) { (lowering, operation) throws(FormatError) in
      guard operation["x1"] != nil, operation["x2"] != nil else {
        throw operation.error(.unsupported, "the places of true elements have no fixed number")
      }
      let condition = try lowering.value(
        lowering.operand("condition", of: operation), as: .bool, "condition", in: operation)
      let pair = try lowering.promoted(operands, of: operation)
      return [try lowering.add("Where", [condition] + pair, in: operation.call)]
    },
    KerasOperation("Clip", parameters: ["x", "x_min", "x_max"]) { (lowering, operation) throws(FormatError) in
      var x = try lowering.tensor(of: operation)
      if x.elementType == .bool { x = try lowering.cast(x, to: .int32, in: operation.call) }
      let type = x.elementType ?? .float32
      // The upper bound first, as Keras has it.
      for (operatorType, name) in [("Min", "x_max"), ("Max", "x_min")] where operation[name] != nil {
        let bound = try lowering.value(lowering.operand(name, of: operation), as: type, name, in: operation)
        x = try lowering.add(operatorType, [x, bound], in: operation.call)
      }
      return [x]
    },
    // 0 below zero, 1 above it, the second operand at it.
    KerasOperation("Heaviside", parameters: operands) { (lowering, operation) throws(FormatError) in
      let pair = try lowering.promoted(operands, of: operation)
      let call = operation.call
      let zero = try lowering.number(0, "zero", like: pair[0], in: call)
      let one = try lowering.number(1, "one", like: pair[0], in: call)
      let isPositive = try lowering.add("Greater", [pair[0], zero], in: call)
      let isZero = try lowering.add("Equal", [pair[0], zero], in: call)
      let step = try lowering.add("Where", [isPositive, one, zero], in: call)
      return [try lowering.add("Where", [isZero, pair[1], step], in: call)]
    },
  ]
}
