import OrderedCollections

/// `UpSampling` in one to three dimensions: every step several times in a row.
enum UpSamplingRule: LayerRule {
  static let classNames = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let count = call.layer.className.dropLast().last?.wholeNumberValue ?? 0
    guard rank == count + 2 else { throw call.error(.mismatch, "it cannot repeat an input with \(rank) axes") }
    let interpolation = call.configuration.string("interpolation") ?? "nearest"
    guard interpolation == "nearest" else {
      throw call.error(
        .unsupported, "its interpolation \"\(interpolation)\" is not run", advice: "Use interpolation=\"nearest\"")
    }
    let stated = try call.configuration.ints("size", "length") ?? [2]
    let sizes = stated.count == 1 ? Array(repeating: stated[0], count: count) : stated
    guard sizes.count == count, sizes.allSatisfy({ (1...1 << 20).contains($0) }) else {
      throw call.configuration.unreadable("size", "\(count) positive numbers")
    }
    let firstAxis = call.configuration.string("data_format") == "channels_first" ? 2 : 1
    var value = input
    // The last axis first, so that those behind it have their final extents.
    for (index, size) in sizes.enumerated().reversed() where size > 1 || sizes.allSatisfy({ $0 == 1 }) {
      value = try repeated(value, axis: firstAxis + index, count: size, call, &lowering)
    }
    return [value]
  }

  private static func repeated(
    _ value: LoweredValue, axis: Int, count: Int, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    guard let shape = value.shape else { throw call.error(.unsupported, "the shape of its input is not known") }
    let behind = shape.dimensions.dropFirst(axis + 1).map { $0.value ?? -1 }
    guard !behind.contains(-1) else {
      throw call.error(.unsupported, "an axis behind the repeated one has no fixed extent")
    }
    let column = try lowering.add(
      "Unsqueeze", [value, lowering.integers([axis + 1], "new_axis_\(axis)", in: call)], in: call)
    var repeats = Array(repeating: 1, count: shape.rank + 1)
    repeats[axis + 1] = count
    let repeated = try lowering.add(
      "Expand", [column, lowering.integers(repeats, "repeats_\(axis)", in: call)], in: call)
    // Zeros copy the extents in front.
    let target = Array(repeating: 0, count: axis) + [-1] + behind
    return try lowering.add("Reshape", [repeated, lowering.integers(target, "shape_\(axis)", in: call)], in: call)
  }
}

extension UpSamplingRule: RaisingRule {
  static let operators: Set = ["Unsqueeze"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let shape = raising.shape(node.inputs[0]), (3...5).contains(shape.rank), var part = repetition(node, raising),
      let value = raising.values[node.inputs[0]], !value.isCollapsed
    else { return false }
    var sizes = Array(repeating: 1, count: shape.rank)
    while true {
      for absorbed in part.nodes { raising.absorb(absorbed) }
      sizes[part.axis] = part.count
      guard let next = raising.soleConsumer(of: part.output), let further = repetition(next, raising),
        further.axis != 0, sizes[further.axis] == 1, further.axis != shape.rank - 1 || sizes[1] == 1
      else { break }
      part = further
    }
    let isLast = sizes[shape.rank - 1] == 1
    guard isLast || shape.rank > 3 && sizes[1] == 1 else { return false }
    let list = Array(isLast ? sizes[1..<shape.rank - 1] : sizes[2...])
    var configuration: OrderedDictionary<String, JSONValue> = [
      "size": list.count == 1 ? .int(list[0]) : .array(list.map { .int($0) })
    ]
    if shape.rank > 3 { configuration["data_format"] = isLast ? "channels_last" : "channels_first" }
    raising.emit("UpSampling\(shape.rank - 2)D", configuration, inputs: [value], as: part.output, of: node)
    return true
  }

  /// A new axis, its expansion, and a reshaping that joins it with the one in front of it.
  private static func repetition(
    _ node: Node, _ raising: Raising
  ) -> (axis: Int, count: Int, nodes: [Node], output: String)? {
    guard node.operatorType == "Unsqueeze", let from = raising.shape(node.inputs[0]),
      let axes = node.ints("axes") ?? raising.integers(node, 1), axes.count == 1,
      case let axis = axes[0] < 0 ? axes[0] + from.rank : axes[0] - 1, (1..<from.rank).contains(axis),
      let expansion = raising.soleConsumer(of: node.outputs[0]), expansion.operatorType == "Expand",
      let repeats = raising.numbers(expansion, 1), repeats.count == from.rank + 1,
      let count = Int(exactly: repeats[axis + 1]),
      count > 0, repeats.enumerated().allSatisfy({ $0 == axis + 1 || $1 == 1 }),
      let reshape = raising.soleConsumer(of: expansion.outputs[0]), reshape.operatorType == "Reshape",
      let to = raising.shape(reshape.outputs[0]), to.rank == from.rank,
      from.dimensions.indices.allSatisfy({ index in
        if index == axis {
          return from[index].value.map { checkedProduct([$0, count]) == to[index].value } ?? (to[index].value == nil)
        }
        return index == 0 || from[index] == to[index]
      })
    else { return nil }
    return (axis, count, [node, expansion, reshape], reshape.outputs[0])
  }
}
