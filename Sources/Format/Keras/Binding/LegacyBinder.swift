import OrderedCollections

/// Binds the groups of a legacy HDF5 file to layers: groups by layer name, else by position among the layers that have
/// variables, as Keras itself does; variables inside a group by name, else by position.
struct LegacyBinder {
  let groups: [KerasWeightGroup]
  private(set) var findings: [Finding] = []

  init(groups: [KerasWeightGroup]) { self.groups = groups }

  mutating func bind(_ model: inout KerasLayer) {
    let byName = Dictionary(groups.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let filled = groups.filter { !$0.weights.isEmpty && $0.name != "top_level_model_weights" }
    // A layer that has variables must find a group of its name, else the names are another model's.
    let takers = model.sublayers.indices.filter { Self.needsVariables(model.sublayers[$0]) }
    let namesFit = takers.allSatisfy { byName[model.sublayers[$0].name]?.weights.isEmpty == false }
    if namesFit || takers.count != filled.count {
      for index in model.sublayers.indices {
        guard let group = byName[model.sublayers[index].name] else { continue }
        fill(&model.sublayers[index], from: group)
      }
    } else {
      for (index, group) in zip(takers, filled) { fill(&model.sublayers[index], from: group) }
    }
    let names = Set(model.sublayers.map(\.name))
    if namesFit {
      for group in filled where !names.contains(group.name) {
        findings.append(
          Finding(.warning, "unused-weights", "the weights of \"\(group.name)\" belong to no layer", at: group.path))
      }
    }
  }

  /// Whether a layer, or one inside of it, has variables or may have some.
  private static func needsVariables(_ layer: KerasLayer) -> Bool {
    if let rules = layer.variableRules, layer.sublayers.isEmpty { return !rules.isEmpty }
    return layer.sublayers.contains(where: needsVariables)
  }

  private mutating func fill(_ layer: inout KerasLayer, from group: KerasWeightGroup) {
    layer.weightPlace = group.path
    var leaves = Leaves()
    leaves.collect(layer, trainable: true)
    let rules = leaves.entries.map(\.rule)
    let order = leaves.savedOrder
    if leaves.isComplete, rules.count != group.weights.count {
      let wanted = leaves.entries.map { "\($0.layer).\($0.rule.name)" }.joined(separator: ", ")
      findings.append(
        Finding(
          .error, "wrong-weight-count",
          "layer \"\(layer.name)\" stores \(group.weights.count) weights, but its configuration calls for \(rules.count) (\(wanted))",
          at: group.path))
    }
    guard leaves.isComplete else { return layer.bind(inOrder: group.weights) }
    for weight in group.weights where VariableRule.baseName(weight.name).hasPrefix("lora_") {
      layer.weights[VariableRule.baseName(weight.name)] = weight
    }
    var bound: [Int: KerasWeight] = [:]
    if let named = Self.matchByName(leaves.entries, group.weights) {
      bound = named
    } else {
      for (position, entry) in order.enumerated() where position < group.weights.count {
        bound[entry] = group.weights[position]
      }
    }
    var index = 0
    assign(&layer, bound, &index)
  }

  /// The variable of each entry, when every entry finds exactly one of its name and no other entry wants the same.
  private static func matchByName(_ entries: [Leaves.Entry], _ weights: [KerasWeight]) -> [Int: KerasWeight]? {
    var bound: [Int: KerasWeight] = [:]
    var taken: Set<Int> = []
    for (index, entry) in entries.enumerated() {
      var candidates = weights.indices.filter { entry.rule.matches(weights[$0].name) }
      if candidates.count > 1 {
        candidates = candidates.filter {
          weights[$0].name.split(separator: "/").dropLast().contains(Substring(entry.layer))
        }
      }
      guard candidates.count == 1, taken.insert(candidates[0]).inserted else { return nil }
      bound[index] = weights[candidates[0]]
    }
    return bound
  }

  private func assign(_ layer: inout KerasLayer, _ bound: [Int: KerasWeight], _ index: inout Int) {
    for rule in layer.variableRules ?? [] {
      if let weight = bound[index] { layer.weights[rule.name] = weight }
      index += 1
    }
    for position in layer.sublayers.indices { assign(&layer.sublayers[position], bound, &index) }
  }
}

/// The variables of a layer and of all layers inside of it.
private struct Leaves {
  struct Entry {
    var layer: String
    var rule: VariableRule
    var isTrainable: Bool
  }

  private(set) var entries: [Entry] = []
  /// Whether the rules of every layer are known.
  private(set) var isComplete = true

  mutating func collect(_ layer: KerasLayer, trainable: Bool) {
    let trainable = trainable && layer.configuration["trainable"]?.bool != false
    if let rules = layer.variableRules {
      entries += rules.map { Entry(layer: layer.name, rule: $0, isTrainable: trainable && $0.isTrainable) }
    } else {
      isComplete = false
    }
    for sublayer in layer.sublayers { collect(sublayer, trainable: trainable) }
  }

  /// The entries in the order in which Keras saves them: all trainable ones first.
  var savedOrder: [Int] {
    entries.indices.filter { entries[$0].isTrainable } + entries.indices.filter { !entries[$0].isTrainable }
  }
}
