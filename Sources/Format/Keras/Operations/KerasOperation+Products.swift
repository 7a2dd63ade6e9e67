/// Products of matrices and sums of products.
extension KerasOperation {
  static let products: [KerasOperation] = [
    product("Matmul") { (lowering, a, b, _, call) throws(FormatError) in try lowering.add("MatMul", [a, b], in: call) },
    // The last axis of the first operand with the last but one of the second.
    product("Dot") { (lowering, a, b, ranks, call) throws(FormatError) in
      if ranks.0 == 0 || ranks.1 == 0 { return try lowering.add("Mul", [a, b], in: call) }
      if ranks.1 <= 2 { return try lowering.add("MatMul", [a, b], in: call) }
      return try lowering.contract(a, b, ranks, axes: ([ranks.0 - 1], [ranks.1 - 2]), in: call)
    },
    product("Inner") { (lowering, a, b, ranks, call) throws(FormatError) in
      if ranks.0 == 0 || ranks.1 == 0 { return try lowering.add("Mul", [a, b], in: call) }
      return try lowering.contract(a, b, ranks, axes: ([ranks.0 - 1], [ranks.1 - 1]), in: call)
    },
    product("Outer") { (lowering, a, b, _, call) throws(FormatError) in
      let column = try lowering.add("Reshape", [a, lowering.integers([-1, 1], "column", in: call)], in: call)
      let row = try lowering.add("Reshape", [b, lowering.integers([1, -1], "row", in: call)], in: call)
      return try lowering.add("Mul", [column, row], in: call)
    },
    product("Vdot") { (lowering, a, b, _, call) throws(FormatError) in
      try lowering.add("MatMul", [lowering.flat(a, in: call), lowering.flat(b, in: call)], in: call)
    },
    KerasOperation("Tensordot", parameters: operands) { (lowering, operation) throws(FormatError) in
      let (pair, ranks, type) = try factors(&lowering, operation)
      let value = try lowering.contract(
        pair[0], pair[1], ranks, axes: contraction(operation, ranks), in: operation.call)
      return [try lowering.cast(value, to: type, in: operation.call)]
    },
    KerasOperation("Einsum", parameters: (0..<16).map { "x\($0)" }) { (lowering, operation) throws(FormatError) in
      guard let equation = operation["subscripts"]?.json?.string else {
        throw operation.error(.malformed, "it has no subscripts")
      }
      let names = (0..<16).map { "x\($0)" }.filter { operation[$0] != nil }
      let values = try lowering.promoted(names, of: operation)
      return [
        try lowering.add(
          "Einsum", values, in: operation.call, attributes: [Attribute("equation", .text(equation))])
      ]
    },
  ]

  private typealias Product =
    @Sendable (inout Lowering, LoweredValue, LoweredValue, (Int, Int), LayerCall)
    throws(FormatError) -> LoweredValue

  /// A product of two tensors. Integers are multiplied as floating-point numbers, as Keras does it.
  private static func product(_ name: String, _ body: @escaping Product) -> KerasOperation {
    KerasOperation(name, parameters: operands) { (lowering, operation) throws(FormatError) in
      let (pair, ranks, type) = try factors(&lowering, operation)
      let value = try body(&lowering, pair[0], pair[1], ranks, operation.call)
      return [try lowering.cast(value, to: type, in: operation.call)]
    }
  }

  /// Two factors as floating-point numbers, their ranks and the type of their product.
  private static func factors(_ lowering: inout Lowering, _ operation: OperationCall) throws(FormatError)
    -> (pair: [LoweredValue], ranks: (Int, Int), type: ElementType)
  {
    let pair = try lowering.promoted(operands, of: operation)
    guard let first = pair[0].rank, let second = pair[1].rank else {
      throw operation.error(.unsupported, "the shape of an operand is not known")
    }
    var type = pair[0].elementType ?? .float32
    var wide = pair
    if !type.isFloatingPoint {
      wide = []
      for value in pair { wide.append(try lowering.cast(value, to: .float32, in: operation.call)) }
      if type == .int8 { type = .int32 }
    }
    return (wide, (first, second), type)
  }

  /// The axes that are summed: the last of the one and the first of the other, or two lists.
  private static func contraction(_ operation: OperationCall, _ ranks: (Int, Int)) throws(FormatError) -> (
    [Int], [Int]
  ) {
    let json = operation["axes"]?.json ?? 2
    if let count = json.int {
      guard (0...min(ranks.0, ranks.1)).contains(count) else {
        throw operation.error(.mismatch, "\(count) axes cannot be summed")
      }
      return (Array(ranks.0 - count..<ranks.0), Array(0..<count))
    }
    guard let left = json[0].flatMap({ $0.ints ?? $0.int.map { [$0] } }),
      let right = json[1].flatMap({ $0.ints ?? $0.int.map { [$0] } }), left.count == right.count
    else { throw operation.error(.malformed, "its axes are no two lists of one length") }
    return (
      try left.mapTyped { (axis) throws(FormatError) in try operation.axis(axis, rank: ranks.0) },
      try right.mapTyped { (axis) throws(FormatError) in try operation.axis(axis, rank: ranks.1) }
    )
  }
}

extension Lowering {
  /// The sum of products over pairs of axes; what is left of the first operand stands before what is left of the second.
  mutating func contract(
    _ a: LoweredValue, _ b: LoweredValue, _ ranks: (Int, Int), axes: ([Int], [Int]), in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    guard ranks.0 + ranks.1 <= 26 else { throw call.error(.limit, "its operands have too many axes") }
    let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
    let left = Array(letters[0..<ranks.0])
    var right = Array(letters[ranks.0..<ranks.0 + ranks.1])
    for (first, second) in zip(axes.0, axes.1) { right[second] = left[first] }
    let rest =
      left.indices.filter { !axes.0.contains($0) }.map { left[$0] }
      + right.indices.filter { !axes.1.contains($0) }.map { right[$0] }
    let equation = "\(left.joined()),\(right.joined())->\(rest.joined())"
    return try add("Einsum", [a, b], in: call, attributes: [Attribute("equation", .text(equation))])
  }
}
