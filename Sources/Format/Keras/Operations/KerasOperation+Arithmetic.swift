/// Arithmetic of two operands and functions of one number.
extension KerasOperation {
  static let arithmetic: [KerasOperation] = [
    binary("Add", "Add"), binary("Sub", "Subtract"), binary("Mul", "Multiply"), binary("Pow", "Power"),
    binary("Max", "Maximum"), binary("Min", "Minimum"),
    binary("Div", "Divide", isFloat: true), binary("Div", "TrueDivide", isFloat: true),
    KerasOperation("DivideNoNan", parameters: operands) { (lowering, operation) throws(FormatError) in
      let pair = try lowering.promoted(operands, isFloat: true, of: operation)
      let zero = try lowering.number(0, "zero", like: pair[1], in: operation.call)
      let isZero = try lowering.add("Equal", [pair[1], zero], in: operation.call)
      let quotient = try lowering.add("Div", pair, in: operation.call)
      return [try lowering.add("Where", [isZero, zero, quotient], in: operation.call)]
    },
    KerasOperation("FloorDivide", parameters: operands) { (lowering, operation) throws(FormatError) in
      let pair = try lowering.promoted(operands, of: operation)
      let quotient = try lowering.add("Div", pair, in: operation.call)
      if pair[0].elementType?.isFloatingPoint == true {
        return [try lowering.add("Floor", [quotient], in: operation.call)]
      }
      // Integers are divided towards zero: one less where the rest has not the divisor's sign.
      let rest = try lowering.add(
        "Sub", [pair[0], lowering.add("Mul", [quotient, pair[1]], in: operation.call)], in: operation.call)
      let differs = try lowering.cast(
        lowering.signsDiffer(rest, pair[1], in: operation.call), to: pair[0].elementType ?? .int32,
        in: operation.call, suffix: "correction")
      return [try lowering.add("Sub", [quotient, differs], in: operation.call)]
    },
    KerasOperation("Mod", parameters: operands) { (lowering, operation) throws(FormatError) in
      var pair = try lowering.promoted(operands, of: operation)
      if pair[0].elementType == .bool {
        pair = try pair.mapTyped { (value) throws(FormatError) in
          try lowering.cast(value, to: .int32, in: operation.call)
        }
      }
      guard pair[0].elementType?.isFloatingPoint == true else {
        return [try lowering.add("Mod", pair, in: operation.call)]
      }
      let rest = try lowering.remainder(pair, in: operation.call)
      let moved = try lowering.add("Add", [rest, pair[1]], in: operation.call)
      let differs = try lowering.signsDiffer(rest, pair[1], in: operation.call)
      return [try lowering.add("Where", [differs, moved, rest], in: operation.call)]
    },
    KerasOperation("Fmod", parameters: operands) { (lowering, operation) throws(FormatError) in
      [try lowering.remainder(lowering.promoted(operands, of: operation), in: operation.call)]
    },
    KerasOperation("Hypot", parameters: operands) { (lowering, operation) throws(FormatError) in
      let squares = try lowering.promoted(operands, isFloat: true, of: operation).mapTyped {
        (value) throws(FormatError) in try lowering.add("Mul", [value, value], in: operation.call)
      }
      return [try lowering.add("Sqrt", [lowering.add("Add", squares, in: operation.call)], in: operation.call)]
    },
    // max(a, b) + log(1 + exp(-|a - b|)).
    KerasOperation("Logaddexp", parameters: operands) { (lowering, operation) throws(FormatError) in
      let pair = try lowering.promoted(operands, isFloat: true, of: operation)
      let call = operation.call
      let distance = try lowering.add("Abs", [lowering.add("Sub", pair, in: call)], in: call)
      let excess = try lowering.add("Softplus", [lowering.add("Neg", [distance], in: call)], in: call)
      return [try lowering.add("Add", [lowering.add("Max", pair, in: call), excess], in: call)]
    },
  ]

  /// The parameters of an operation on two operands.
  static let operands = ["x1", "x2"]

  /// An operation on two operands that is one operator.
  static func binary(_ operatorType: String, _ name: String, isFloat: Bool = false) -> KerasOperation {
    KerasOperation(name, parameters: operands) { (lowering, operation) throws(FormatError) in
      [try lowering.add(operatorType, lowering.promoted(operands, isFloat: isFloat, of: operation), in: operation.call)]
    }
  }
}

extension Lowering {
  /// What is left of a division towards zero.
  fileprivate mutating func remainder(_ pair: [LoweredValue], in call: LayerCall) throws(FormatError) -> LoweredValue {
    try add("Mod", pair, in: call, attributes: [Attribute("fmod", .int(1))])
  }

  /// Where a rest is not zero and has another sign than the divisor.
  fileprivate mutating func signsDiffer(
    _ rest: LoweredValue, _ divisor: LoweredValue, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let zero = try number(0, "zero", like: rest, in: call)
    let isNegative = try add("Less", [rest, zero], in: call)
    let isDivisorNegative = try add("Less", [divisor, zero], in: call)
    let isZero = try add("Equal", [rest, zero], in: call)
    let differs = try add("Xor", [isNegative, isDivisorNegative], in: call)
    return try add("And", [differs, add("Not", [isZero], in: call)], in: call)
  }
}
