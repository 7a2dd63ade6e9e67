/// What findings say already, to leave out problems of layers that repeat them.
struct KnownProblems {
  private var messages: Set<String>
  private var places: Set<String>

  init(_ findings: [Finding]) {
    messages = Set(findings.map(\.message))
    places = Set(findings.map(\.place))
  }

  /// Adds a problem.
  ///
  /// - Returns: Whether it is news: no finding has its message, or stands at a name that its place quotes, as the findings
  ///   about a layer's class and weights do.
  mutating func insert(_ problem: FormatError) -> Bool {
    let quoted =
      problem.place?.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().dropLast()
      ?? []
    guard !quoted.contains(where: { places.contains(String($0)) }) else { return false }
    if let place = problem.place { places.insert(place) }
    return messages.insert(problem.message).inserted
  }
}
