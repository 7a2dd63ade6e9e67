/// Layers that join their inputs element by element, with the shapes broadcast as Keras does it.
protocol MergeRule: LayerRule {
  /// The operator over all inputs, or over two at a time.
  static var operatorType: String { get }
  static var isVariadic: Bool { get }
  static var inputCount: ClosedRange<Int> { get }
}

extension MergeRule {
  static var isVariadic: Bool { true }
  static var inputCount: ClosedRange<Int> { 1...Int.max }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    guard inputCount.contains(call.inputs.count) else {
      throw call.error(.mismatch, "it cannot join \(call.inputs.count) inputs")
    }
    let inputs = try lowering.sameRank(call)
    if isVariadic { return [try lowering.add(operatorType, inputs, in: call)] }
    var value = inputs[0]
    for other in inputs.dropFirst() { value = try lowering.add(operatorType, [value, other], in: call) }
    return [value]
  }
}

/// `Add`: the sum of all inputs.
enum SumRule: MergeRule {
  static let classNames = ["Add"]
  static let operatorType = "Sum"
}

/// `Subtract`: the first input less the second.
enum SubtractRule: MergeRule {
  static let classNames = ["Subtract"]
  static let operatorType = "Sub"
  static let isVariadic = false
  static let inputCount = 2...2
}

/// `Multiply`: the product of all inputs.
enum MultiplyRule: MergeRule {
  static let classNames = ["Multiply"]
  static let operatorType = "Mul"
  static let isVariadic = false
}

/// `Average`: the mean of all inputs.
enum AverageRule: MergeRule {
  static let classNames = ["Average"]
  static let operatorType = "Mean"
}

/// `Maximum`: the largest of all inputs.
enum MaximumRule: MergeRule {
  static let classNames = ["Maximum"]
  static let operatorType = "Max"
}

/// `Minimum`: the smallest of all inputs.
enum MinimumRule: MergeRule {
  static let classNames = ["Minimum"]
  static let operatorType = "Min"
}

/// `Concatenate` along an axis.
enum ConcatenateRule: LayerRule {
  static let classNames = ["Concatenate"]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let axis = try call.configuration.int("axis", "concat_axis") ?? -1
    return [try lowering.add("Concat", call.inputs, in: call, attributes: [Attribute("axis", .int(Int64(axis)))])]
  }
}

/// `Dot`: the product of two inputs summed over one axis of each, sample by sample; normalised first on request.
enum DotRule: LayerRule {
  static let classNames = ["Dot"]
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    guard call.inputs.count == 2, let left = call.inputs.first, let right = call.inputs.last,
      let leftRank = left.rank, let rightRank = right.rank, leftRank >= 2, rightRank >= 2
    else { throw call.error(.mismatch, "it needs two inputs with two or more axes each") }
    let axes = try call.configuration.ints("axes", "dot_axes") ?? []
    guard let first = axes.first, let last = axes.last, axes.count <= 2 else {
      throw call.error(.malformed, "it has no axes")
    }
    let leftAxis = try call.axis(first, rank: leftRank)
    let rightAxis = try call.axis(last, rank: rightRank)
    guard leftAxis > 0, rightAxis > 0, leftRank <= 3, rightRank <= 3 else {
      throw call.error(.unsupported, "a product over the batch, or of more than three axes, has no operator")
    }
    let isNormalized = try call.configuration.bool("normalize", default: false)
    let a = try isNormalized ? normalized(left, axis: leftAxis, call, &lowering) : left
    let b = try isNormalized ? normalized(right, axis: rightAxis, call, &lowering) : right
    // Both as matrices for each sample, the summed axis last on the left and first on the right.
    let leftMatrix = try matrix(a, rank: leftRank, summed: leftAxis, summedLast: true, call, &lowering)
    let rightMatrix = try matrix(b, rank: rightRank, summed: rightAxis, summedLast: false, call, &lowering)
    let product = try lowering.add("MatMul", [leftMatrix, rightMatrix], in: call)
    var dropped = leftRank == 2 ? [1] : []
    // Two vectors for each sample leave one number, which keeps an axis.
    if rightRank == 2, leftRank == 3 { dropped.append(2) }
    guard !dropped.isEmpty else { return [product] }
    return [try lowering.add("Squeeze", [product, lowering.integers(dropped, "dropped", in: call)], in: call)]
  }

  /// A vector for each sample becomes a matrix of one row or column.
  private static func matrix(
    _ value: LoweredValue, rank: Int, summed: Int, summedLast: Bool, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    if rank == 2 {
      let axis = lowering.integers([summedLast ? 1 : 2], summedLast ? "row" : "column", in: call)
      return try lowering.add("Unsqueeze", [value, axis], in: call)
    }
    let isInPlace = summed == (summedLast ? 2 : 1)
    return isInPlace ? value : try lowering.transpose(value, [0, 2, 1], in: call)
  }

  /// `x / sqrt(max(sum(x²), 1e-12))` along an axis.
  private static func normalized(
    _ value: LoweredValue, axis: Int, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    let axes = lowering.integers([axis], "normalised_\(axis)", in: call)
    let sum = try lowering.add("ReduceSumSquare", [value, axes], in: call)
    let bounded = try lowering.add("Max", [sum, lowering.scalar(1e-12, "epsilon", like: value, in: call)], in: call)
    return try lowering.add("Div", [value, lowering.add("Sqrt", [bounded], in: call)], in: call)
  }
}

/// `Merge` of Keras 1, whose mode names what it does.
enum LegacyMergeRule: LayerRule {
  static let classNames = ["Merge"]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let rules: [String: any LayerRule.Type] = [
      "sum": SumRule.self, "mul": MultiplyRule.self, "ave": AverageRule.self, "max": MaximumRule.self,
      "concat": ConcatenateRule.self, "dot": DotRule.self,
    ]
    let mode = call.configuration.string("mode") ?? "sum"
    guard let rule = rules[mode] else { throw call.error(.unsupported, "its mode \"\(mode)\" cannot be run") }
    return try rule.lower(call, &lowering)
  }
}

extension Lowering {
  /// The inputs with as many axes each. Keras puts axes of extent 1 behind the batch of those that have fewer.
  mutating func sameRank(_ call: LayerCall) throws(FormatError) -> [LoweredValue] {
    let ranks = call.inputs.compactMap(\.rank)
    guard ranks.count == call.inputs.count, let highest = ranks.max() else {
      throw call.error(.unsupported, "the shape of an input is not known")
    }
    var values: [LoweredValue] = []
    for (value, rank) in zip(call.inputs, ranks) {
      guard rank < highest else {
        values.append(value)
        continue
      }
      let axes = integers(Array(1...highest - rank), "axes_\(highest - rank)", in: call)
      values.append(try add("Unsqueeze", [value, axes], in: call))
    }
    return values
  }
}

/// Operators over two or more values of the graph.
enum MergeRaising: RaisingRule {
  private static let classes = [
    "Add": "Add", "Sum": "Add", "Sub": "Subtract", "Mul": "Multiply", "Mean": "Average", "Max": "Maximum",
    "Min": "Minimum",
  ]
  static let operators = Set(classes.keys)

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let className = classes[node.operatorType], node.inputs.allSatisfy({ raising.isValue($0) }) else {
      return false
    }
    let inputs = try node.inputs.indices.map { $0 }.mapTyped { (index) throws(FormatError) in
      try raising.value(node, index)
    }
    if inputs.count == 1 {
      raising.values[node.outputs[0]] = inputs[0]
      return true
    }
    guard Set(node.inputs.map { raising.shape($0)?.rank }).count == 1 else {
      if raising.generation >= 3 { return false }
      throw raising.error(node, "it joins values with different numbers of axes")
    }
    guard Set(inputs.map(\.isCollapsed)).count == 1 else { throw raising.error(node, "it joins folded and other axes") }
    raising.emit(className, [:], inputs: inputs, as: node.outputs[0], of: node)
    return true
  }
}

extension ConcatenateRule: RaisingRule {
  static let operators: Set = ["Concat"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard node.inputs.allSatisfy({ raising.isValue($0) }), let rank = raising.shape(node.inputs[0])?.rank else {
      return false
    }
    let inputs = try node.inputs.indices.map { $0 }.mapTyped { (index) throws(FormatError) in
      try raising.value(node, index)
    }
    let stated = node.int("axis", default: 1)
    let axis = stated < 0 ? stated + rank : stated
    guard axis > 0 else { throw raising.error(node, "it joins batches") }
    guard !inputs.contains(where: \.isCollapsed) else { throw raising.error(node, "it joins folded axes") }
    raising.emit(
      "Concatenate", ["axis": .int(axis == rank - 1 ? -1 : axis)], inputs: inputs, as: node.outputs[0], of: node)
    return true
  }
}

extension DotRule: RaisingRule {
  static let operators: Set = ["MatMul"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard node.inputs.allSatisfy({ raising.isValue($0) && raising.shape($0)?.rank == 3 }) else { return false }
    let inputs = [try raising.value(node, 0), try raising.value(node, 1)]
    raising.emit(
      "Dot", ["axes": [2, 1], "normalize": false], inputs: inputs, as: node.outputs[0], of: node)
    return true
  }
}
