/// Binds the tree of a Keras 3 weights file to layers.
///
/// A group is named after the layer's class with a running number inside its list; newer files also note the layer's own
/// name. Where neither fits, groups of one class are taken in the order of their numbers: Keras 2.13 numbered them with gaps.
struct TreeBinder {
  private(set) var findings: [Finding] = []

  init() {}

  mutating func bind(_ layer: inout KerasLayer, to tree: WeightTree) {
    layer.weightPlace = tree.path
    guard !layer.sublayers.isEmpty else {
      let activation = tree.children["activation"]
      layer.bind(inOrder: activation == nil ? tree.allVariables : tree.variables)
      for (rule, variable) in zip(layer.activationRules, activation?.variables ?? []) {
        layer.weights[rule.name] = variable
      }
      return
    }
    if let list = tree.children["layers"], layer.configuration["layers"] != nil {
      bindList(&layer, to: list)
    } else if let wrapped = tree.children["layer"], layer.sublayers.count == 1 {
      layer.bind(inOrder: tree.variables, behind: layer.repeatsInnerMatrix ? 1 : 0)
      bind(&layer.sublayers[0], to: wrapped)
    } else if layer.configuration["layers"] == nil {
      layer.bind(inOrder: tree.allVariables)
    }
  }

  private mutating func bindList(_ model: inout KerasLayer, to list: WeightTree) {
    let names = Self.groupNames(of: model.sublayers)
    var unused = Set(list.children.keys)
    let ranked = Self.rankedNames(of: model.sublayers, in: list)
    let ownKeys = Dictionary(grouping: list.children.keys) { list.children[$0]?.layerName }
    for index in model.sublayers.indices {
      guard let name = names[index] else { continue }
      let layer = model.sublayers[index]
      let byOwnName = ownKeys[layer.name]?.first { Self.isGroup($0, of: layer) }
      let byPosition = ranked[index] ?? (list.children[name] == nil ? nil : name)
      guard let key = byOwnName ?? byPosition, let group = list.children[key] else { continue }
      unused.remove(key)
      bind(&model.sublayers[index], to: group)
    }
    for key in unused.sorted() {
      guard let group = list.children[key], !group.allVariables.isEmpty else { continue }
      findings.append(
        Finding(.warning, "unused-weights", "the weights of \"\(key)\" belong to no layer", at: group.path))
    }
  }

  /// The group that Keras gives each layer: class name in snake case, and a number from the second of a class on.
  private static func groupNames(of layers: [KerasLayer]) -> [Int: String] {
    var counts: [String: Int] = [:]
    var names: [Int: String] = [:]
    for (index, layer) in layers.enumerated() where !layer.isOperation {
      let stem = stem(of: layer)
      let count = counts[stem, default: 0]
      names[index] = count == 0 ? stem : "\(stem)_\(count)"
      counts[stem] = count + 1
    }
    return names
  }

  /// The layers' groups by rank, for each class whose numbered groups with variables are as many as its layers with some.
  private static func rankedNames(of layers: [KerasLayer], in list: WeightTree) -> [Int: String] {
    var takers: [String: [Int]] = [:]
    for (index, layer) in layers.enumerated() where !layer.isOperation {
      let mayHaveVariables = !layer.sublayers.isEmpty || layer.variableRules?.isEmpty == false
      if mayHaveVariables { takers[stem(of: layer), default: []].append(index) }
    }
    var names: [Int: String] = [:]
    let filled = list.children.filter { !$0.value.allVariables.isEmpty }.keys
    let givers = Dictionary(grouping: filled) { WeightTree.splitNumber($0).stem }
    for (stem, indices) in takers {
      let groups = (givers[stem] ?? []).sorted(by: WeightTree.precedes)
      guard groups.count == indices.count else { continue }
      for (index, name) in zip(indices, groups) { names[index] = name }
    }
    return names
  }

  private static func stem(of layer: KerasLayer) -> String {
    let className = layer.className.split(separator: ">").last.map(String.init) ?? layer.className
    return KerasConfigurationParser.snakeCase(className)
  }

  private static func isGroup(_ key: String, of layer: KerasLayer) -> Bool {
    WeightTree.splitNumber(key).stem == WeightTree.splitNumber(stem(of: layer)).stem || key == stem(of: layer)
  }
}
