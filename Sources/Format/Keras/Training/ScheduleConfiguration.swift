/// Learning rate schedules as Keras states them, and back.
enum ScheduleConfiguration {
  /// A rate, or a schedule by class name.
  static func schedule(_ json: JSONValue) throws(FormatError) -> Schedule {
    if let rate = json.double { return .constant(rate) }
    guard let name = json["class_name"]?.string, let c = json["config"] else {
      throw FormatError(.malformed, "the learning rate \(json.text().prefix(60)) is neither a number nor a schedule")
    }
    func number(_ key: String, _ fallback: Double) -> Double { c[key]?.double ?? fallback }
    let initial = number("initial_learning_rate", 0.001)
    let steps = max(number("decay_steps", 1), 1)
    switch name {
    case "ExponentialDecay":
      return .exponential(
        initial: initial, steps: steps, rate: number("decay_rate", 1), staircase: c["staircase"]?.bool ?? false)
    case "PiecewiseConstantDecay":
      let values = c["values"]?.array?.compactMap(\.double) ?? []
      let boundaries = c["boundaries"]?.array?.compactMap(\.double) ?? []
      guard values.count == boundaries.count + 1 else {
        throw FormatError(.malformed, "a schedule of \(boundaries.count) boundaries has \(values.count) values")
      }
      return .steps(boundaries: boundaries, values: values)
    case "CosineDecay":
      return .cosine(
        initial: initial, steps: steps, alpha: number("alpha", 0), target: c["warmup_target"]?.double,
        warmup: number("warmup_steps", 0))
    case "PolynomialDecay":
      return .polynomial(
        initial: initial, steps: steps, end: number("end_learning_rate", 0.0001), power: number("power", 1),
        cycle: c["cycle"]?.bool ?? false)
    case "InverseTimeDecay":
      return .inverseTime(
        initial: initial, steps: steps, rate: number("decay_rate", 1), staircase: c["staircase"]?.bool ?? false)
    default: throw FormatError(.unsupported, "the learning rate schedule \"\(name)\" is not known to training")
    }
  }

  /// The spelling of archives.
  static func json(_ schedule: Schedule) -> JSONValue {
    func object(_ name: String, _ members: JSONValue) -> JSONValue {
      [
        "module": "keras.optimizers.schedules", "class_name": .string(name),
        "config": members.setting("name", to: .string(name)), "registered_name": .null,
      ]
    }
    switch schedule {
    case .constant(let rate): return .double(rate)
    case .exponential(let initial, let steps, let rate, let staircase):
      return object(
        "ExponentialDecay",
        [
          "initial_learning_rate": .double(initial), "decay_steps": .double(steps), "decay_rate": .double(rate),
          "staircase": .bool(staircase),
        ])
    case .steps(let boundaries, let values):
      return object(
        "PiecewiseConstantDecay",
        ["boundaries": .array(boundaries.map { .double($0) }), "values": .array(values.map { .double($0) })])
    case .cosine(let initial, let steps, let alpha, let target, let warmup):
      return object(
        "CosineDecay",
        [
          "initial_learning_rate": .double(initial), "decay_steps": .double(steps), "alpha": .double(alpha),
          "warmup_target": target.map { .double($0) } ?? .null, "warmup_steps": .double(warmup),
        ])
    case .polynomial(let initial, let steps, let end, let power, let cycle):
      return object(
        "PolynomialDecay",
        [
          "initial_learning_rate": .double(initial), "decay_steps": .double(steps), "end_learning_rate": .double(end),
          "power": .double(power), "cycle": .bool(cycle),
        ])
    case .inverseTime(let initial, let steps, let rate, let staircase):
      return object(
        "InverseTimeDecay",
        [
          "initial_learning_rate": .double(initial), "decay_steps": .double(steps), "decay_rate": .double(rate),
          "staircase": .bool(staircase),
        ])
    }
  }
}
