/// Numbers as people read them.
enum Figures {
  /// Digits in groups of three: `1,234,567`.
  static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return value < 0 ? "-" + text : text
  }

  /// A size with a decimal unit: `221.4 MB`.
  static func bytes(_ count: Int) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(count), 0)
    while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    return unit == 0 ? "\(count) bytes" : "\(fixed(value, 1)) \(units[unit])"
  }

  /// A number with a fixed count of decimals.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    let scale = (0..<decimals).reduce(1.0) { product, _ in product * 10 }
    let rounded = (abs(value) * scale).rounded()
    guard abs(value) < 1e15, let whole = Int(exactly: rounded) else { return "\(value)" }
    let digits = String(whole)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = value < 0 && rounded > 0 ? "-" : ""
    return decimals == 0 ? sign + padded : sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// A time, given in microseconds, with the unit that suits it: `36.61 µs`.
  static func duration(_ microseconds: Double) -> String {
    guard microseconds.isFinite else { return "\(microseconds)" }
    let units = [("ns", 1000.0), ("µs", 1), ("ms", 1e-3), ("s", 1e-6)]
    let (unit, factor) = units.first { abs(microseconds) * $0.1 < 1000 } ?? ("s", 1e-6)
    let value = microseconds * factor
    return "\(fixed(value, abs(value) < 10 ? 2 : 1)) \(unit)"
  }

  /// The nearest whole number, within the range of `Int`.
  static func whole(_ value: Double) -> Int { Int(exactly: value.rounded()) ?? (value < 0 ? Int.min : Int.max) }

  /// About four significant digits, in plain or scientific notation.
  static func short(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var exponent = 0
    var mantissa = abs(value)
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    if (-4...5).contains(exponent) { return fixed(value, max(0, 3 - exponent)) }
    return (value < 0 ? "-" : "") + fixed(mantissa, 3) + "e\(exponent)"
  }
}
