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
