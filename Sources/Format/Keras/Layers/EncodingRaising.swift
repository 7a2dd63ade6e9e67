import OrderedCollections

/// Comparisons of a value with a list of constants along a new last axis: encodings and bins.
enum EncodingRaising: RaisingRule {
  static let operators: Set = ["Unsqueeze", "Equal", "OneHot"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    if node.operatorType == "OneHot" { return try raiseOneHot(node, &raising) }
    var nodes: [Node] = []
    var comparison = node
    if node.operatorType == "Unsqueeze" {
      guard let rank = raising.shape(node.inputs[0])?.rank,
        let axes = node.ints("axes") ?? raising.integers(node, 1),
        axes == [-1] || axes == [rank], let next = raising.soleConsumer(of: node.outputs[0])
      else { return false }
      nodes.append(node)
      comparison = next
    } else if raising.shape(node.inputs[0])?.dimensions.last?.value != 1 {
      return false
    }
    guard let value = raising.values[node.inputs[0]], !value.isCollapsed, comparison.inputs.count == 2,
      comparison.inputs[0] == (nodes.first?.outputs[0] ?? node.inputs[0]),
      let tensor = raising.constant(comparison, 1), tensor.shape.count == 1, let list = raising.numbers(comparison, 1),
      var cast = raising.soleConsumer(of: comparison.outputs[0])
    else { return false }
    nodes.append(comparison)
    var condition = comparison.operatorType
    if cast.operatorType == "Not", let next = raising.soleConsumer(of: cast.outputs[0]) {
      condition = condition == "Less" ? "GreaterOrEqual" : ""
      nodes.append(cast)
      cast = next
    }
    guard cast.operatorType == "Cast" else { return false }
    nodes.append(cast)
    switch condition {
    case "Equal":
      guard list == list.indices.map(Double.init) else { return false }
      return try encode(value, node, nodes, depth: list.count, as: cast.outputs[0], &raising)
    case "GreaterOrEqual": return discretize(value, node, nodes, boundaries: list, as: cast.outputs[0], &raising)
    default: return false
    }
  }

  /// `OneHot` with zeros and ones along the last axis.
  private static func raiseOneHot(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let rank = raising.shape(node.inputs[0])?.rank, let depth = raising.numbers(node, 1)?.first,
      let width = Int(exactly: depth), raising.numbers(node, 2) == [0, 1], let value = raising.values[node.inputs[0]],
      [-1, rank].contains(node.int("axis", default: -1)), raising.shape(node.inputs[0])?.dimensions.last?.value != 1
    else { return false }
    return try encode(value, node, [node], depth: width, as: node.outputs[0], &raising)
  }

  private static func encode(
    _ value: RaisedValue, _ node: Node, _ first: [Node], depth: Int, as rows: String, _ raising: inout Raising
  ) throws(FormatError) -> Bool {
    var nodes = first
    guard raising.elementType(rows).isFloatingPoint else { return false }
    var (mode, output) = (CategoryMode.oneHot, rows)
    if let reduction = raising.soleConsumer(of: rows), ["ReduceMax", "ReduceSum"].contains(reduction.operatorType),
      reduction.int("keepdims", default: 1) == 0, raising.shape(rows)?.rank == 3,
      [[-2], [1]].contains(reduction.ints("axes") ?? raising.integers(reduction, 1))
    {
      (mode, output) = (reduction.operatorType == "ReduceMax" ? .multiHot : .count, reduction.outputs[0])
      nodes.append(reduction)
    }
    // Keras 2 gives no more than two axes.
    guard raising.generation >= 3 || raising.shape(output)?.rank == 2 else { return false }
    for part in nodes { raising.absorb(part) }
    let layer = raising.layers[value.layer]
    if raising.useCount(node.inputs[0]) == 1, indexCount(layer) == depth {
      raising.layers[value.layer].configuration["output_mode"] = .string(mode.rawValue)
      raising.layers[value.layer].elementType = raising.elementType(output)
      raising.layers[value.layer].outputShape =
        [nil] + (raising.shape(output)?.dimensions ?? []).dropFirst().map(\.value)
      raising.values[output] = value
      return true
    }
    raising.emit(
      "CategoryEncoding", ["num_tokens": .int(depth), "output_mode": .string(mode.rawValue)], inputs: [value],
      as: output, of: node)
    return true
  }

  /// How many indices a layer gives that may encode them itself.
  private static func indexCount(_ layer: RaisedLayer) -> Int? {
    guard layer.configuration["output_mode"] == "int" else { return nil }
    if layer.className == "Discretization" { return layer.configuration["bin_boundaries"]?.array.map { $0.count + 1 } }
    guard layer.className == "IntegerLookup", layer.configuration["mask_token"] == .null,
      let unknown = layer.configuration["num_oov_indices"]?.int
    else { return nil }
    return layer.configuration["vocabulary"]?.array.map { $0.count + unknown }
  }

  private static func discretize(
    _ value: RaisedValue, _ node: Node, _ nodes: [Node], boundaries: [Double], as reached: String,
    _ raising: inout Raising
  ) -> Bool {
    guard let sum = sumOverLastAxis(reached, raising), raising.elementType(sum.outputs[0]).isInteger else {
      return false
    }
    for part in nodes + [sum] { raising.absorb(part) }
    var output = sum.outputs[0]
    if let cast = raising.soleConsumer(of: output), cast.operatorType == "Cast",
      cast.elementType("to", default: .float32)?.isInteger == true
    {
      raising.absorb(cast)
      output = cast.outputs[0]
    }
    raising.emit(
      "Discretization",
      ["bin_boundaries": .array(boundaries.map { Raising.json([$0]) }), "output_mode": "int"], inputs: [value],
      as: output, of: node)
    return true
  }

  private static func sumOverLastAxis(_ name: String, _ raising: Raising) -> Node? {
    guard let sum = raising.soleConsumer(of: name), sum.operatorType == "ReduceSum",
      sum.int("keepdims", default: 1) == 0,
      let rank = raising.shape(name)?.rank,
      [[-1], [rank - 1]].contains(sum.ints("axes") ?? raising.integers(sum, 1))
    else { return nil }
    return sum
  }
}
