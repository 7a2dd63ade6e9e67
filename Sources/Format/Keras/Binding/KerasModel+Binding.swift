import OrderedCollections

extension KerasModel {
  /// Gives every layer of the tree its variables, by the rules of the file's layout.
  ///
  /// Variables that are missing are not an error here: the layer stays without them, and running it names them.
  mutating func bindWeights() throws(FormatError) {
    guard var root else { return }
    switch layout {
    case .legacyModel, .legacyWeights:
      var binder = LegacyBinder(groups: weightGroups)
      binder.bind(&root)
      findings += binder.findings
    case .weights, .shardedWeights, .archive, .folder:
      if let weightTree {
        var binder = TreeBinder()
        binder.bind(&root, to: weightTree)
        findings += binder.findings
      }
    case .safetensors, .arrays: NameBinder(weights, root: root.name).bind(&root)
    case .configuration: break
    }
    self.root = root
  }

  /// The model with the layers of another file, for a weights-only one.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the other file describes no layers.
  public func adopting(architecture: KerasModel) throws(FormatError) -> KerasModel {
    guard let configuration = architecture.configuration else {
      throw FormatError(
        .mismatch, "describes no layers, so it cannot serve as the architecture", file: architecture.path)
    }
    var model = self
    model.configuration = configuration
    model.kerasVersion = architecture.kerasVersion ?? kerasVersion
    model.trainingConfiguration = trainingConfiguration ?? architecture.trainingConfiguration
    model.root = architecture.root?.withoutWeights
    model.onnxSidecar = architecture.onnxSidecar
    model.findings = findings.filter { $0.code != "no-architecture" }
    try model.bindWeights()
    return model
  }
}

extension KerasLayer {
  /// The same tree with no weights bound.
  var withoutWeights: KerasLayer {
    var copy = self
    copy.weights = [:]
    copy.sublayers = sublayers.map(\.withoutWeights)
    return copy
  }

  /// The variables that the layer's class and configuration call for; `nil` for a class without a rule.
  var variableRules: [VariableRule]? {
    if isModel || className == "InputLayer" { return [] }
    // A wrapper that is not run is still known by the layer inside.
    if !sublayers.isEmpty { return KerasLayerTable.rule(for: self)?.variables(configuration) ?? [] }
    let own = KerasLayerTable.rule(for: self)?.variables(configuration)
    return own.map { $0 + activationRules }
  }

  /// Whether the layer's numbered variables begin with the matrix of the layer inside, which stands there as well.
  var repeatsInnerMatrix: Bool { !sublayers.isEmpty && KerasLayerTable.rule(for: self)?.repeatsInnerMatrix == true }

  /// The layer that stands in the place of an activation function.
  var activationLayer: KerasLayer? {
    guard let json = configuration["activation"], let className = json["class_name"]?.string,
      let inner = json["config"], inner.object != nil
    else { return nil }
    return KerasLayer(
      className: className, name: "\(name)/activation", module: json["module"]?.string,
      configuration: LayerConfiguration(json: inner, generation: configuration.generation, label: configuration.label))
  }

  /// The variables of the layer that stands in the place of an activation function, such as the slope of a `PReLU`.
  var activationRules: [VariableRule] {
    guard let layer = activationLayer, layer.configuration["activation"] == nil else { return [] }
    return KerasLayerTable.rule(for: layer)?.variables(layer.configuration) ?? []
  }

  /// Names variables in the order of the rules; what goes beyond them, or a layer without rules, keeps the file's names.
  ///
  /// Variables that the file numbers are counted by their numbers, so that a missing one does not move the others.
  ///
  /// - Parameter repeated: how many variables of other layers come first.
  mutating func bind(inOrder variables: some Sequence<KerasWeight>, behind repeated: Int = 0) {
    let rules = variableRules ?? []
    for (index, variable) in variables.enumerated() {
      let number = Int(variable.name) ?? index
      guard number >= repeated else { continue }
      let position = number - repeated
      let name = rules.indices.contains(position) ? rules[position].name : VariableRule.baseName(variable.name)
      weights[weights[name] == nil ? name : "\(name)_\(index)"] = variable
    }
  }
}

/// One variable that a class of layers has.
struct VariableRule: Sendable {
  let name: String
  let isTrainable: Bool
  /// Names of the same variable in older files.
  let aliases: [String]

  init(_ name: String, trainable isTrainable: Bool = true, aliases: [String] = []) {
    self.name = name
    self.isTrainable = isTrainable
    self.aliases = aliases
  }

  /// The last part of a variable's path without TensorFlow's output number: `dense/kernel:0` gives `kernel`.
  static func baseName(_ name: String) -> String {
    let last = name.split(separator: "/").last.map(String.init) ?? name
    return last.split(separator: ":").first.map(String.init) ?? last
  }

  /// Whether a variable's stored name means this one, in the spelling of Keras 2 and 3 or that of Keras 1.
  func matches(_ storedName: String) -> Bool {
    let base = Self.baseName(storedName)
    return base == name || aliases.contains { base.hasSuffix("_\($0)") || base == $0 }
  }
}
