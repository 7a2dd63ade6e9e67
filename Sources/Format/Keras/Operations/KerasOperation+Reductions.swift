/// Operations that reduce axes to one element.
extension KerasOperation {
  static let reductions: [KerasOperation] = [
    reduction("Sum", isNumber: true) { (lowering, x, axes, keeps, call) throws(FormatError) in
      try lowering.reduce("ReduceSum", x, axes, keeps, in: call)
    },
    reduction("Prod", isNumber: true) { (lowering, x, axes, keeps, call) throws(FormatError) in
      try lowering.reduce("ReduceProd", x, axes, keeps, in: call)
    },
    reduction("Mean", isFloat: true) { (lowering, x, axes, keeps, call) throws(FormatError) in
      try lowering.reduce("ReduceMean", x, axes, keeps, in: call)
    },
    reduction("Average", isFloat: true) { (lowering, x, axes, keeps, call) throws(FormatError) in
      try lowering.reduce("ReduceMean", x, axes, keeps, in: call)
    },
    extreme("Max", "ReduceMax"), extreme("Amax", "ReduceMax"), extreme("Min", "ReduceMin"),
    extreme("Amin", "ReduceMin"),
    truth("Any", "ReduceMax"), truth("All", "ReduceMin"),
    reduction("Var", isFloat: true) { (lowering, x, axes, keeps, call) throws(FormatError) in
      try lowering.variance(x, axes, keeps, in: call)
    },
    reduction("Std", isFloat: true) { (lowering, x, axes, keeps, call) throws(FormatError) in
      try lowering.add("Sqrt", [lowering.variance(x, axes, keeps, in: call)], in: call)
    },
    reduction("Logsumexp", isFloat: true) { (lowering, x, axes, keeps, call) throws(FormatError) in
      try lowering.reduce("ReduceLogSumExp", x, axes, keeps, in: call)
    },
    reduction("CountNonzero") { (lowering, x, axes, keeps, call) throws(FormatError) in
      let isNonzero = try lowering.cast(x, to: .bool, in: call)
      return try lowering.reduce(
        "ReduceSum", lowering.cast(isNonzero, to: .int32, in: call, suffix: "count"), axes, keeps, in: call)
    },
    reduction("Ptp") { (lowering, x, axes, keeps, call) throws(FormatError) in
      let highest = try lowering.reduce("ReduceMax", x, axes, keeps, in: call)
      return try lowering.add("Sub", [highest, lowering.reduce("ReduceMin", x, axes, keeps, in: call)], in: call)
    },
    KerasOperation("Norm") { (lowering, operation) throws(FormatError) in [try norm(&lowering, operation)] },
    // Mean and variance.
    KerasOperation("Moments") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
      let (axes, keeps) = (try operation.axes("axes", rank: rank), try operation.bool("keepdims"))
      let mean = try lowering.reduce("ReduceMean", x, axes, keeps, in: operation.call)
      return [mean, try lowering.variance(x, axes, keeps, in: operation.call)]
    },
  ]

  private typealias Reduce =
    @Sendable (inout Lowering, LoweredValue, [Int], Bool, LayerCall) throws(FormatError) ->
    LoweredValue

  /// A reduction over the axes of the configuration.
  ///
  /// - Parameters:
  ///   - isFloat: whether the result is a floating-point number.
  ///   - isNumber: whether narrow integers are counted in 32 bits.
  private static func reduction(
    _ name: String, isFloat: Bool = false, isNumber: Bool = false, _ body: @escaping Reduce
  ) -> KerasOperation {
    KerasOperation(name) { (lowering, operation) throws(FormatError) in
      var (x, rank) = try lowering.ranked(isFloat: isFloat, of: operation)
      if operation["weights"] != nil { throw operation.error(.unsupported, "weights of an average are not applied") }
      if isNumber, let type = x.elementType, let wide = wideTypes[type] {
        x = try lowering.cast(x, to: wide, in: operation.call, suffix: "wide")
      }
      let axes = try operation.axes(rank: rank)
      return [try body(&lowering, x, axes, operation.bool("keepdims"), operation.call)]
    }
  }

  private static let wideTypes: [ElementType: ElementType] = [
    .bool: .int32, .int8: .int32, .int16: .int32, .uint8: .uint32, .uint16: .uint32,
  ]

  private static func extreme(_ name: String, _ operatorType: String) -> KerasOperation {
    KerasOperation(name) { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      let type = x.elementType ?? .float32
      let wide = try type == .bool ? lowering.cast(x, to: .int32, in: operation.call, suffix: "wide") : x
      var value = try lowering.reduce(
        operatorType, wide, operation.axes(rank: rank), operation.bool("keepdims"), in: operation.call)
      if operation["initial"] != nil {
        let initial = try lowering.value(
          lowering.operand("initial", of: operation), as: value.elementType ?? type, "initial", in: operation)
        value = try lowering.add(operatorType == "ReduceMax" ? "Max" : "Min", [value, initial], in: operation.call)
      }
      return [try lowering.cast(value, to: type, in: operation.call)]
    }
  }

  private static func truth(_ name: String, _ operatorType: String) -> KerasOperation {
    reduction(name) { (lowering, x, axes, keeps, call) throws(FormatError) in
      let number = try lowering.cast(lowering.cast(x, to: .bool, in: call), to: .int32, in: call, suffix: "number")
      return try lowering.cast(
        lowering.reduce(operatorType, number, axes, keeps, in: call), to: .bool, in: call, suffix: "truth")
    }
  }

  /// Norms of vectors along one axis, and the Frobenius norm.
  private static func norm(_ lowering: inout Lowering, _ operation: OperationCall) throws(FormatError) -> LoweredValue {
    let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
    let (axes, keeps) = (try operation.axes(rank: rank), try operation.bool("keepdims"))
    guard let order = operation["ord"]?.json else {
      return try lowering.reduce("ReduceL2", x, axes, keeps, in: operation.call)
    }
    if order.string == "fro", axes.count == 2 {
      return try lowering.reduce("ReduceL2", x, axes, keeps, in: operation.call)
    }
    let infinities = ["inf": ("ReduceMax"), "-inf": ("ReduceMin")]
    guard axes.count == 1 else { throw operation.error(.unsupported, "this norm of matrices cannot be run") }
    let infinity = order.double.flatMap { $0.isInfinite ? ($0 > 0 ? "inf" : "-inf") : nil } ?? order.string
    if let name = infinity, let operatorType = infinities[name] {
      let size = try lowering.add("Abs", [x], in: operation.call)
      return try lowering.reduce(operatorType, size, axes, keeps, in: operation.call)
    }
    switch order.double {
    case 1: return try lowering.reduce("ReduceL1", x, axes, keeps, in: operation.call)
    case 2: return try lowering.reduce("ReduceL2", x, axes, keeps, in: operation.call)
    case let power? where power > 0: return try lowering.powerNorm(x, power, axes, keeps, in: operation.call)
    default: throw operation.error(.unsupported, "the norm of order \(order.text()) cannot be run")
    }
  }
}

extension Lowering {
  /// A reduction over axes; over all of them the result has no axis.
  mutating func reduce(
    _ operatorType: String, _ value: LoweredValue, _ axes: [Int], _ keepsAxes: Bool, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    if axes.isEmpty { return value }
    let list = integers(axes, "axes", in: call)
    return try add(
      operatorType, [value, list], in: call, attributes: [Attribute("keepdims", .int(keepsAxes ? 1 : 0))])
  }

  /// The mean of the squared distances from the mean.
  mutating func variance(_ value: LoweredValue, _ axes: [Int], _ keepsAxes: Bool, in call: LayerCall)
    throws(FormatError) -> LoweredValue
  {
    let distance = try add("Sub", [value, reduce("ReduceMean", value, axes, true, in: call)], in: call)
    return try reduce("ReduceMean", add("Mul", [distance, distance], in: call), axes, keepsAxes, in: call)
  }

  /// `sum(|x|^p)^(1/p)`.
  mutating func powerNorm(
    _ value: LoweredValue, _ power: Double, _ axes: [Int], _ keepsAxes: Bool, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let powers = try add(
      "Pow", [add("Abs", [value], in: call), number(power, "order", like: value, in: call)], in: call)
    let sum = try reduce("ReduceSum", powers, axes, keepsAxes, in: call)
    return try add("Pow", [sum, number(1 / power, "root", like: value, in: call)], in: call)
  }
}
