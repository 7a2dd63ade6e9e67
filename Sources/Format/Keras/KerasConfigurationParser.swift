import OrderedCollections

/// Builds the layer tree from the JSON of a model, in the spelling of any generation of Keras.
package struct KerasConfigurationParser {
  let generation: Int
  let limits: ReadLimits

  /// The tree of a whole model.
  func model(_ json: JSONValue) throws(FormatError) -> KerasLayer {
    guard json.object != nil, json["class_name"] != nil || json["layers"] != nil || json["config"] != nil else {
      throw FormatError(.malformed, "the model configuration is not that of a Keras model", at: "model_config")
    }
    return try layer(json, position: 0, depth: 0)
  }

  private func layer(_ json: JSONValue, position: Int, depth: Int) throws(FormatError) -> KerasLayer {
    guard depth <= limits.depth else { throw FormatError(.limit, "layers nest deeper than \(limits.depth) levels") }
    // Keras 0.3 puts the constructor arguments beside the class name, and before that called the class "name".
    let isFlat = json["config"] == nil
    guard let className = json["class_name"]?.string ?? (isFlat ? json["name"]?.string : nil) else {
      throw FormatError(.malformed, "layer \(position) of the configuration has no class name", at: "model_config")
    }
    var configuration = json["config"] ?? json
    // Sequential models were a bare list of layers up to Keras 2.2.2.
    if configuration.array != nil { configuration = ["layers": configuration] }
    let fallbackName = Self.snakeCase(className) + (position == 0 ? "" : "_\(position)")
    let flatName = json["custom_name"]?.string ?? (json["class_name"] == nil ? nil : json["name"]?.string)
    let name = (isFlat ? flatName : configuration["name"]?.string ?? json["name"]?.string) ?? fallbackName
    var layer = KerasLayer(
      className: Self.plainClassName(className), name: name, module: json["module"]?.string,
      configuration: LayerConfiguration(
        json: configuration, generation: generation, label: "layer \"\(name)\" (\(className))"))
    if let sublayers = configuration["layers"]?.array {
      var names: Set<String> = []
      for (index, sublayer) in sublayers.enumerated() {
        var sublayer = try self.layer(sublayer, position: index, depth: depth + 1)
        // Keras 0.3 calls all layers of a class alike.
        if !names.insert(sublayer.name).inserted { sublayer.name += "_\(index)" }
        names.insert(sublayer.name)
        layer.sublayers.append(sublayer)
      }
    } else if let wrapped = configuration["layer"], wrapped["class_name"] != nil {
      layer.sublayers = [try self.layer(wrapped, position: 0, depth: depth + 1)]
    }
    layer.buildShape = LayerConfiguration.batchShape(json["build_config"]?["input_shape"])
    layer.calls = try CallParser(label: layer.configuration.label).calls(json["inbound_nodes"])
    return layer
  }

  /// The class name without a package prefix such as `Custom>`.
  private static func plainClassName(_ name: String) -> String {
    name.hasPrefix("Keras>") ? String(name.dropFirst("Keras>".count)) : name
  }

  /// Keras's spelling of a class name in generated names and paths: `BatchNormalization` becomes `batch_normalization`.
  package static func snakeCase(_ className: String) -> String {
    let characters = Array(className.filter { $0.isLetter || $0.isNumber || $0 == "_" })
    var result = ""
    for (index, character) in characters.enumerated() {
      if index > 0, character.isUppercase {
        let previous = characters[index - 1]
        let next = index + 1 < characters.count ? characters[index + 1] : nil
        if previous.isLowercase || (next?.isLowercase ?? false) { result += "_" }
      }
      result += character.lowercased()
    }
    return result
  }
}

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
