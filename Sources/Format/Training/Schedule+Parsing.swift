extension Schedule {
  /// The words that `init(parsing:rate:)` understands.
  public static let forms =
    "exponential STEPS RATE [staircase], steps AT,AT... RATE,RATE..., cosine STEPS [warmup N], polynomial STEPS [END [POWER]], inverse STEPS RATE"

  /// Parses a schedule such as `cosine 1000 warmup 100`, `exponential 500 0.9 staircase` or `steps 100,200 0.01,0.001`.
  ///
  /// - Parameter rate: the rate that it starts from, or with a warm-up rises to.
  /// - Throws: `FormatError` of kind `malformed` that names the forms.
  public init(parsing text: String, rate: Double) throws(FormatError) {
    let words = text.split(separator: " ").map(String.init)
    let refused = FormatError(
      .malformed, "the schedule \"\(text)\" cannot be read", advice: "Schedules are \(Self.forms)")
    func number(_ index: Int, above limit: Double = 0) throws(FormatError) -> Double {
      guard words.indices.contains(index), let value = Double(words[index]), value.isFinite, value > limit else {
        throw refused
      }
      return value
    }
    switch (words.first ?? "", words.count) {
    case ("exponential", 3), ("exponential", 4):
      guard words.count == 3 || words[3] == "staircase" else { throw refused }
      self = .exponential(initial: rate, steps: try number(1), rate: try number(2), staircase: words.count == 4)
    case ("steps", 3):
      let boundaries = words[1].split(separator: ",").map { Double($0) }
      let rates = words[2].split(separator: ",").map { Double($0) }
      let (places, values) = (boundaries.compactMap { $0 }, rates.compactMap { $0 })
      guard places.count == boundaries.count, values.count == rates.count, places.count == values.count,
        !places.isEmpty, places == places.sorted(), values.allSatisfy({ $0 > 0 && $0.isFinite })
      else { throw refused }
      self = .steps(boundaries: places, values: [rate] + values)
    case ("cosine", 2): self = .cosine(initial: rate, steps: try number(1))
    case ("cosine", 4):
      guard words[2] == "warmup" else { throw refused }
      self = .cosine(initial: 0, steps: try number(1), target: rate, warmup: try number(3))
    case ("polynomial", 2...4):
      self = .polynomial(
        initial: rate, steps: try number(1), end: words.count > 2 ? try number(2, above: -1) : 0.0001,
        power: words.count > 3 ? try number(3) : 1)
    case ("inverse", 3): self = .inverseTime(initial: rate, steps: try number(1), rate: try number(2))
    default: throw refused
    }
  }
}
