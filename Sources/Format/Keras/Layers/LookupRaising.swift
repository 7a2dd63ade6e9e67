import OrderedCollections

extension IntegerLookupRule: RaisingRule {
  /// The expressions that lookups become, the longest first of each form.
  private static let expressions: [OperatorExpression] = {
    let axis = OperatorExpression.constant("last_axis")
    let isEqual = OperatorExpression.node("Cast", .node("Equal", .node("Unsqueeze", .input, axis), .constant("keys")))
    let sum = OperatorExpression.node("ReduceSum", .node("Mul", isEqual, .constant("differences")), axis)
    let bounded = OperatorExpression.node("Clip", .input, .constant("below"), .constant("above"))
    let forms = [
      OperatorExpression.node("Gather", .constant("table"), .node("Sub", bounded, .constant("offset"))),
      OperatorExpression.node("Add", sum, .constant("default")), OperatorExpression.node("LabelEncoder", .input),
    ]
    let remainder = OperatorExpression.node("Mod", .input, .constant("unknown_count"))
    func masked(_ value: OperatorExpression) -> OperatorExpression {
      .node("Where", .node("Equal", .input, .constant("mask_token")), .constant("mask_value"), value)
    }
    return forms.flatMap { plain in
      let spread = OperatorExpression.node(
        "Where", .node("Less", plain, .constant("zero")), .node("Add", remainder, .constant("unknown_index")), plain)
      return [masked(spread), spread, masked(plain), plain]
    }
  }()

  static let operators: Set = ["Unsqueeze", "Clip", "LabelEncoder"]

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

  /// A table of whole numbers, whatever form it has in the graph.
  private struct Table {
    var keys: [Int]
    var values: [Int]
    let fallback: Int

    init?(_ match: ExpressionMatch) {
      if let encoder = match.nodes.first(where: { $0.operatorType == "LabelEncoder" }) {
        guard let keys = encoder.ints("keys_int64s"), let values = encoder.ints("values_int64s"),
          keys.count == values.count
        else { return nil }
        (self.keys, self.values, fallback) = (keys, values, encoder.int("default_int64", default: -1))
      } else if let table = match.integers("table") {
        guard table.count > 2, let fallback = table.first, fallback == table.last, let below = match.integer("below"),
          match.integer("offset") == below, case (let above, false) = below.addingReportingOverflow(table.count - 1),
          match.integer("above") == above
        else { return nil }
        (keys, values, self.fallback) = (
          table.indices.dropFirst().dropLast().map { below + $0 }, Array(table[1..<table.count - 1]), fallback
        )
        // A vocabulary stands in the order of its places; what has none is not in it.
        let known = zip(keys, values).filter { $0.1 != fallback }.sorted { $0.1 < $1.1 }
        let isRising = known.enumerated().allSatisfy { $0.element.1 == known[0].1 &+ $0.offset }
        if !known.isEmpty, isRising { (keys, values) = (known.map(\.0), known.map(\.1)) }
      } else {
        guard let keys = match.integers("keys"), let differences = match.integers("differences"),
          keys.count == differences.count, let fallback = match.integer("default")
        else { return nil }
        (self.keys, self.fallback) = (keys, fallback)
        values = differences.map { $0 &+ fallback }
      }
    }
  }

  /// The constructor's arguments that give the same table.
  private static func configuration(_ match: ExpressionMatch) -> OrderedDictionary<String, JSONValue>? {
    guard let table = Table(match) else { return nil }
    let (keys, values, fallback) = (table.keys, table.values, table.fallback)
    let (mask, replacement) = (match.integer("mask_token"), match.integer("mask_value"))
    let spread = match.integer("unknown_count")
    guard (1...1 << 30).contains(spread ?? 1) else { return nil }
    let unknownIndex = mask == nil ? 0 : 1
    let first = unknownIndex + (spread ?? 1)
    let places = keys.indices.map { $0 + first }
    let isInverted = keys == places && spread == nil && (mask == nil || mask == 0) && values != places
    let isForward =
      values == places && (mask == nil || replacement == 0)
      && (spread == nil
        ? fallback == unknownIndex
        : fallback == -1 && match.integer("unknown_index") == unknownIndex && match.integer("zero") == 0)
    guard isForward || isInverted else { return nil }
    let maskToken = isInverted ? replacement : mask
    return [
      "vocabulary": .array((isInverted ? values : keys).map { .int($0) }), "num_oov_indices": .int(spread ?? 1),
      "mask_token": maskToken.map(JSONValue.int) ?? .null, "oov_token": .int(isInverted ? fallback : -1),
      "output_mode": "int", "invert": .bool(isInverted),
    ]
  }
}

extension ExpressionMatch {
  /// The elements of a constant of whole numbers.
  func integers(_ name: String) -> [Int]? {
    guard let tensor = constants[name], tensor.elementType == .int64 else { return nil }
    return (try? tensor.elements(as: Int64.self))?.map(Int.init)
  }

  /// The only element of a constant.
  fileprivate func integer(_ name: String) -> Int? {
    guard let elements = integers(name), elements.count == 1 else { return nil }
    return elements[0]
  }
}
