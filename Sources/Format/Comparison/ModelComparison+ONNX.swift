import OrderedCollections

/// Two graphs of operators.
extension ModelComparison {
  /// Two ONNX files. Where both carry a Keras model that their graphs still are, these are compared as such, whatever the
  /// layout they were in.
  mutating func compare(_ left: Model, _ right: Model) {
    guard case .intact(let one) = KerasSidecar.read(left, path: paths[0]),
      case .intact(let other) = KerasSidecar.read(right, path: paths[1])
    else { return compareEverything(left, right) }
    var (left, right) = (left, right)
    KerasSidecar.detach(from: &left)
    KerasSidecar.detach(from: &right)
    compareEverything(left, right)
    let carried = ModelComparison(paths: paths, tolerance: tolerance, one, other)
    // Most weights stand in the graph as well.
    let hasWeights = differences.contains { $0.section == .weights }
    differences += carried.differences.filter { !hasWeights || $0.section != .weights }
    notes += carried.notes
  }

  private mutating func compareEverything(_ left: Model, _ right: Model) {
    compare(.metadata, "format version", "\(left.irVersion)", "\(right.irVersion)", counts: false)
    compare(.metadata, "producer", left.producerText, right.producerText, counts: false)
    compare(.metadata, "model version", "\(left.modelVersion)", "\(right.modelVersion)", counts: false)
    compare(.metadata, "operator sets", left.operatorSetText, right.operatorSetText)
    compare(.metadata, "domain", left.domain, right.domain)
    compare(.metadata, "graph name", left.graph.name, right.graph.name)
    compare(.metadata, "documentation", left.docString, right.docString, counts: false)
    compareEntries(.metadata, "metadata", left.metadata, right.metadata)
    let other = GraphAlignment.align(right.graph, to: left.graph)
    compareGraphs(left.graph, other, at: "")
    compareFunctions(left.functions, right.functions)
    compare(.training, "training steps", "\(left.trainingInfo.count)", "\(right.trainingInfo.count)")
    for (index, (one, other)) in zip(left.trainingInfo, right.trainingInfo).enumerated() {
      let place = "training \(index)"
      compareGraphs(one.initialization ?? Graph(), other.initialization ?? Graph(), at: "\(place), initialization, ")
      compareGraphs(one.algorithm ?? Graph(), other.algorithm ?? Graph(), at: "\(place), algorithm, ")
      compareEntries(.training, place, one.initializationBindings, other.initializationBindings)
      compareEntries(.training, place, one.updateBindings, other.updateBindings)
    }
  }

  /// A lowered model and an ONNX file, either way round: what is computed counts, what is said about it is noted.
  mutating func compareLowered(_ left: Model, _ right: Model) {
    compare(.metadata, "producer", left.producerText, right.producerText, counts: false)
    compare(.metadata, "operator sets", left.operatorSetText, right.operatorSetText, counts: false)
    var (one, other) = (left.graph, GraphAlignment.align(right.graph, to: left.graph))
    // A lowered graph states no types but those of its inputs and outputs.
    (one.valueInfo, other.valueInfo) = ([], [])
    compareGraphs(one, other, at: "")
    compareFunctions(left.functions, right.functions)
  }

  /// What training left in a Keras file has no place in a graph of operators.
  mutating func noteTraining(_ model: KerasModel, isLeft: Bool) {
    let count = model.optimizer?.variables.count ?? 0
    guard model.trainingConfiguration != nil || count > 0 else { return }
    let text = "compiled" + (count > 0 ? ", \(count) optimizer variables" : "")
    note(.training, "training state, not compared", isLeft ? text : nil, isLeft ? nil : text)
  }

  private mutating func compareFunctions(_ left: [Function], _ right: [Function]) {
    let others = Dictionary(right.map { ($0.title, $0) }) { first, _ in first }
    for function in left {
      let place = "function \(function.title)"
      guard let other = others[function.title] else {
        differ(.structure, place, "\(function.nodes.count) nodes", nil)
        continue
      }
      compare(
        .structure, "\(place), inputs", function.inputs.joined(separator: ", "), other.inputs.joined(separator: ", "))
      let (ones, others) = (function.outputs.joined(separator: ", "), other.outputs.joined(separator: ", "))
      compare(.structure, "\(place), outputs", ones, others)
      compareNodes(function.nodes, other.nodes, at: "\(place), ")
    }
    let names = Set(left.map(\.title))
    for function in right where !names.contains(function.title) {
      differ(.structure, "function \(function.title)", nil, "\(function.nodes.count) nodes")
    }
  }

  mutating func compareGraphs(_ left: Graph, _ right: Graph, at place: String) {
    for (role, ones, others) in [("input", left.inputs, right.inputs), ("output", left.outputs, right.outputs)] {
      let (names, otherNames) = (ones.map(\.name), others.map(\.name))
      compare(.structure, "\(place)\(role)s", names.joined(separator: ", "), otherNames.joined(separator: ", "))
      compareTypes(ones, others, .structure, at: "\(place)\(role)")
    }
    compareTypes(left.valueInfo, right.valueInfo, .metadata, at: "\(place)value")
    let ones = OrderedDictionary(left.initializers.map { ($0.name, $0.tensor) }) { first, _ in first }
    let others = OrderedDictionary(right.initializers.map { ($0.name, $0.tensor) }) { first, _ in first }
    for (name, tensor) in ones { compare(.weights, place + name, tensor, others[name]) }
    for (name, tensor) in others where ones[name] == nil { compare(.weights, place + name, nil, tensor) }
    let sparse = Dictionary(right.sparseInitializers.map { ($0.name, $0.tensor) }) { first, _ in first }
    let sparseNames = Set(left.sparseInitializers.map(\.name))
    for (name, tensor) in left.sparseInitializers { compare(place + name, tensor, sparse[name]) }
    for (name, tensor) in right.sparseInitializers where !sparseNames.contains(name) {
      compare(place + name, nil, tensor)
    }
    compareNodes(left.nodes, right.nodes, at: place)
  }

  /// Types of values by name. A value that one side does not list differs where it is an input or output already.
  private mutating func compareTypes(_ left: [Value], _ right: [Value], _ section: Section, at place: String) {
    let others = Dictionary(right.map { ($0.name, $0) }) { first, _ in first }
    for value in left {
      guard let other = others[value.name] else { continue }
      compare(section, "\(place) \"\(value.name)\"", value.typeText, other.typeText)
    }
  }

  private mutating func compare(_ place: String, _ left: SparseTensor?, _ right: SparseTensor?) {
    compare(.weights, "\(place), values", left?.values, right?.values)
    compare(.weights, "\(place), indices", left?.indices, right?.indices)
    if let left, let right { compare(.weights, place, "\(Shape(left.shape))", "\(Shape(right.shape))") }
  }

  func entryText(_ value: String) -> String { value.count > 60 ? value.prefix(59) + "…" : value }

  private mutating func compareEntries(
    _ section: Section, _ place: String, _ left: TextDictionary, _ right: TextDictionary
  ) {
    var keys: OrderedSet<String> = []
    keys.append(contentsOf: left.keys + right.keys)
    for key in keys where left[key] != right[key] {
      differ(section, "\(place).\(key)", left[key].map(entryText), right[key].map(entryText))
    }
  }
}

extension Model {
  fileprivate var producerText: String {
    [producerName, producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
  }

  fileprivate var operatorSetText: String {
    operatorSets.map { "\($0.domain.isEmpty ? "ai.onnx" : $0.domain) \($0.version)" }.sorted().joined(separator: ", ")
  }
}

extension Function {
  fileprivate var title: String { [domain, name, overload].filter { !$0.isEmpty }.joined(separator: ".") }
}

extension Value {
  fileprivate var typeText: String? {
    guard case .tensor(let elementType, let shape) = type else { return type.map { "\($0)" } }
    return elementType.name + (shape?.description ?? "")
  }
}
