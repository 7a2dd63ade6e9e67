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

  private func layer(_ json: JSONValue, position: Int, depth: Int, scope: String = "") throws(FormatError) -> KerasLayer
  {
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
      className: Self.className(className, of: json), name: name,
      module: module(of: json, configuration, className: className),
      configuration: LayerConfiguration(
        json: configuration, generation: generation, label: "layer \"\(name)\" (\(className))"))
    let path = scope.isEmpty ? name : "\(scope)/\(name)"
    layer.configuration.path = path
    if let sublayers = configuration["layers"]?.array {
      var names: Set<String> = []
      for (index, sublayer) in sublayers.enumerated() {
        var sublayer = try self.layer(
          sublayer, position: index, depth: depth + 1, scope: layer.isSequential ? path : "")
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

  /// The class of a layer by its own name, or with the package in front when it is not one of Keras's.
  ///
  /// A class that the user registered states the name it was registered under, and a module that is not Keras's or none;
  /// it may be called like a class of Keras.
  private static func className(_ name: String, of json: JSONValue) -> String {
    let name = name.hasPrefix("Keras>") ? String(name.dropFirst("Keras>".count)) : name
    guard let registered = json["registered_name"]?.string, !registered.hasPrefix("Keras>") else { return name }
    let module = json["module"]?.string ?? ""
    if module.hasPrefix("keras") || module.hasPrefix("tf_keras"), !registered.contains(">") { return name }
    return registered.contains(">") ? registered : "Custom>\(registered)"
  }

  /// The module of an entry. Legacy files do not name it.
  private func module(of json: JSONValue, _ configuration: JSONValue, className: String) -> String? {
    json["module"]?.string ?? (generation >= 3 && Self.isLegacyOperation(json) ? "keras.ops" : nil)
  }

  /// Whether an entry of a legacy file of Keras 3 is an operation of `keras.ops`: it has a configuration without what
  /// every layer states.
  static func isLegacyOperation(_ json: JSONValue) -> Bool {
    let isBare = ["trainable", "layers", "layer", "batch_shape"].allSatisfy { json["config"]?[$0] == nil }
    return json["module"] == nil && isBare && json["inbound_nodes"]?.array?.isEmpty == false
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
