/// How a table from whole numbers to others is written in operators.
private enum LookupForm {
  /// Keys close together: the values of all numbers from the least key to the greatest.
  case dense(lowest: Int, values: [Int])
  /// A handful of keys: the element is compared with each.
  case compared
  /// Many keys far from each other: the table of `LabelEncoder`.
  case encoded

  /// How many keys an element may be compared with.
  private static let comparedCount = 32

  init(keys: [Int], values: [Int], default fallback: Int, limits: ReadLimits) {
    let room = max(256, 8 * keys.count)
    guard let lowest = keys.min(), let highest = keys.max(), lowest > Int.min, highest < Int.max,
      case let (range, hasOverflow) = highest.subtractingReportingOverflow(lowest), !hasOverflow, range < room,
      range < limits.freelyExpandedBytes / MemoryLayout<Int64>.stride
    else {
      self = keys.count <= Self.comparedCount ? .compared : .encoded
      return
    }
    var table = Array(repeating: fallback, count: range + 1)
    for (key, value) in zip(keys, values) { table[key - lowest] = value }
    self = .dense(lowest: lowest, values: table)
  }
}

extension Lowering {
  /// The value that stands beside the key equal to each element, else the default.
  mutating func lookUp(
    _ x: LoweredValue, keys: [Int], values: [Int], default fallback: Int, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    func number(_ value: Int, _ name: String) -> LoweredValue {
      constant(Tensor([Int64(value)], shape: []), name, in: call)
    }
    switch LookupForm(keys: keys, values: values, default: fallback, limits: limits) {
    case .dense(let lowest, let table):
      // One place more at either end takes everything outside.
      let (below, above) = (lowest - 1, lowest + table.count)
      let bounded = try add("Clip", [x, number(below, "below"), number(above, "above")], in: call)
      let place = try add("Sub", [bounded, number(below, "below")], in: call)
      let rows = constant(Tensor(([fallback] + table + [fallback]).map(Int64.init)), "table", in: call)
      return try gather(rows, place, axis: 0, in: call)
    case .compared:
      // sum((x == keys) · (values - default)) + default.
      let differences = values.map { Int64($0) &- Int64(fallback) }
      let column = try add("Unsqueeze", [x, integers([-1], "last_axis", in: call)], in: call)
      let isEqual = try cast(
        add("Equal", [column, integers(keys, "keys", in: call)], in: call), to: .int64, in: call, suffix: "found")
      let product = try add("Mul", [isEqual, constant(Tensor(differences), "differences", in: call)], in: call)
      let sum = try add(
        "ReduceSum", [product, integers([-1], "last_axis", in: call)], in: call,
        attributes: [Attribute("keepdims", .int(0))])
      return try add("Add", [sum, number(fallback, "default")], in: call)
    case .encoded:
      return try add(
        "LabelEncoder", [x], in: call, domain: Self.machineLearning,
        attributes: [
          Attribute("keys_int64s", .ints(keys.map(Int64.init))),
          Attribute("values_int64s", .ints(values.map(Int64.init))), Attribute("default_int64", .int(Int64(fallback))),
        ])
    }
  }

  /// The value, but a number where `x` is a certain one.
  mutating func replace(
    _ token: Int, by number: Int, of x: LoweredValue, in value: LoweredValue, _ call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let isToken = try add("Equal", [x, constant(Tensor([Int64(token)], shape: []), "mask_token", in: call)], in: call)
    return try add(
      "Where", [isToken, constant(Tensor([Int64(number)], shape: []), "mask_value", in: call), value], in: call)
  }
}
