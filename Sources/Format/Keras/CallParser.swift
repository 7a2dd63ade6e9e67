import OrderedCollections

/// Reads the connections of a Functional model in the spelling of Keras 1 and 2 (nested lists) or 3 (objects).
struct CallParser {
  let label: String

  func calls(_ json: JSONValue?) throws(FormatError) -> [KerasCall] {
    guard let nodes = json?.array else { return [] }
    var calls: [KerasCall] = []
    for node in nodes {
      if let arguments = node["args"] {
        var keywords: OrderedDictionary<String, KerasArgument> = [:]
        for (name, value) in node["kwargs"]?.object ?? [:] { keywords[name] = try tensorArgument(value) }
        calls.append(
          KerasCall(arguments: try (arguments.array ?? []).mapTyped(tensorArgument), keywordArguments: keywords))
      } else {
        calls.append(try listCall(node))
      }
    }
    return calls
  }

  /// Keras 3: `{"class_name": "__keras_tensor__", "config": {"keras_history": [layer, call, output]}}`.
  private func tensorArgument(_ json: JSONValue) throws(FormatError) -> KerasArgument {
    if json["class_name"]?.string == "__keras_tensor__" {
      return .tensor(try Self.reference(json["config"]?["keras_history"], label: label))
    }
    if let elements = json.array { return .list(try elements.mapTyped(tensorArgument)) }
    if let members = json.object, members["class_name"] == nil, !members.isEmpty {
      // A dictionary of tensors counts as a list in the order of its sorted keys.
      return .list(try members.sorted { $0.key < $1.key }.map(\.value).mapTyped(tensorArgument))
    }
    return .constant(json)
  }

  /// Keras 1 and 2: `[[layer, call, output, {keyword: ...}], ...]`, or one such entry alone.
  private func listCall(_ node: JSONValue) throws(FormatError) -> KerasCall {
    var call = KerasCall(arguments: [], keywordArguments: [:])
    let entries: [JSONValue] =
      node[0]?.string != nil ? [node] : node.array ?? node.object.map { Array($0.values) } ?? []
    for entry in entries {
      if entry[0]?.string == "_CONSTANT_VALUE" {
        call.arguments.append(.constant(entry[2] ?? .null))
      } else {
        call.arguments.append(.tensor(try Self.reference(entry, label: label)))
      }
      for (name, value) in entry[3]?.object ?? [:] {
        call.keywordArguments[name] = keywordArgument(value)
      }
    }
    return call
  }

  private func keywordArgument(_ json: JSONValue) -> KerasArgument {
    if let reference = try? Self.reference(json, label: label) { return .tensor(reference) }
    if let elements = json.array, elements.contains(where: { $0[0]?.string != nil }) {
      return .list(elements.map(keywordArgument))
    }
    return .constant(json)
  }

  /// A reference `[layer, call, output]`, perhaps with more behind it.
  static func reference(_ json: JSONValue?, label: String) throws(FormatError) -> KerasTensorReference {
    guard let layer = json?[0]?.string, let call = json?[1]?.int, let output = json?[2]?.int, call >= 0, output >= 0
    else {
      throw FormatError(
        .malformed, "\(json?.text().prefix(60) ?? "nothing") does not name the output of a layer", at: label)
    }
    return KerasTensorReference(layer: layer, call: call, output: output)
  }

  /// The references of `input_layers` or `output_layers`: one, a list, a dictionary by sorted keys, or lists of lists.
  static func references(_ json: JSONValue?, label: String) throws(FormatError) -> [KerasTensorReference] {
    guard let json, !json.isNull else { return [] }
    if json[0]?.string != nil, json[1]?.int != nil { return [try reference(json, label: label)] }
    if let members = json.object {
      return try members.sorted { $0.key < $1.key }.flatMapTyped { (member) throws(FormatError) in
        try references(member.value, label: label)
      }
    }
    return try (json.array ?? []).flatMapTyped { (element) throws(FormatError) in
      try references(element, label: label)
    }
  }
}
