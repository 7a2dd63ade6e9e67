import OrderedCollections

extension JSONValue {
  /// Calls `body` with the key path of each difference; a side that has nothing there is `nil`.
  ///
  /// The order of members does not count, nor whether a member is `null` or absent; numbers count by their value.
  func forEachDifference(
    to other: JSONValue, at path: String, _ body: (String, JSONValue?, JSONValue?) -> Void
  ) {
    switch (self, other) {
    case (.object(let ones), .object(let others)):
      for (key, value) in ones {
        value.forEachDifference(to: others[key] ?? .null, at: "\(path).\(key)", body)
      }
      for (key, value) in others where ones[key] == nil {
        JSONValue.null.forEachDifference(to: value, at: "\(path).\(key)", body)
      }
    case (.array(let ones), .array(let others)) where ones.count == others.count:
      for (index, (one, other)) in zip(ones, others).enumerated() {
        one.forEachDifference(to: other, at: "\(path)[\(index)]", body)
      }
    default:
      if !isSame(as: other) { body(path, present, other.present) }
    }
  }

  /// The value unless it is `null`. A plain `nil` would be the literal of `JSONValue` itself.
  private var present: JSONValue? { isNull ? JSONValue?.none : self }

  private func isSame(as other: JSONValue) -> Bool {
    if let one = double, let other = other.double { return one == other || (one.isNaN && other.isNaN) }
    return self == other
  }

  /// A configuration in the spelling of Keras 3, without what only says how it was written.
  ///
  /// - Parameter omitted: Members of the outermost object to leave out.
  func normalized(omitting omitted: Set<String> = []) -> JSONValue {
    switch self {
    case .array(let elements): return .array(elements.map { $0.normalized() })
    case .object(let members):
      let configuration = members["config"]
      if members["class_name"]?.string == "DTypePolicy", let name = configuration?["name"] { return name }
      var result: OrderedDictionary<String, JSONValue> = [:]
      let isSerialized = members["class_name"] != nil
      for (key, value) in members where !value.isNull && !omitted.contains(key) {
        if isSerialized, Self.notesOfWriter.contains(key) { continue }
        let key = key == "batch_input_shape" ? "batch_shape" : key
        result[key] = value.normalized()
      }
      return .object(result)
    default: return self
    }
  }

  /// Members of a serialised object that say where its class is or what it was once called on.
  private static let notesOfWriter: Set<String> = ["module", "registered_name", "build_config", "shared_object_id"]

  /// A training configuration of either layout with the optimizer under `optimizer`; `nil` when it is empty, as that of
  /// a model that was never compiled.
  var normalizedTraining: JSONValue? {
    guard var members = object else { return self }
    guard members.values.contains(where: { !$0.isNull }) else { return JSONValue?.none }
    if let optimizer = members.removeValue(forKey: "optimizer_config") { members["optimizer"] = optimizer }
    return JSONValue.object(members)
  }

  /// One line of at most 60 characters.
  var shortText: String {
    let text = text().onOneLine
    return text.count > 60 ? text.prefix(59) + "…" : text
  }
}
