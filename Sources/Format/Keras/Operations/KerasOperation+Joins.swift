/// Operations that join, divide, repeat and extend tensors.
extension KerasOperation {
  static let joins: [KerasOperation] = [
    KerasOperation("Concatenate", parameters: ["xs"]) { (lowering, operation) throws(FormatError) in
      let (values, rank) = try list(&lowering, operation)
      let axis = try operation.axis(operation.int("axis") ?? 0, rank: rank)
      return [try lowering.concatenate(values, axis: axis, in: operation.call)]
    },
    KerasOperation("Stack", parameters: ["x"]) { (lowering, operation) throws(FormatError) in
      let (values, rank) = try list(&lowering, operation, "x")
      let axis = try operation.axis(operation.int("axis") ?? 0, rank: rank + 1)
      return [try lowering.stacked(values, axis: axis, in: operation.call)]
    },
    KerasOperation("Vstack", parameters: ["xs"]) { (lowering, operation) throws(FormatError) in
      let (values, rank) = try list(&lowering, operation)
      guard rank > 1 else { return [try lowering.stacked(values, axis: 0, in: operation.call)] }
      return [try lowering.concatenate(values, axis: 0, in: operation.call)]
    },
    KerasOperation("Hstack", parameters: ["xs"]) { (lowering, operation) throws(FormatError) in
      let (values, rank) = try list(&lowering, operation)
      return [try lowering.concatenate(values, axis: rank == 1 ? 0 : 1, in: operation.call)]
    },
    KerasOperation("Dstack", parameters: ["xs"]) { (lowering, operation) throws(FormatError) in
      let (values, rank) = try list(&lowering, operation)
      guard rank > 2 else { return [try lowering.stacked(values, axis: rank, in: operation.call)] }
      return [try lowering.concatenate(values, axis: 2, in: operation.call)]
    },
    KerasOperation("Split") { (lowering, operation) throws(FormatError) in
      try split(&lowering, operation, axis: operation.int("axis") ?? 0)
    },
    KerasOperation("Hsplit") { (lowering, operation) throws(FormatError) in
      try split(&lowering, operation, axis: 1)
    },
    KerasOperation("Vsplit") { (lowering, operation) throws(FormatError) in
      try split(&lowering, operation, axis: 0)
    },
    KerasOperation("Unstack") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      let axis = try operation.axis(operation.int("axis") ?? 0, rank: rank)
      let stated = try operation.int("num")
      guard let count = x.shape?[axis].value ?? stated, count > 0, count <= 1 << 16 else {
        throw operation.error(.unsupported, "the axis that it divides has no fixed extent")
      }
      let parts = try lowering.split(x, [Int](repeating: 1, count: count), axis: axis, in: operation.call)
      return try parts.mapTyped { (part) throws(FormatError) in
        try lowering.add(
          "Squeeze", [part, lowering.integers([axis], "axes", in: operation.call)], in: operation.call)
      }
    },
    KerasOperation("Tile") { (lowering, operation) throws(FormatError) in
      var (x, rank) = try lowering.ranked(of: operation)
      guard var repeats = try operation.ints("repeats") else { throw operation.error(.malformed, "it has no repeats") }
      let call = operation.call
      if repeats.count > rank {
        let axes = lowering.integers(Array(0..<repeats.count - rank), "axes", in: call)
        x = try lowering.add("Unsqueeze", [x, axes], in: call)
      }
      repeats = [Int](repeating: 1, count: max(0, rank - repeats.count)) + repeats
      return [try lowering.add("Tile", [x, lowering.integers(repeats, "repeats", in: call)], in: call)]
    },
    KerasOperation("Repeat") { (lowering, operation) throws(FormatError) in
      var (x, rank) = try lowering.ranked(of: operation)
      let call = operation.call
      var axis = 0
      if let stated = try operation.int("axis") {
        axis = try operation.axis(stated, rank: rank)
      } else {
        x = try lowering.flat(x, in: call)
      }
      guard let repeats = try operation.ints("repeats"), repeats.allSatisfy({ (0...1 << 16).contains($0) }),
        let extent = x.shape?[axis].value, (0...1 << 20).contains(extent), repeats.count == 1 || repeats.count == extent
      else { throw operation.error(.unsupported, "what it repeats has no fixed extent") }
      var indices: [Int] = []
      for place in 0..<extent {
        indices += [Int](repeating: place, count: repeats[repeats.count == 1 ? 0 : place])
        guard indices.count <= 1 << 22 else { throw operation.error(.limit, "it repeats too many elements") }
      }
      return [try lowering.gather(x, lowering.integers(indices, "indices", in: call), axis: axis, in: call)]
    },
    KerasOperation("Pad", parameters: ["x", "constant_values"]) { (lowering, operation) throws(FormatError) in
      try pad(&lowering, operation)
    },
    KerasOperation("BroadcastTo") { (lowering, operation) throws(FormatError) in
      let x = try lowering.tensor(of: operation)
      // An extent of 1 takes that of the tensor.
      let shape = try lowering.extents("shape", of: operation) { _ in 1 }
      return [try lowering.add("Expand", [x, shape], in: operation.call)]
    },
    KerasOperation("Diff", parameters: ["a"]) { (lowering, operation) throws(FormatError) in
      var (a, rank) = try lowering.ranked("a", of: operation)
      let axis = try operation.axis(operation.int("axis") ?? -1, rank: rank)
      let times = try operation.int("n") ?? 1
      guard (0...64).contains(times) else { throw operation.error(.limit, "it takes differences \(times) times") }
      for _ in 0..<times {
        let later = try lowering.slice(a, [AxisSlice(axis: axis, start: 1, end: nil, step: 1)], in: operation.call)
        let earlier = try lowering.slice(a, [AxisSlice(axis: axis, start: nil, end: -1, step: 1)], in: operation.call)
        a = try lowering.add("Sub", [later, earlier], in: operation.call)
      }
      return [a]
    },
  ]

  /// The elements of a list in the type that Keras finds for them together, and their rank.
  private static func list(_ lowering: inout Lowering, _ operation: OperationCall, _ name: String = "xs")
    throws(FormatError) -> ([LoweredValue], rank: Int)
  {
    guard case .list(let elements) = operation[name], !elements.isEmpty else {
      throw operation.error(.mismatch, "its argument is no list of tensors")
    }
    var operands: [(name: String, operand: OperationOperand)] = []
    for (index, element) in elements.enumerated() {
      let part = OperationCall(operation.call, arguments: ["\(name)_\(index)": element])
      operands.append(("\(name)_\(index)", try lowering.operand("\(name)_\(index)", of: part)))
    }
    let values = try lowering.promoted(operands, in: operation)
    guard let rank = values[0].rank, values.allSatisfy({ $0.rank == rank }) else {
      throw operation.error(.mismatch, "its tensors differ in the number of axes")
    }
    return (values, rank)
  }

  /// Into so many parts of one extent, or at the places that are listed.
  private static func split(_ lowering: inout Lowering, _ operation: OperationCall, axis: Int) throws(FormatError)
    -> [LoweredValue]
  {
    let (x, rank) = try lowering.ranked(of: operation)
    let axis = try operation.axis(axis, rank: rank)
    guard let extent = x.shape?[axis].value else {
      throw operation.error(.unsupported, "the axis that it divides has no fixed extent")
    }
    var extents: [Int] = []
    if let sizes = try operation.ints("sizes") {
      let rest = Dimension.known(extent).minus(Dimension.sum(sizes.filter { $0 >= 0 }.map(Dimension.known)) ?? .unknown)
      extents = sizes.map { $0 < 0 ? rest.value ?? -1 : $0 }
    } else if let count = operation["indices_or_sections"]?.json?.int {
      guard count > 0, count <= 1 << 16, extent % count == 0 else {
        throw operation.error(.mismatch, "an extent of \(extent) has no \(count) equal parts")
      }
      extents = [Int](repeating: extent / count, count: count)
    } else if let stated = try operation.ints("indices_or_sections") {
      let places = [0] + stated.map { min(max($0 < 0 ? $0 + extent : $0, 0), extent) } + [extent]
      extents = zip(places, places.dropFirst()).map { max(0, $1 - $0) }
    }
    guard !extents.isEmpty, extents.allSatisfy({ $0 >= 0 }),
      Dimension.sum(extents.map(Dimension.known)) == .known(extent)
    else {
      throw operation.error(.mismatch, "it does not divide an extent of \(extent)")
    }
    return try lowering.split(x, extents, axis: axis, in: operation.call)
  }

  private static func pad(_ lowering: inout Lowering, _ operation: OperationCall) throws(FormatError) -> [LoweredValue]
  {
    let (x, rank) = try lowering.ranked(of: operation)
    guard let argument = operation["pad_width"]?.json else { throw operation.error(.malformed, "it has no pad_width") }
    var widths: [[Int]] = []
    if let width = argument.int {
      widths = [[width, width]]
    } else if let pair = argument.ints {
      widths = [pair.count == 1 ? [pair[0], pair[0]] : pair]
    } else {
      widths = (argument.array ?? []).compactMap(\.ints).map { $0.count == 1 ? [$0[0], $0[0]] : $0 }
    }
    if widths.count == 1, rank > 1 { widths = [[Int]](repeating: widths[0], count: rank) }
    guard widths.count == rank, widths.allSatisfy({ $0.count == 2 }) else {
      throw operation.error(.mismatch, "pad_width does not fit \(rank) axes")
    }
    let modes = ["constant": "constant", "reflect": "reflect", "edge": "edge"]
    guard let mode = modes[operation["mode"]?.json?.string?.lowercased() ?? "constant"] else {
      throw operation.error(.unsupported, "its mode \(operation["mode"]?.json?.text() ?? "") cannot be run")
    }
    let pads = lowering.integers(widths.map { $0[0] } + widths.map { $0[1] }, "pads", in: operation.call)
    var inputs = [x, pads]
    if operation["constant_values"] != nil, mode == "constant" {
      inputs.append(
        try lowering.value(
          lowering.operand("constant_values", of: operation), as: x.elementType ?? .float32, "constant_values",
          in: operation))
    }
    return [try lowering.add("Pad", inputs, in: operation.call, attributes: [Attribute("mode", .text(mode))])]
  }

  /// Tensors with the shape of another.
  static let fillings: [KerasOperation] = [
    filling("ZerosLike", 0), filling("OnesLike", 1), filling("EmptyLike", 0), filling("FullLike", nil),
  ]

  private static func filling(_ name: String, _ number: Double?) -> KerasOperation {
    KerasOperation(name, parameters: ["x", "fill_value"]) { (lowering, operation) throws(FormatError) in
      let x = try lowering.tensor(of: operation)
      let type = try operation.elementType() ?? x.elementType ?? .float32
      let value: LoweredValue
      if let number {
        value = try lowering.number(number, "value", as: type, in: operation.call)
      } else {
        value = try lowering.value(lowering.operand("fill_value", of: operation), as: type, "fill_value", in: operation)
      }
      let shape = try lowering.add("Shape", [x], in: operation.call)
      return [try lowering.add("Expand", [value, shape], in: operation.call)]
    }
  }
}

extension Lowering {
  /// Values along a new axis.
  mutating func stacked(_ values: [LoweredValue], axis: Int, in call: LayerCall) throws(FormatError) -> LoweredValue {
    let axes = integers([axis], "axes", in: call)
    var parts: [LoweredValue] = []
    for value in values { parts.append(try add("Unsqueeze", [value, axes], in: call)) }
    return try concatenate(parts, axis: axis, in: call)
  }
}
