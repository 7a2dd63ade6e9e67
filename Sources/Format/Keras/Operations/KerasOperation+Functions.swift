/// Functions of one number.
extension KerasOperation {
  static let functions: [KerasOperation] =
    [
      "Sqrt": ["Sqrt"], "Exp": ["Exp"], "Log": ["Log"], "Sin": ["Sin"], "Cos": ["Cos"], "Tan": ["Tan"],
      "Asin": ["Arcsin"], "Acos": ["Arccos"], "Atan": ["Arctan"], "Sinh": ["Sinh"], "Cosh": ["Cosh"],
      "Asinh": ["Arcsinh"], "Acosh": ["Arccosh"], "Atanh": ["Arctanh"], "Floor": ["Floor"], "Ceil": ["Ceil"],
      "Erf": ["Erf"], "Reciprocal": ["Reciprocal"],
    ].flatMap { entry in entry.value.map { function(entry.key, $0, isFloat: true) } }
    + [
      function("Neg", "Negative"), function("Abs", "Absolute"), function("Abs", "Abs"),
      function("Abs", "Fabs", isFloat: true), function("Sign", "Sign"),
      composed("Square", isFloat: false) { (lowering, x, call) throws(FormatError) in
        let x = try x.elementType == .bool ? lowering.cast(x, to: .int32, in: call) : x
        return try lowering.add("Mul", [x, x], in: call)
      },
      composed("Rsqrt") { (lowering, x, call) throws(FormatError) in
        try lowering.add("Reciprocal", [lowering.add("Sqrt", [x], in: call)], in: call)
      },
      composed("Exp2") { (lowering, x, call) throws(FormatError) in
        try lowering.add("Pow", [lowering.number(2, "base", like: x, in: call), x], in: call)
      },
      composed("Expm1") { (lowering, x, call) throws(FormatError) in
        try lowering.add(
          "Sub", [lowering.add("Exp", [x], in: call), lowering.number(1, "one", like: x, in: call)], in: call)
      },
      composed("Log1p") { (lowering, x, call) throws(FormatError) in
        try lowering.add(
          "Log", [lowering.add("Add", [x, lowering.number(1, "one", like: x, in: call)], in: call)], in: call)
      },
      composed("Log2") { (lowering, x, call) throws(FormatError) in
        try lowering.scaled(lowering.add("Log", [x], in: call), 1.442_695_040_888_963_4, in: call)
      },
      composed("Log10") { (lowering, x, call) throws(FormatError) in
        try lowering.scaled(lowering.add("Log", [x], in: call), 0.434_294_481_903_251_8, in: call)
      },
      composed("Deg2rad") { (lowering, x, call) throws(FormatError) in
        try lowering.scaled(x, Double.pi / 180, in: call)
      },
      composed("Rad2deg") { (lowering, x, call) throws(FormatError) in
        try lowering.scaled(x, 180 / Double.pi, in: call)
      },
      composed("Erfc") { (lowering, x, call) throws(FormatError) in
        try lowering.add(
          "Sub", [lowering.number(1, "one", like: x, in: call), lowering.add("Erf", [x], in: call)], in: call)
      },
      composed("Cbrt") { (lowering, x, call) throws(FormatError) in
        let size = try lowering.add("Abs", [x], in: call)
        let third = try lowering.number(1.0 / 3, "third", like: x, in: call)
        return try lowering.add(
          "Mul", [lowering.add("Sign", [x], in: call), lowering.add("Pow", [size, third], in: call)], in: call)
      },
      // Towards zero.
      composed("Trunc", isFloat: false) { (lowering, x, call) throws(FormatError) in
        guard x.elementType?.isFloatingPoint == true else { return x }
        let isNegative = try lowering.add("Less", [x, lowering.number(0, "zero", like: x, in: call)], in: call)
        let (up, down) = (try lowering.add("Ceil", [x], in: call), try lowering.add("Floor", [x], in: call))
        return try lowering.add("Where", [isNegative, up, down], in: call)
      },
      KerasOperation("Round") { (lowering, operation) throws(FormatError) in
        let x = try lowering.tensor(of: operation)
        let decimals = try operation.int("decimals") ?? 0
        guard x.elementType?.isFloatingPoint == true else { return [x] }
        guard decimals != 0 else { return [try lowering.add("Round", [x], in: operation.call)] }
        guard (-30...30).contains(decimals) else { throw operation.error(.limit, "it rounds to \(decimals) places") }
        let tens = (0..<abs(decimals)).reduce(1.0) { factor, _ in factor * 10 }
        let factor = decimals < 0 ? 1 / tens : tens
        let large = try lowering.scaled(x, factor, in: operation.call)
        let rounded = try lowering.add("Round", [large], in: operation.call)
        return [try lowering.scaled(rounded, 1 / factor, in: operation.call)]
      },
    ] + ["StopGradient", "Copy", "ConvertToTensor", "Cast", "SaturateCast", "Real", "Conjugate", "Conj"].map(casting)

  /// The value itself, in another type when one is named.
  private static func casting(_ name: String) -> KerasOperation {
    KerasOperation(name) { (lowering, operation) throws(FormatError) in
      let names = ["x", "variable"]
      let x = try lowering.tensor(names.first { operation[$0] != nil } ?? "x", of: operation)
      guard let type = try operation.elementType() else { return [x] }
      return [try lowering.cast(x, to: type, in: operation.call)]
    }
  }

  private static func function(_ operatorType: String, _ name: String, isFloat: Bool = false) -> KerasOperation {
    composed(name, isFloat: isFloat) { (lowering, x, call) throws(FormatError) in
      try lowering.add(operatorType, [x], in: call)
    }
  }

  /// A function of one tensor made of several operators.
  static func composed(_ name: String, isFloat: Bool = true, _ body: @escaping KerasActivation.Function)
    -> KerasOperation
  {
    KerasOperation(name) { (lowering, operation) throws(FormatError) in
      [try body(&lowering, lowering.tensor(isFloat: isFloat, of: operation), operation.call)]
    }
  }
}

extension Lowering {
  /// The value times a number.
  mutating func scaled(_ value: LoweredValue, _ factor: Double, in call: LayerCall) throws(FormatError) -> LoweredValue
  {
    try add("Mul", [value, number(factor, "factor", like: value, in: call)], in: call)
  }
}
