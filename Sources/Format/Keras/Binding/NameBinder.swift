/// Given names of weights by the names that layers call for.
struct WeightNames {
  private var given: [String: String] = [:]

  /// - Parameter root: the name of the model, which Keras puts in front of names.
  init(_ names: some Sequence<String>, root: String?) {
    for name in names {
      let plain = WeightExchange.plain(name)
      var parts = plain.split(separator: plain.contains("/") ? "/" : ".").map(String.init)
      if parts.count > 2, parts[0] == root { parts.removeFirst() }
      // Legacy files name the layer twice: its group, and the variable's own path.
      if parts.count > 2, parts[0] == parts[1] { parts.removeFirst() }
      let short = parts.joined(separator: "/")
      given[short] = given[short] ?? name
    }
    for name in names { given[name] = name }
  }

  /// The given name for `dense/kernel`.
  subscript(name: String) -> String? { given[name] }
}

/// Binds weights to layers by name: `dense/kernel`, `block/dense/bias`, and what `WeightExchange` understands besides.
struct NameBinder {
  private let weights: [String: KerasWeight]
  private let names: WeightNames

  init(_ weights: [KerasWeight], root: String) {
    self.weights = Dictionary(weights.map { ($0.path, $0) }) { first, _ in first }
    names = WeightNames(weights.map(\.path), root: root)
  }

  /// Gives the layers below a model their variables; those of a model without layers are its own.
  func bind(_ root: inout KerasLayer) {
    if root.sublayers.isEmpty { return fill(&root, inside: "") }
    for index in root.sublayers.indices { fill(&root.sublayers[index], inside: "") }
  }

  private func fill(_ layer: inout KerasLayer, inside scope: String) {
    let prefix = "\(scope)\(layer.name)/"
    for rule in layer.variableRules ?? [] {
      if let name = names[prefix + rule.name], let weight = weights[name] { layer.weights[rule.name] = weight }
    }
    if layer.variableRules == nil { bindAll(below: prefix, to: &layer) }
    for index in layer.sublayers.indices { fill(&layer.sublayers[index], inside: prefix) }
  }

  /// A layer without rules takes everything directly below its name.
  private func bindAll(below prefix: String, to layer: inout KerasLayer) {
    for name in weights.keys.sorted() where name.hasPrefix(prefix) && !name.dropFirst(prefix.count).contains("/") {
      layer.weights[String(name.dropFirst(prefix.count))] = weights[name]
    }
  }
}

extension KerasModel {
  /// Weights by name, as safetensors files and NumPy archives hold them.
  package init(tensors: some Sequence<(key: String, value: Tensor)>, path: String, layout: Layout) {
    self.init(path: path, layout: layout)
    var groups: [(name: String, weights: [KerasWeight])] = []
    for (name, tensor) in tensors {
      let layer = name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
      if groups.last?.name != layer { groups.append((layer, [])) }
      let variable = name.split(separator: "/").last.map(String.init) ?? name
      groups[groups.count - 1].weights.append(KerasWeight(name: variable, path: name, value: .success(tensor)))
    }
    weightGroups = groups.map { KerasWeightGroup(name: $0.name, path: $0.name, weights: $0.weights) }
  }
}
