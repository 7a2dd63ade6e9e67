/// What `CategoryEncoding`, `Discretization` and the lookup layers make of indices.
enum CategoryMode: String {
  /// The index itself.
  case int
  /// One row of zeros and a one for each index; an axis of extent 1 at the end gives way to it.
  case oneHot = "one_hot"
  /// One row for each sample, with ones for the indices in it.
  case multiHot = "multi_hot"
  /// One row for each sample that counts the indices in it.
  case count

  init(_ call: LayerCall, default fallback: Self) throws(FormatError) {
    let text = call.configuration.string("output_mode") ?? fallback.rawValue
    guard let mode = Self(rawValue: text == "binary" ? "multi_hot" : text) else {
      throw call.error(
        .unsupported, "its output_mode \"\(text)\" is not run", advice: "Use one of int, one_hot, multi_hot, count")
    }
    guard call.configuration["sparse"]?.bool != true else {
      throw call.error(.unsupported, "its output is a sparse tensor", advice: "Use sparse=False")
    }
    self = mode
  }
}

extension Lowering {
  /// Encodes whole numbers as rows of a width.
  mutating func encode(
    _ indices: LoweredValue, _ mode: CategoryMode, depth: Int, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    guard let rank = indices.rank else { throw call.error(.unsupported, "the shape of its input is not known") }
    guard depth > 0, depth <= limits.freelyExpandedBytes / MemoryLayout<Int64>.stride else {
      throw call.error(.limit, "\(depth) columns are no width for an encoding")
    }
    let isWide = indices.elementType == .int64 || indices.elementType == .int32
    let whole = isWide ? indices : try cast(indices, to: .int64, in: call, suffix: "indices")
    let range = Tensor((0..<depth).map(Int64.init))
    let columns = constant(try range.converted(to: whole.elementType ?? .int64), "columns", in: call)
    let hasColumn = mode == .oneHot && rank > 1 && whole.shape?.dimensions.last == .known(1)
    let column = hasColumn ? whole : try add("Unsqueeze", [whole, integers([-1], "last_axis", in: call)], in: call)
    let rows = try cast(
      add("Equal", [column, columns], in: call), to: call.configuration.policy.variable, in: call, suffix: "one_hot")
    if mode == .oneHot { return rows }
    guard rank == 2 else {
      throw call.error(.unsupported, "its input has \(rank) axes; \(mode.rawValue) takes a batch of lists")
    }
    return try add(
      mode == .count ? "ReduceSum" : "ReduceMax", [rows, integers([-2], "sample_axis", in: call)], in: call,
      attributes: [Attribute("keepdims", .int(0))])
  }
}

/// `CategoryEncoding`: indices as rows of zeros and ones, or of counts.
enum CategoryEncodingRule: LayerRule {
  static let classNames = ["CategoryEncoding"]
  static let castsInputs = false
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let mode = try CategoryMode(call, default: .multiHot)
    guard mode != .int, let depth = try call.configuration.int("num_tokens", "max_tokens") else {
      throw call.error(.malformed, "it has no num_tokens")
    }
    return [try lowering.encode(call.input(), mode, depth: depth, in: call)]
  }
}

/// `Discretization`: the number of boundaries that a value has reached, perhaps encoded.
enum DiscretizationRule: LayerRule {
  static let classNames = ["Discretization"]
  static let castsInputs = false
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let mode = try CategoryMode(call, default: .int)
    guard let list = call.configuration["bin_boundaries"]?.array, !list.isEmpty else {
      throw call.error(
        .unsupported, "its configuration states no bin_boundaries", advice: "Save the model after adapt()")
    }
    let boundaries = list.compactMap(\.float)
    guard boundaries.count == list.count, zip(boundaries, boundaries.dropFirst()).allSatisfy({ $0 <= $1 }) else {
      throw call.configuration.unreadable("bin_boundaries", "a rising list of numbers")
    }
    let x = try lowering.cast(call.input(), to: .float32, in: call, suffix: "input")
    let column = try lowering.add("Unsqueeze", [x, lowering.integers([-1], "last_axis", in: call)], in: call)
    // What is no number has reached them all, as in TensorFlow's search.
    let isBelow = try lowering.add(
      "Less", [column, lowering.constant(Tensor(boundaries), "bin_boundaries", in: call)], in: call)
    let reached = try lowering.add("Not", [isBelow], in: call)
    let count = try lowering.add(
      "ReduceSum",
      [
        lowering.cast(reached, to: .int64, in: call, suffix: "reached"), lowering.integers([-1], "last_axis", in: call),
      ], in: call, attributes: [Attribute("keepdims", .int(0))])
    if mode == .int {
      let type: ElementType = call.configuration.generation >= 3 ? .int32 : .int64
      return [try type == .int64 ? count : lowering.cast(count, to: type, in: call, suffix: "bins")]
    }
    return [try lowering.encode(count, mode, depth: boundaries.count + 1, in: call)]
  }
}
