/// Regularizers and constraints as configurations state them.
enum PenaltyConfiguration {
  /// The penalty of a regularizer; `nil` without one.
  static func penalty(_ json: JSONValue?, _ layer: KerasLayer) throws(FormatError) -> Penalty? {
    guard let json, !json.isNull else { return nil }
    let configuration = json["config"]
    func factor(_ key: String, _ fallback: Float) -> Float {
      (configuration?[key]?["config"]?["value"] ?? configuration?[key])?.float ?? fallback
    }
    switch json.string ?? json["class_name"]?.string ?? "" {
    case "L1", "l1": return Penalty(l1: factor("l1", 0.01))
    case "L2", "l2": return Penalty(l2: factor("l2", 0.01))
    case "L1L2", "l1_l2", "L1L2Regularizer":
      let fallback: Float = json.string == nil ? 0 : 0.01
      return Penalty(l1: factor("l1", fallback), l2: factor("l2", fallback))
    case let name:
      throw FormatError(
        .unsupported, "the regularizer \"\(name)\" is not known to training",
        at: "layer \"\(layer.name)\" (\(layer.className))")
    }
  }

  /// The constraint of a variable; `nil` without one.
  static func constraint(_ json: JSONValue?, _ layer: KerasLayer) throws(FormatError) -> Constraint? {
    guard let json, !json.isNull else { return nil }
    let configuration = json["config"]
    let axes = configuration?["axis"]?.ints ?? configuration?["axis"]?.int.map { [$0] } ?? [0]
    func number(_ key: String, _ fallback: Float) -> Float { configuration?[key]?.float ?? fallback }
    switch json.string ?? json["class_name"]?.string ?? "" {
    case "MaxNorm", "max_norm": return .maxNorm(limit: number("max_value", 2), axes: axes)
    case "NonNeg", "non_neg": return .nonNegative
    case "UnitNorm", "unit_norm": return .unitNorm(axes: axes)
    case "MinMaxNorm", "min_max_norm":
      return .minMaxNorm(
        low: number("min_value", 0), high: number("max_value", 1), rate: number("rate", 1), axes: axes)
    case let name:
      throw FormatError(
        .unsupported, "the constraint \"\(name)\" is not known to training",
        at: "layer \"\(layer.name)\" (\(layer.className))")
    }
  }
}
