/// Nodes against the schemas of their operators.
extension ModelValidator {
  /// The newest operator sets and format that this library knows.
  static let newestOperatorSets = ["ai.onnx": 28, "ai.onnx.ml": 5, "ai.onnx.training": 1]
  static let newestFormat = 14

  /// Domains that the standard defines.
  static let standardDomains: Set<String> = [
    "", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training",
  ]

  /// The format version and the operator sets of the model.
  mutating func checkFormat() {
    if model.irVersion < 1 {
      add(.error, "format-version", "the format version \(model.irVersion) does not exist", at: "model")
    } else if model.irVersion > Self.newestFormat {
      add(.warning, "format-version", "the format version \(model.irVersion) is newer than what is known", at: "model")
    }
    if model.operatorSets.isEmpty, model.irVersion >= 3 {
      add(.error, "missing-operator-set", "no operator set is imported", at: "model")
    }
    check(model.operatorSets, at: "model")
    if let finding = Self.unknownFields(of: model) { add(finding) }
  }

  /// What the message of a model holds beside the fields of the format: the place for content that no reader sees.
  static func unknownFields(of model: Model) -> Finding? {
    // Device configurations, field 26, are kept as they are encoded.
    let fields = model.unknownFields.bytes
    guard !fields.isEmpty, !fields.starts(with: [0xD2, 0x01]) else { return nil }
    let message = "\(fields.count) bytes are in fields that the format does not have"
    return Finding(.note, "unknown-fields", message, at: "model")
  }

  mutating func check(_ operatorSets: [OperatorSetImport], at place: String) {
    var seen: [String: Int] = [:]
    for set in operatorSets {
      let domain = set.domain.isEmpty ? "ai.onnx" : set.domain
      if set.version < 1 {
        add(.error, "operator-set-version", "operator set \(domain) \(set.version) does not exist", at: place)
      } else if let newest = Self.newestOperatorSets[domain], set.version > newest {
        add(
          .warning, "operator-set-version",
          "operator set \(domain) \(set.version) is newer than what is known, \(newest)",
          at: place)
      }
      if let other = seen.updateValue(set.version, forKey: domain), other != set.version {
        add(.error, "duplicate-operator-set", "\(domain) is imported as \(other) and as \(set.version)", at: place)
      }
    }
  }

  /// Checks one node by itself.
  mutating func check(_ node: Node, at place: String, in scope: ValidationScope) {
    for attribute in node.attributes where !attribute.referencedName.isEmpty {
      if scope.functionAttributes?.contains(attribute.referencedName) != true {
        let message =
          "attribute \(attribute.name) refers to \"\(attribute.referencedName)\", which no function declares"
        add(.error, "attribute-reference", message, at: place)
      }
    }
    guard !node.operatorType.isEmpty else {
      return add(.error, "no-operator", "it names no operator", at: place)
    }
    guard let version = scope.version(of: node.domain) else {
      let domain = node.domain.isEmpty ? "ai.onnx" : node.domain
      // Before version 3 of the format there were no imports.
      guard model.irVersion >= 3 else { return }
      return add(.error, "missing-operator-set", "no version of operator set \"\(domain)\" is imported", at: place)
    }
    if let function = function(calledBy: node) { return check(node, calling: function, at: place) }
    guard Self.standardDomains.contains(node.domain) || OperatorRegistry.domains.contains(node.domain) else {
      let message = "operator \(node.operatorType) is of the domain \"\(node.domain)\", which is not known"
      return add(.warning, "unknown-domain", message, at: place)
    }
    guard let schema = OperatorRegistry.schema(node.operatorType, domain: node.domain, version: version) else {
      let newest = OperatorRegistry.schema(node.operatorType, domain: node.domain, version: .max)
      guard newest == nil else {
        let message = "operator set \(version) has no \(node.operatorType); it came later"
        return add(.error, "operator-too-new", message, at: place)
      }
      return add(.warning, "unknown-operator", "operator \(node.operatorType) is not known here", at: place)
    }
    do throws(FormatError) {
      try schema.check(node)
    } catch {
      add(.error, "malformed-node", error.message, at: place)
    }
  }

  func function(calledBy node: Node) -> Function? {
    model.functions.first {
      $0.name == node.operatorType && $0.domain == node.domain && $0.overload == node.overload
    }
  }

  private mutating func check(_ node: Node, calling function: Function, at place: String) {
    if node.inputs.count > function.inputs.count || node.outputs.count > function.outputs.count {
      let own = "\(node.inputs.count) inputs and \(node.outputs.count) outputs"
      let message =
        "the function has \(function.inputs.count) inputs and \(function.outputs.count) outputs, the call \(own)"
      add(.error, "malformed-node", message, at: place)
    }
    for name in function.attributeNames where node.attribute(name) == nil {
      add(.error, "malformed-node", "the function needs the attribute \(name)", at: place)
    }
  }
}
