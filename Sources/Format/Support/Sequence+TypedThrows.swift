extension Sequence {
  /// `map` that keeps the type of the error.
  func mapTyped<Result>(_ transform: (Element) throws(FormatError) -> Result) throws(FormatError) -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try transform(element)) }
    return results
  }

  /// `flatMap` that keeps the type of the error.
  func flatMapTyped<Result>(_ transform: (Element) throws(FormatError) -> [Result]) throws(FormatError) -> [Result] {
    var results: [Result] = []
    for element in self { results += try transform(element) }
    return results
  }
}
