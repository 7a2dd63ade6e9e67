import OrderedCollections

extension ModelComparison {
  /// The comparison as `nnfmt.diff/1`.
  public var json: JSONValue {
    [
      "schema": "nnfmt.diff/1", "a": .string(paths[0]), "b": .string(paths[1]), "equal": .bool(isEqual),
      "tolerance": tolerance.map { .double($0) } ?? .null,
      "tensors": ["compared": .int(tensors.compared), "identical": .int(tensors.identical)],
      "differences": .array(differences.map(\.json)), "notes": .array(notes.map(\.json)),
    ]
  }
}

extension ModelComparison.Difference {
  fileprivate var json: JSONValue {
    var members: OrderedDictionary<String, JSONValue> = [
      "section": .string(section.rawValue), "where": .string(place),
      "a": left.map { .string($0) } ?? .null, "b": right.map { .string($0) } ?? .null,
    ]
    if let distance {
      members["maxDifference"] = .double(distance.maximumDifference)
      members["relativeDifference"] = .double(distance.relativeDifference)
      members["cosine"] = .double(distance.cosine)
    }
    return .object(members)
  }
}
