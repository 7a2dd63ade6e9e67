/// `Flatten`: everything behind the batch on one axis, channels last.
enum FlattenRule: LayerRule {
  static let classNames = ["Flatten"]
  static let castsInputs = false
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    var (value, rank) = try call.rankedInput()
    if rank == 1 {
      return [try lowering.add("Unsqueeze", [value, lowering.integers([1], "axes", in: call)], in: call)]
    }
    if call.configuration.string("data_format") == "channels_first", rank > 2 {
      value = try lowering.transpose(value, [0] + Array(2..<rank) + [1], in: call)
    }
    return [try lowering.add("Flatten", [value], in: call, attributes: [Attribute("axis", .int(1))])]
  }
}

/// `Reshape` of what is behind the batch; one extent may be -1.
enum ReshapeRule: LayerRule {
  static let classNames = ["Reshape"]
  static let castsInputs = false
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    guard let target = try call.configuration.ints("target_shape", "dims") else {
      throw call.error(.malformed, "it has no target_shape")
    }
    // An extent of 0 copies the batch.
    let shape = lowering.integers([0] + target, "shape", in: call)
    return [try lowering.add("Reshape", [call.input(), shape], in: call)]
  }
}

/// `Permute`: the axes behind the batch in another order, counted from 1.
enum PermuteRule: LayerRule {
  static let classNames = ["Permute"]
  static let castsInputs = false
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    guard let order = try call.configuration.ints("dims"), order.sorted() == Array(1..<max(rank, 1)) else {
      throw call.error(.mismatch, "dims is not an order of the \(rank - 1) axes behind the batch")
    }
    return [try lowering.transpose(input, [0] + order, in: call)]
  }
}

/// `RepeatVector`: each row of features `n` times along a new axis.
enum RepeatVectorRule: LayerRule {
  static let classNames = ["RepeatVector"]
  static let castsInputs = false
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let input = try call.input()
    guard input.rank == 2, let count = try call.configuration.int("n"), count > 0 else {
      throw call.error(.mismatch, "it needs an input with two axes and a positive n")
    }
    let column = try lowering.add("Unsqueeze", [input, lowering.integers([1], "axes", in: call)], in: call)
    return [try lowering.add("Expand", [column, lowering.integers([1, count, 1], "shape", in: call)], in: call)]
  }
}

extension Lowering {
  /// The value with its axes in another order.
  mutating func transpose(_ value: LoweredValue, _ order: [Int], in call: LayerCall) throws(FormatError) -> LoweredValue
  {
    try add("Transpose", [value], in: call, attributes: [Attribute("perm", .ints(order.map(Int64.init)))])
  }
}

extension FlattenRule: RaisingRule {
  static let operators: Set = ["Flatten"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let value = try raising.value(node, 0)
    guard let rank = raising.shape(node.inputs[0])?.rank, !value.isCollapsed else { return false }
    let stated = node.int("axis", default: 1)
    guard (stated < 0 ? stated + rank : stated) == 1 else {
      throw raising.error(node, "it joins the batch with other axes")
    }
    if rank == 2 {
      raising.values[node.outputs[0]] = value
    } else {
      raising.emit("Flatten", [:], inputs: [value], as: node.outputs[0], of: node)
    }
    return true
  }
}

extension PermuteRule: RaisingRule {
  static let operators: Set = ["Transpose"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let value = try raising.value(node, 0)
    guard let rank = raising.shape(node.inputs[0])?.rank, !value.isCollapsed else { return false }
    let order = node.ints("perm") ?? (0..<rank).reversed()
    guard order.first == 0 else { throw raising.error(node, "it moves the batch") }
    if order == Array(0..<rank) {
      raising.values[node.outputs[0]] = value
    } else {
      raising.emit(
        "Permute", ["dims": .array(order.dropFirst().map { .int($0) })], inputs: [value], as: node.outputs[0], of: node)
    }
    return true
  }
}

extension RepeatVectorRule: RaisingRule {
  static let operators: Set = ["Unsqueeze"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard raising.shape(node.inputs[0])?.rank == 2, raising.shape(node.outputs[0])?.dimensions[1] == .known(1),
      let expansion = raising.soleConsumer(of: node.outputs[0]), expansion.operatorType == "Expand",
      let extents = raising.numbers(expansion, 1), extents.count == 3, extents[0] == 1, extents[2] == 1, extents[1] > 0,
      let count = Int(exactly: extents[1])
    else { return false }
    raising.absorb(expansion)
    raising.emit(
      "RepeatVector", ["n": .int(count)], inputs: [try raising.value(node, 0)], as: expansion.outputs[0], of: node)
    return true
  }
}

extension ReshapeRule: RaisingRule {
  static let operators: Set = ["Reshape", "Squeeze", "Unsqueeze"]

  /// What inference knows of the two shapes tells what the node does, however the graph computes the target.
  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let value = try raising.value(node, 0)
    let output = node.outputs[0]
    guard let from = raising.shape(node.inputs[0]), let to = raising.shape(output), from.rank > 0, to.rank > 0 else {
      throw raising.error(node, "the shape it makes is not known")
    }
    if value.isCollapsed {
      // Back from the folded axes: the layers in between kept them apart.
      guard to.rank > 1, to.dimensions.last == from.dimensions.last else { return false }
      let isStillCollapsed = node.operatorType != "Reshape" || to.rank == 2
      raising.values[output] = RaisedValue(layer: value.layer, isCollapsed: isStillCollapsed)
      return true
    }
    if let result = stepped(value, from, to, raising) {
      raising.values[output] = result
      return true
    }
    let (inner, outer) = (from.dimensions.dropFirst(), to.dimensions.dropFirst())
    if inner.elementsEqual(outer), keepsBatch(node, from, to, raising) {
      raising.values[output] = value
      return true
    }
    if from.rank > 2, to.rank > 2, from[0] != .known(1), to.dimensions.last == from.dimensions.last,
      to.dimensions.dropLast(2).allSatisfy({ $0 == .known(1) })
    {
      raising.values[output] = RaisedValue(layer: value.layer, isCollapsed: true)
      return true
    }
    if from.rank > 2, to.rank == 2, to.dimensions.last == from.dimensions.last, from.dimensions.last?.value != nil,
      Shape(Array(inner)).elementCount != to[1].value
    {
      raising.values[output] = RaisedValue(layer: value.layer, isCollapsed: true)
      return true
    }
    guard keepsBatch(node, from, to, raising) else { throw raising.error(node, "it joins the batch with other axes") }
    if outer.count == 1, from.rank > 2 {
      raising.emit("Flatten", [:], inputs: [value], as: output, of: node)
      return true
    }
    guard outer.count(where: { $0.value == nil }) <= 1 else {
      throw raising.error(node, "more than one axis is not known")
    }
    let target = outer.map { $0.value.map(JSONValue.int) ?? .int(-1) }
    raising.emit("Reshape", ["target_shape": .array(target)], inputs: [value], as: output, of: node)
    return true
  }

  /// The value with its steps joined with the batch, or taken apart again.
  private static func stepped(_ value: RaisedValue, _ from: Shape, _ to: Shape, _ raising: Raising) -> RaisedValue? {
    let (inner, outer) = (from.dimensions, to.dimensions)
    if let steps = value.steps {
      let keepsFeatures = inner.dropFirst().elementsEqual(outer.dropFirst(2)) && outer.count == inner.count + 1
      guard keepsFeatures, steps.value == outer[1].value, steps.value != nil || value.steps == outer[1] else {
        return nil
      }
      return RaisedValue(layer: value.layer)
    }
    let isJoined =
      from.rank > 3 && to.rank == from.rank - 1 && inner.dropFirst(2).elementsEqual(outer.dropFirst())
      && Shape(Array(inner.dropFirst(2))).elementCount != nil && inner[0].value == nil && outer[0] != inner[0]
      && inner[1].value != 1
    return isJoined ? RaisedValue(layer: value.layer, steps: inner[1]) : nil
  }

  /// Whether the first axis stays: as inference or the target says it, or since all others hold as many elements.
  private static func keepsBatch(_ node: Node, _ from: Shape, _ to: Shape, _ raising: Raising) -> Bool {
    if from[0] == to[0], from[0] != .unknown { return true }
    let count = Shape(Array(from.dimensions.dropFirst())).elementCount
    if let count, count == Shape(Array(to.dimensions.dropFirst())).elementCount { return true }
    return node.operatorType == "Reshape" && raising.numbers(node, 1)?.first == 0
  }
}
