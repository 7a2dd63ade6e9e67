import OrderedCollections

/// `GlobalAveragePooling` and `GlobalMaxPooling` in one to three dimensions: the mean or maximum over all axes but batch
/// and channels.
enum GlobalPoolingRule: LayerRule {
  static let classNames =
    (1...3).flatMap {
      ["GlobalAveragePooling\($0)D", "GlobalMaxPooling\($0)D", "GlobalAvgPool\($0)D", "GlobalMaxPool\($0)D"]
    }
  static let usesMask = true

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    guard rank == (call.layer.className.dropLast().last?.wholeNumberValue ?? 0) + 2 else {
      throw call.error(.mismatch, "it cannot pool an input with \(rank) axes")
    }
    let isChannelsFirst = call.configuration.string("data_format") == "channels_first"
    let axes = Array(isChannelsFirst ? 2..<rank : 1..<rank - 1)
    let keepsAxes = try call.configuration.bool("keepdims", default: false)
    return [
      try lowering.add(
        call.layer.className.contains("Max") ? "ReduceMax" : "ReduceMean",
        [input, lowering.integers(axes, "axes", in: call)], in: call,
        attributes: [Attribute("keepdims", .int(keepsAxes ? 1 : 0))])
    ]
  }
}

extension GlobalPoolingRule: RaisingRule {
  static let operators: Set = ["ReduceMean", "ReduceMax", "GlobalAveragePool", "GlobalMaxPool"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let rank = raising.shape(node.inputs[0])?.rank, (3...5).contains(rank),
      let value = raising.values[node.inputs[0]], !value.isCollapsed
    else { return false }
    let isWhole = node.operatorType.hasPrefix("Global")
    let stated = node.ints("axes") ?? raising.integers(node, 1)
    let axes = isWhole ? Array(2..<rank) : (stated ?? []).map { $0 < 0 ? $0 + rank : $0 }.sorted()
    guard axes == Array(1..<rank - 1) || axes == Array(2..<rank) else { return false }
    let kind = node.operatorType.contains("Max") ? "GlobalMaxPooling" : "GlobalAveragePooling"
    raising.emit(
      "\(kind)\(rank - 2)D",
      [
        "data_format": axes[0] == 1 ? "channels_last" : "channels_first",
        "keepdims": .bool(isWhole || node.int("keepdims", default: 1) != 0),
      ], inputs: [value], as: node.outputs[0], of: node)
    return true
  }
}
