import OrderedCollections

/// How many elements a layer adds or takes away in front of and behind each axis between batch and channels.
private struct Margins {
  /// For each axis, what stands in front and behind.
  let pairs: [(front: Int, back: Int)]
  /// The first of these axes.
  let firstAxis: Int

  /// Reads a number for all axes, one for each, or a pair for each.
  init(_ key: String, _ call: LayerCall, rank: Int) throws(FormatError) {
    let count = call.layer.className.dropLast().last?.wholeNumberValue ?? 0
    guard rank == count + 2 else { throw call.error(.mismatch, "it cannot change an input with \(rank) axes") }
    let malformed = call.configuration.unreadable(key, "a number or a list of numbers or pairs, none below zero")
    guard let json = call.configuration[key] else { throw malformed }
    var pairs: [(front: Int, back: Int)] = []
    if let number = json.int {
      pairs = Array(repeating: (number, number), count: count)
    } else if count == 1, let pair = json.ints, pair.count == 2 {
      pairs = [(pair[0], pair[1])]
    } else {
      for element in json.array ?? [] {
        if let number = element.int {
          pairs.append((number, number))
        } else if let pair = element.ints, pair.count == 2 {
          pairs.append((pair[0], pair[1]))
        }
      }
    }
    guard pairs.count == count,
      pairs.allSatisfy({ (0...1 << 30).contains($0.front) && (0...1 << 30).contains($0.back) })
    else { throw malformed }
    self.pairs = pairs
    firstAxis = call.configuration.string("data_format") == "channels_first" ? 2 : 1
  }

  /// The same as a configuration states it.
  static func json(_ pairs: [(front: Int, back: Int)]) -> JSONValue {
    let lists = pairs.map { JSONValue.array([.int($0.front), .int($0.back)]) }
    return lists.count == 1 ? lists[0] : .array(lists)
  }
}

/// `ZeroPadding` in one to three dimensions.
enum ZeroPaddingRule: LayerRule {
  static let classNames = ["ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let margins = try Margins("padding", call, rank: rank)
    var (front, back) = (Array(repeating: 0, count: rank), Array(repeating: 0, count: rank))
    for (index, pair) in margins.pairs.enumerated() {
      (front[margins.firstAxis + index], back[margins.firstAxis + index]) = pair
    }
    return [
      try lowering.add("Pad", [input, lowering.integers(front + back, "pads", in: call)], in: call)
    ]
  }
}

/// `Cropping` in one to three dimensions.
enum CroppingRule: LayerRule {
  static let classNames = ["Cropping1D", "Cropping2D", "Cropping3D"]
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let margins = try Margins("cropping", call, rank: rank)
    for (index, pair) in margins.pairs.enumerated() {
      if let extent = input.shape?[margins.firstAxis + index].value, pair.front + pair.back >= extent {
        throw call.error(.mismatch, "it leaves nothing of an axis of \(extent)")
      }
    }
    let axes = margins.pairs.indices.map { $0 + margins.firstAxis }
    let ends = margins.pairs.map { $0.back == 0 ? Int(Int32.max) : -$0.back }
    return [
      try lowering.add(
        "Slice",
        [
          input, lowering.integers(margins.pairs.map(\.front), "starts", in: call),
          lowering.integers(ends, "ends", in: call), lowering.integers(axes, "axes", in: call),
        ], in: call)
    ]
  }
}

extension ZeroPaddingRule: RaisingRule {
  static let operators: Set = ["Pad"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let rank = raising.shape(node.inputs[0])?.rank, (3...5).contains(rank),
      node.text("mode", default: "constant") == "constant", let value = raising.values[node.inputs[0]],
      !value.isCollapsed, node.inputs.count < 4 || node.inputs[3].isEmpty,
      let pads = node.ints("pads") ?? raising.integers(node, 1), pads.count == 2 * rank
    else { return false }
    if node.inputs.count > 2, !node.inputs[2].isEmpty, raising.numbers(node, 2)?.allSatisfy({ $0 == 0 }) != true {
      return false
    }
    guard node.float("value", default: 0) == 0, pads.allSatisfy({ $0 >= 0 }) else { return false }
    let pairs = (0..<rank).map { (front: pads[$0], back: pads[$0 + rank]) }
    guard pairs[0] == (0, 0) else { throw raising.error(node, "it pads the batch") }
    let isLast = pairs[rank - 1] == (0, 0)
    // Keras 2 pads steps in the middle alone.
    let knowsFormats = rank > 3 || raising.generation >= 3
    guard isLast || pairs[1] == (0, 0) && knowsFormats else { return false }
    var configuration: OrderedDictionary<String, JSONValue> = [
      "padding": Margins.json(Array(isLast ? pairs[1..<rank - 1] : pairs[2...]))
    ]
    if knowsFormats { configuration["data_format"] = isLast ? "channels_last" : "channels_first" }
    raising.emit("ZeroPadding\(rank - 2)D", configuration, inputs: [value], as: node.outputs[0], of: node)
    return true
  }
}

extension CroppingRule: RaisingRule {
  static let operators: Set = ["Slice"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let shape = raising.shape(node.inputs[0]), (3...5).contains(shape.rank),
      let value = raising.values[node.inputs[0]], !value.isCollapsed,
      let range = ConstantSlice(node, rank: shape.rank, raising), range.steps.allSatisfy({ $0 == 1 })
    else { return false }
    var pairs = Array(repeating: (front: 0, back: 0), count: shape.rank)
    for (index, axis) in range.axes.enumerated() {
      guard pairs.indices.contains(axis) else { return false }
      let (start, end) = (range.starts[index], range.ends[index])
      if let extent = shape[axis].value {
        let last = min(max(end < 0 ? end + extent : end, 0), extent)
        pairs[axis] = (min(max(start < 0 ? start + extent : start, 0), extent), extent - last)
      } else {
        guard start >= 0, (-1 << 30..<0).contains(end) || end >= Int(Int32.max) else { return false }
        pairs[axis] = (start, end < 0 ? -end : 0)
      }
    }
    guard pairs[0] == (0, 0) else { throw raising.error(node, "it cuts the batch") }
    let isLast = pairs[shape.rank - 1] == (0, 0)
    // Only the layers of images know of channels in front.
    guard isLast || pairs[1] == (0, 0) && shape.rank > 3 else { return false }
    var configuration: OrderedDictionary<String, JSONValue> = [
      "cropping": Margins.json(Array(isLast ? pairs[1..<shape.rank - 1] : pairs[2...]))
    ]
    if shape.rank > 3 { configuration["data_format"] = isLast ? "channels_last" : "channels_first" }
    raising.emit("Cropping\(shape.rank - 2)D", configuration, inputs: [value], as: node.outputs[0], of: node)
    return true
  }
}
