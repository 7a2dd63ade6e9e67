/// Fingerprints of a Keras model: of its layers and their calls, and of some of its weights.
///
/// Spellings that mean the same are one: the order of members, members that are `null`, and what only says which module a
/// class is from or how the model was compiled.
enum LayerDigest {
  /// The fingerprint of the configuration; that of nothing for a file of weights alone.
  static func ofLayers(in model: KerasModel) -> String {
    var fingerprint = Fingerprint()
    if let configuration = model.configuration {
      add(configuration.normalized(omitting: ["compile_config"]), to: &fingerprint)
    }
    return fingerprint.digits
  }

  /// The fingerprint of weights by name, in any order: types, shapes and elements.
  ///
  /// - Throws: `FormatError` when elements cannot be read.
  static func ofWeights(_ weights: [String: Tensor]) throws(FormatError) -> String {
    var fingerprint = Fingerprint()
    for (name, tensor) in weights.sorted(by: { $0.key < $1.key }) {
      fingerprint.add(name)
      try fingerprint.add(tensor, withElements: true)
    }
    return fingerprint.digits
  }

  private static func add(_ json: JSONValue, to fingerprint: inout Fingerprint) {
    switch json {
    case .null: fingerprint.add("null")
    case .bool(let value): fingerprint.add(value ? "true" : "false")
    case .number(let text): fingerprint.add(json.double.map { "\($0)" } ?? text)
    case .string(let text):
      fingerprint.add("string")
      fingerprint.add(text)
    case .array(let elements):
      fingerprint.add("array")
      fingerprint.add(elements.count)
      for element in elements { add(element, to: &fingerprint) }
    case .object(let members):
      fingerprint.add("object")
      fingerprint.add(members.count)
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        fingerprint.add(key)
        add(value, to: &fingerprint)
      }
    }
  }
}
