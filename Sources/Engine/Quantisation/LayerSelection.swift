import NNFormat

/// Which layers stay as they are because the user says so.
public struct LayerSelection {
  private let patterns: [(text: String, expression: Regex<AnyRegexOutput>?)]

  /// - Throws: `EngineError` of kind `invalidInput` when an exclusion matches none of the names.
  public init(_ exclusions: [String], names: [String]) throws(EngineError) {
    patterns = exclusions.map { text in (text, try? Regex(text)) }
    for pattern in patterns where !names.contains(where: { Self.matches($0, pattern) }) {
      throw EngineError(
        .invalidInput, "no node is called \"\(pattern.text)\", nor does that match one as a regular expression")
    }
  }

  /// Whether a layer is among those that stay.
  public func excludes(_ name: String) -> Bool { patterns.contains { Self.matches(name, $0) } }

  /// The reason of a layer that is among those that stay.
  package static let reason = "excluded"

  /// What to say when no layer is left to quantise.
  ///
  /// - Parameter reasons: why each of them stays.
  package static func nothingLeft(_ reasons: some Sequence<String>) -> String {
    let others = Set(reasons).subtracting([reason]).sorted()
    return others.isEmpty
      ? "every layer that could be quantised is excluded"
      : "no layer can be quantised: \(others.joined(separator: "; "))"
  }

  /// The name itself, the layer that nodes like `dense/gemm` belong to, or an expression for the whole name.
  private static func matches(_ name: String, _ pattern: (text: String, expression: Regex<AnyRegexOutput>?)) -> Bool {
    if name == pattern.text || name.hasPrefix(pattern.text + "/") { return true }
    guard let expression = pattern.expression else { return false }
    return (try? expression.wholeMatch(in: name)) ?? nil != nil
  }
}
