import OrderedCollections

/// Two Keras files of any layouts.
extension ModelComparison {
  mutating func compare(_ left: KerasModel, _ right: KerasModel) {
    compare(.metadata, "layout", left.layout.rawValue, right.layout.rawValue, counts: false)
    compare(.metadata, "keras version", left.kerasVersion, right.kerasVersion, counts: false)
    compare(.metadata, "backend", left.backend, right.backend, counts: false)
    compare(
      .metadata, "date", left.metadata?["date_saved"]?.string, right.metadata?["date_saved"]?.string, counts: false)
    // A file of weights alone is read with the other's layers, so that weights meet by the paths of layers.
    var (left, right) = (left, right)
    switch (left.root, right.root) {
    case (nil, .some): left = (try? left.adopting(architecture: right)) ?? left
    case (.some, nil): right = (try? right.adopting(architecture: left)) ?? right
    default: break
    }
    // An older generation is compared by what it is in Keras 3, where that exists.
    if left.generation != right.generation {
      left = (try? ConfigurationMigration.toKeras3(left)) ?? left
      right = (try? ConfigurationMigration.toKeras3(right)) ?? right
    }
    if left.layout.holdsLayers != right.layout.holdsLayers {
      note(.structure, "layers", left.layout.holdsLayers ? "stored" : nil, right.layout.holdsLayers ? "stored" : nil)
    }
    if let one = left.root, let other = right.root {
      compareModels(one, other, at: "", areAlike: left.generation == right.generation)
    }
    compareWeights(left, right)
    compareTraining(left, right)
  }

  private mutating func compareModels(_ left: KerasLayer, _ right: KerasLayer, at path: String, areAlike: Bool) {
    let prefix = path.isEmpty ? "" : path + "."
    // The class of Functional models was called Model before.
    if left.className != right.className, !(left.isFunctional && right.isFunctional) {
      differ(.structure, "\(prefix)class_name", left.className, right.className)
    }
    let structural: Set<String> = ["layers", "layer", "input_layers", "output_layers"]
    compareConfigurations(
      left.configuration.json, right.configuration.json, .configuration, at: "\(prefix)config", omitting: structural,
      areAlike: areAlike)
    for key in ["input_layers", "output_layers"] where left.isFunctional && right.isFunctional {
      compare(.structure, "\(prefix)config.\(key)", left.references(key), right.references(key))
    }
    compareLayers(left, right, at: prefix, areAlike: areAlike)
  }

  private mutating func compareLayers(_ left: KerasLayer, _ right: KerasLayer, at prefix: String, areAlike: Bool) {
    let others = OrderedDictionary(right.sublayers.map { ($0.name, $0) }) { first, _ in first }
    let names = Set(left.sublayers.map(\.name))
    for (index, layer) in left.sublayers.enumerated() {
      let path = left.configuration["layers"] == nil ? "\(prefix)config.layer" : "\(prefix)layers[\(index)]"
      guard let other = others[layer.name] else {
        differ(.structure, path, layer.title, nil)
        continue
      }
      compare(.structure, "\(path).inbound_nodes", layer.callText, other.callText)
      compareModels(layer, other, at: path, areAlike: areAlike)
    }
    for (index, layer) in right.sublayers.enumerated() where !names.contains(layer.name) {
      differ(.structure, "\(prefix)layers[\(index)]", nil, layer.title)
    }
    let order = left.sublayers.map(\.name).filter { others[$0] != nil }
    let otherOrder = right.sublayers.map(\.name).filter { names.contains($0) }
    compare(
      .structure, "\(prefix)layers", order.joined(separator: ", "), otherOrder.joined(separator: ", "),
      counts: !(left.isFunctional && right.isFunctional))
  }

  /// - Parameter areAlike: Whether one generation of Keras wrote both; otherwise members of one side only are notes.
  private mutating func compareConfigurations(
    _ left: JSONValue, _ right: JSONValue, _ section: Section, at path: String, omitting omitted: Set<String> = [],
    areAlike: Bool
  ) {
    let (left, right) = (left.normalized(omitting: omitted), right.normalized(omitting: omitted))
    left.forEachDifference(to: right, at: path) { place, one, other in
      let counts = areAlike || (one != nil && other != nil)
      compare(section, place, one?.shortText, other?.shortText, counts: counts)
    }
  }

  private mutating func compareWeights(_ left: KerasModel, _ right: KerasModel) {
    // The layouts other than tf.keras's own have no place for the state of metrics.
    let (ones, others) = (
      left.namedWeights(withMetrics: left.layout == right.layout),
      right.namedWeights(withMetrics: left.layout == right.layout)
    )
    for (name, weight) in ones { compare(.weights, name, weight, others[name]) }
    for (name, weight) in others where ones[name] == nil { compare(.weights, name, nil, weight) }
  }

  private mutating func compare(_ section: Section, _ place: String, _ left: KerasWeight?, _ right: KerasWeight?) {
    switch (left?.value, right?.value) {
    case (.failure(let one), .failure(let other)): compare(section, place, one.message, other.message)
    case (.failure(let one), let other): differ(section, place, one.message, (try? other?.get())?.typeText)
    case (let one, .failure(let other)): differ(section, place, (try? one?.get())?.typeText, other.message)
    case (let one, let other): compare(section, place, try? one?.get(), try? other?.get())
    }
  }

  private mutating func compareTraining(_ left: KerasModel, _ right: KerasModel) {
    let areAlike = left.layout == right.layout && left.generation == right.generation
    let (one, other) = (left.trainingConfiguration?.normalizedTraining, right.trainingConfiguration?.normalizedTraining)
    switch (one, other) {
    case (let one?, let other?): compareConfigurations(one, other, .training, at: "training", areAlike: areAlike)
    case (nil, nil): break
    case (let one, let other):
      let canBeAbsent = !left.layout.holdsLayers || !right.layout.holdsLayers
      compare(.training, "training", one.map { _ in "compiled" }, other.map { _ in "compiled" }, counts: !canBeAbsent)
    }
    let (ones, others) = (left.optimizer?.variables ?? [], right.optimizer?.variables ?? [])
    guard !ones.isEmpty, !others.isEmpty else {
      if ones.count != others.count {
        let (one, other) = (
          ones.isEmpty ? nil : "\(ones.count) variables", others.isEmpty ? nil : "\(others.count) variables"
        )
        // Files of weights alone often leave the optimizer out.
        let counts = left.layout.holdsLayers && right.layout.holdsLayers
        compare(.optimizer, "optimizer state", one, other, counts: counts)
      }
      return
    }
    // Layouts name the variables differently and keep them in one order.
    for index in 0..<max(ones.count, others.count) {
      let (one, other) = (index < ones.count ? ones[index] : nil, index < others.count ? others[index] : nil)
      if left.weightTree != nil, right.weightTree != nil, let one, let other {
        let (group, otherGroup) = (one.innerOptimizer, other.innerOptimizer)
        compare(
          .optimizer, "optimizer variable \(index)", group.joined(separator: "/"), otherGroup.joined(separator: "/"))
      }
      compare(.optimizer, "optimizer variable \(index) \((one ?? other)?.name ?? "")", one, other)
    }
  }
}

extension KerasModel.Layout {
  /// Whether files of this layout describe layers.
  fileprivate var holdsLayers: Bool {
    switch self {
    case .legacyModel, .archive, .folder, .configuration: true
    case .legacyWeights, .weights, .shardedWeights, .safetensors, .arrays: false
    }
  }
}

extension KerasModel {
  /// Every weight by the path of its layer; what belongs to no layer by its group in the file.
  fileprivate func namedWeights(withMetrics: Bool) -> OrderedDictionary<String, KerasWeight> {
    var named: OrderedDictionary<String, KerasWeight> = [:]
    var bound = Set(repeatedPaths)
    func add(_ layer: KerasLayer, scope: String) {
      for (name, weight) in layer.weights {
        named["\(scope)/\(name)"] = weight
        bound.insert(weight.path)
      }
      for sublayer in layer.sublayers { add(sublayer, scope: "\(scope)/\(sublayer.name)") }
    }
    if let root {
      for layer in root.sublayers { add(layer, scope: layer.name) }
      if !root.isModel { for (name, weight) in root.weights { named["\(root.name)/\(name)"] = weight } }
    }
    for group in weightGroups {
      for weight in group.weights where !bound.contains(weight.path) {
        if withMetrics || !weight.isOfMetric { named["\(group.name)/\(weight.name)"] = weight }
      }
    }
    return named
  }
}

extension KerasLayer {
  /// `dense_1 (Dense)`.
  fileprivate var title: String { "\(name) (\(className))" }

  fileprivate func references(_ key: String) -> String {
    guard let references = try? CallParser.references(configuration[key], label: name) else {
      return configuration[key]?.shortText ?? ""
    }
    return references.map(\.text).joined(separator: ", ")
  }

  /// Every call with its arguments; constants that are `null` do not show.
  fileprivate var callText: String {
    calls.map { call in
      let keywords = call.keywordArguments.filter { !$0.value.isNull }.sorted { $0.key < $1.key }
      let arguments = call.arguments.filter { !$0.isNull }.map(\.text) + keywords.map { "\($0.key)=\($0.value.text)" }
      return "(\(arguments.joined(separator: ", ")))"
    }.joined(separator: " ")
  }
}

extension KerasTensorReference {
  fileprivate var text: String { "\(layer)[\(call)][\(output)]" }
}

extension KerasArgument {
  fileprivate var isNull: Bool { if case .constant(.null) = self { true } else { false } }

  fileprivate var text: String {
    switch self {
    case .tensor(let reference): reference.text
    // A layer called on one list is the same as one called on its elements.
    case .list(let arguments): arguments.map(\.text).joined(separator: ", ")
    case .constant(let json): json.normalized().shortText
    }
  }
}
