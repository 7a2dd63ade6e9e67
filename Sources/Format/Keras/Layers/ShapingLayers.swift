/// `Flatten`: everything behind the batch on one axis, channels last.
enum FlattenRule: LayerRule {
  static let classNames = ["Flatten"]
  static let castsInputs = false

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
