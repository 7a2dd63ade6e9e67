/// Operations that find places of elements or put them in order.
extension KerasOperation {
  static let extremes: [KerasOperation] = [argument("Argmax", "ArgMax"), argument("Argmin", "ArgMin")]

  private static func argument(_ name: String, _ operatorType: String) -> KerasOperation {
    KerasOperation(name) { (lowering, operation) throws(FormatError) in
      var (x, rank) = try lowering.ranked(of: operation)
      let (keeps, call) = (try operation.bool("keepdims"), operation.call)
      if x.elementType == .bool { x = try lowering.cast(x, to: .int32, in: call) }
      guard let stated = try operation.int("axis") else {
        let flat = try lowering.flat(x, in: call)
        let place = try lowering.place(operatorType, flat, axis: 0, keeps: keeps, in: call)
        guard keeps else { return [place] }
        return [
          try lowering.add(
            "Reshape", [place, lowering.integers([Int](repeating: 1, count: rank), "ones", in: call)], in: call)
        ]
      }
      return [
        try lowering.place(operatorType, x, axis: operation.axis(stated, rank: rank), keeps: keeps, in: call)
      ]
    }
  }

  static let ordering: [KerasOperation] = [
    // Keras counts the places in 32 bits.
    KerasOperation("TopK") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      guard let count = try operation.int("k") else { throw operation.error(.malformed, "it has no k") }
      return try lowering.sorted(x, count: count, axis: rank - 1, largest: true, in: operation.call)
    },
    KerasOperation("Sort") { (lowering, operation) throws(FormatError) in
      [try sorted(&lowering, operation)[0]]
    },
    KerasOperation("Argsort") { (lowering, operation) throws(FormatError) in
      [try sorted(&lowering, operation)[1]]
    },
    KerasOperation("Sparsemax") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(isFloat: true, of: operation)
      let axis = try operation.axis(operation.int("axis") ?? -1, rank: rank)
      return [try lowering.sparsemax(x, axis: axis, rank: rank, in: operation.call)]
    },
    KerasOperation("Cumsum") { (lowering, operation) throws(FormatError) in
      var (x, rank) = try lowering.ranked(of: operation)
      let call = operation.call
      if let type = try operation.elementType() { x = try lowering.cast(x, to: type, in: call) }
      if x.elementType == .bool { x = try lowering.cast(x, to: .int32, in: call) }
      var axis = 0
      if let stated = try operation.int("axis") {
        axis = try operation.axis(stated, rank: rank)
      } else {
        x = try lowering.flat(x, in: call)
      }
      let place = lowering.constant(Tensor([Int64(axis)], shape: []), "axis", in: call)
      return [try lowering.add("CumSum", [x, place], in: call)]
    },
  ]

  /// Ascending values and their places.
  private static func sorted(_ lowering: inout Lowering, _ operation: OperationCall) throws(FormatError)
    -> [LoweredValue]
  {
    var (x, rank) = try lowering.ranked(of: operation)
    var axis = rank - 1
    if operation.call.configuration.json["axis"]?.isNull == true {
      x = try lowering.flat(x, in: operation.call)
      axis = 0
    } else if let stated = try operation.int("axis") {
      axis = try operation.axis(stated, rank: rank)
    }
    guard let count = x.shape?[axis].value else {
      throw operation.error(.unsupported, "the axis that it sorts has no fixed extent")
    }
    return try lowering.sorted(x, count: count, axis: axis, largest: false, in: operation.call)
  }
}

extension Lowering {
  /// The place of an extreme along an axis, in 32 bits.
  fileprivate mutating func place(
    _ operatorType: String, _ value: LoweredValue, axis: Int, keeps: Bool, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let place = try add(
      operatorType, [value], in: call,
      attributes: [Attribute("axis", .int(Int64(axis))), Attribute("keepdims", .int(keeps ? 1 : 0))])
    return try cast(place, to: .int32, in: call)
  }

  /// The first elements in order along an axis and their places, in 32 bits.
  mutating func sorted(
    _ value: LoweredValue, count: Int, axis: Int, largest: Bool, in call: LayerCall
  ) throws(FormatError) -> [LoweredValue] {
    let outputs = try addAll(
      "TopK", [value, integers([count], "k", in: call)], outputs: 2, in: call,
      attributes: [Attribute("axis", .int(Int64(axis))), Attribute("largest", .int(largest ? 1 : 0))])
    return [outputs[0], try cast(outputs[1], to: .int32, in: call)]
  }

  /// Keras's sparsemax: `max(x - tau, 0)` with `tau = (s - 1) / k`, where k elements are in the support and s is the sum
  /// of their running sums. (The sparsemax of Martins and Astudillo 2016 has the last running sum for s.)
  mutating func sparsemax(_ x: LoweredValue, axis: Int, rank: Int, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    guard let count = x.shape?[axis].value, count > 0 else {
      throw call.error(.unsupported, "the axis of sparsemax has no fixed extent")
    }
    guard count <= limits.freelyExpandedBytes / MemoryLayout<Double>.stride else {
      throw call.error(.limit, "the axis of sparsemax has \(count) places")
    }
    let descending = try sorted(x, count: count, axis: axis, largest: true, in: call)[0]
    let place = constant(Tensor([Int64(axis)], shape: []), "axis", in: call)
    let one = try number(1, "one", like: x, in: call)
    let sums = try add("CumSum", [descending, place], in: call)
    var shape = [Int](repeating: 1, count: rank)
    shape[axis] = count
    let ranks = try Tensor((1...count).map(Double.init), shape: shape).converted(to: x.elementType ?? .float32)
    let thresholds = try add("Div", [add("Sub", [sums, one], in: call), constant(ranks, "ranks", in: call)], in: call)
    let isSupport = try add("Greater", [descending, thresholds], in: call)
    let counted = try cast(isSupport, to: x.elementType ?? .float32, in: call, suffix: "support")
    let size = try reduce("ReduceSum", counted, [axis], true, in: call)
    let total = try reduce("ReduceSum", add("Mul", [sums, counted], in: call), [axis], true, in: call)
    let tau = try add("Div", [add("Sub", [total, one], in: call), size], in: call)
    return try add("Relu", [add("Sub", [x, tau], in: call)], in: call)
  }
}
