import OrderedCollections

/// `IntegerLookup` with its vocabulary in the configuration: whole numbers to their places in it, or back.
enum IntegerLookupRule: LayerRule {
  static let classNames = ["IntegerLookup"]
  static let castsInputs = false
  static let passesMask = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let table = try LookupTable(call)
    let tokens = try lowering.cast(call.input(), to: .int64, in: call, suffix: "tokens")
    if table.isInverted {
      var value = try lowering.lookUp(
        tokens, keys: table.tokens.indices.map { $0 + table.firstIndex }, values: table.tokens,
        default: table.unknownToken, in: call)
      if let mask = table.maskToken { value = try lowering.replace(0, by: mask, of: tokens, in: value, call) }
      return [value]
    }
    let places = table.tokens.indices.map { $0 + table.firstIndex }
    var value = try lowering.lookUp(
      tokens, keys: table.tokens, values: places, default: table.unknownCount == 1 ? table.unknownIndex : -1, in: call)
    if table.unknownCount > 1 { value = try spread(value, tokens, table, call, &lowering) }
    if let mask = table.maskToken { value = try lowering.replace(mask, by: 0, of: tokens, in: value, call) }
    if table.mode == .int { return [value] }
    return [try lowering.encode(value, table.mode, depth: table.depth, in: call)]
  }

  /// Tokens that are not in the vocabulary, by their remainder.
  private static func spread(
    _ value: LoweredValue, _ tokens: LoweredValue, _ table: LookupTable, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    func number(_ value: Int, _ name: String) -> LoweredValue {
      lowering.constant(Tensor([Int64(value)], shape: []), name, in: call)
    }
    let remainder = try lowering.add("Mod", [tokens, number(table.unknownCount, "unknown_count")], in: call)
    let index = try lowering.add("Add", [remainder, number(table.unknownIndex, "unknown_index")], in: call)
    let isUnknown = try lowering.add("Less", [value, number(0, "zero")], in: call)
    return try lowering.add("Where", [isUnknown, index, value], in: call)
  }
}

/// What the configuration of a lookup layer says.
private struct LookupTable {
  let tokens: [Int]
  let mode: CategoryMode
  let isInverted: Bool
  let maskToken: Int?
  let unknownToken: Int
  let unknownCount: Int
  /// Where unknown tokens begin, and where known ones do.
  let unknownIndex: Int
  let firstIndex: Int
  /// The width of encodings.
  let depth: Int

  init(_ call: LayerCall) throws(FormatError) {
    let configuration = call.configuration
    guard let list = configuration["vocabulary"] else {
      throw call.error(
        .unsupported, "its vocabulary was learnt and stands outside of the configuration",
        advice: "Make the layer with vocabulary=[...]")
    }
    guard var vocabulary = list.ints, !vocabulary.isEmpty else {
      throw configuration.unreadable("vocabulary", "a list of whole numbers")
    }
    mode = try CategoryMode(call, default: .int)
    isInverted = try configuration.bool("invert", default: false)
    maskToken = try configuration.int("mask_token")
    unknownToken = try configuration.int("oov_token") ?? -1
    unknownCount = try configuration.int("num_oov_indices") ?? 1
    guard (0...1 << 30).contains(unknownCount) else {
      throw configuration.unreadable("num_oov_indices", "a number of indices")
    }
    guard unknownCount < 2 || configuration.string("oov_method") ?? "floormod" == "floormod" else {
      throw call.error(
        .unsupported, "it spreads unknown tokens by hash functions, which no operators compute",
        advice: "Use oov_method=\"floormod\"")
    }
    guard maskToken == nil || mode == .int else {
      throw call.error(.unsupported, "a mask_token with output_mode \"\(mode.rawValue)\" is not run")
    }
    unknownIndex = maskToken == nil ? 0 : 1
    firstIndex = unknownIndex + unknownCount
    // The vocabulary may begin with the tokens that stand for others.
    let special =
      (maskToken.map { [$0] } ?? []) + Array(repeating: unknownToken, count: min(unknownCount, vocabulary.count))
    if special.count == firstIndex, Array(vocabulary.prefix(firstIndex)) == special {
      vocabulary.removeFirst(firstIndex)
    }
    guard Set(vocabulary).count == vocabulary.count else {
      throw call.error(.malformed, "its vocabulary names a token twice")
    }
    tokens = vocabulary
    let isPadded = try configuration.bool("pad_to_max_tokens", default: false)
    depth = try isPadded ? configuration.int("max_tokens") ?? 0 : firstIndex + vocabulary.count
  }
}

extension Lowering {
  /// The value that stands beside the key equal to each element, else the default: `sum((x == keys) · (values - default))
  /// + default`.
  fileprivate mutating func lookUp(
    _ x: LoweredValue, keys: [Int], values: [Int], default fallback: Int, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let differences = values.map { Int64($0) &- Int64(fallback) }
    let column = try add("Unsqueeze", [x, integers([-1], "last_axis", in: call)], in: call)
    let isEqual = try cast(
      add("Equal", [column, integers(keys, "keys", in: call)], in: call), to: .int64, in: call, suffix: "found")
    let product = try add("Mul", [isEqual, constant(Tensor(differences), "differences", in: call)], in: call)
    let sum = try add(
      "ReduceSum", [product, integers([-1], "last_axis", in: call)], in: call,
      attributes: [Attribute("keepdims", .int(0))])
    return try add("Add", [sum, constant(Tensor([Int64(fallback)], shape: []), "default", in: call)], in: call)
  }

  /// The value, but a number where `x` is a certain one.
  fileprivate mutating func replace(
    _ token: Int, by number: Int, of x: LoweredValue, in value: LoweredValue, _ call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let isToken = try add("Equal", [x, constant(Tensor([Int64(token)], shape: []), "mask_token", in: call)], in: call)
    return try add(
      "Where", [isToken, constant(Tensor([Int64(number)], shape: []), "mask_value", in: call), value], in: call)
  }
}

extension IntegerLookupRule: RaisingRule {
  /// The expressions that lookups become, the longest first.
  private static let expressions: [OperatorExpression] = {
    let axis = OperatorExpression.constant("last_axis")
    let isEqual = OperatorExpression.node("Cast", .node("Equal", .node("Unsqueeze", .input, axis), .constant("keys")))
    let sum = OperatorExpression.node("ReduceSum", .node("Mul", isEqual, .constant("differences")), axis)
    let plain = OperatorExpression.node("Add", sum, .constant("default"))
    let remainder = OperatorExpression.node("Mod", .input, .constant("unknown_count"))
    let spread = OperatorExpression.node(
      "Where", .node("Less", plain, .constant("zero")), .node("Add", remainder, .constant("unknown_index")), plain)
    func masked(_ value: OperatorExpression) -> OperatorExpression {
      .node("Where", .node("Equal", .input, .constant("mask_token")), .constant("mask_value"), value)
    }
    return [masked(spread), spread, masked(plain), plain]
  }()

  static let operators: Set = ["Unsqueeze"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    for expression in expressions {
      guard let match = raising.match(expression, with: node), let value = raising.values[match.input],
        !value.isCollapsed, raising.shape(match.input) == raising.shape(match.output),
        raising.elementType(match.output) == .int64, let configuration = configuration(match)
      else { continue }
      raising.absorb(match)
      raising.emit("IntegerLookup", configuration, inputs: [value], as: match.output, of: node)
      // Keras 2 wants the type of the output here.
      if raising.generation == 2 { raising.layers[raising.layers.count - 1].elementType = .int64 }
      return true
    }
    return false
  }

  /// The constructor's arguments that give the same table.
  private static func configuration(_ match: ExpressionMatch) -> OrderedDictionary<String, JSONValue>? {
    func list(_ name: String) -> [Int]? {
      guard let numbers = match.numbers(name) else { return nil }
      let values = numbers.compactMap { Int(exactly: $0) }
      return values.count == numbers.count && values.allSatisfy { abs($0) < 1 << 53 } ? values : nil
    }
    guard let keys = list("keys"), let differences = list("differences"), keys.count == differences.count,
      let fallback = list("default"), fallback.count == 1
    else { return nil }
    let values = differences.map { $0 + fallback[0] }
    let (mask, replacement) = (list("mask_token")?.first, list("mask_value")?.first)
    let spread = list("unknown_count")?.first
    let unknownIndex = mask == nil ? 0 : 1
    let first = unknownIndex + (spread ?? 1)
    let places = keys.indices.map { $0 + first }
    let isInverted = keys == places && spread == nil && (mask == nil || mask == 0) && values != places
    let isForward =
      values == places && (mask == nil || replacement == 0)
      && (spread == nil
        ? fallback[0] == unknownIndex
        : fallback[0] == -1 && list("unknown_index") == [unknownIndex]
          && list("zero") == [0])
    guard isForward || isInverted else { return nil }
    let maskToken = isInverted ? replacement : mask
    return [
      "vocabulary": .array((isInverted ? values : keys).map { .int($0) }), "num_oov_indices": .int(spread ?? 1),
      "mask_token": maskToken.map(JSONValue.int) ?? .null, "oov_token": .int(isInverted ? fallback[0] : -1),
      "output_mode": "int", "invert": .bool(isInverted),
    ]
  }
}
