import OrderedCollections

/// Turns a graph of ONNX operators into Keras layers.
///
/// Nodes are visited in order. What depends on constants alone is folded, shapes that the graph computes are known from
/// inference, and every other node begins a layer of the table. A node that does not is an error as soon as a layer or an
/// output needs it: a layer of several operators may begin at any of them.
struct Raising {
  /// Which generation of Keras the layers are for: 2 or 3.
  let generation: Int
  var model: Model
  let inference: ShapeInference
  var layers: [RaisedLayer] = []
  var values: [String: RaisedValue] = [:]
  var constants: [String: Tensor] = [:]
  /// What concerns the user.
  var notes: [ConversionNote] = []
  /// Names that layers have.
  var takenNames: Set<String> = []
  /// The last number that each name was given, so that the next is found at once.
  var lastNumbers: [String: Int] = [:]
  /// Nodes that already belong to a layer, by their first output.
  private var absorbed: Set<String> = []
  /// Values that hold shapes or parts of them.
  private var shapeValues: Set<String> = []
  /// Why values are not the output of a layer.
  private(set) var failures: [String: FormatError] = [:]
  private let consumers: [String: [Int]]
  private let producers: [String: Int]
  private let outputNames: Set<String>

  init(_ model: Model, generation: Int) throws(FormatError) {
    var model = model
    let constantNames = Set(model.graph.initializers.map(\.name))
    model.graph.inputs.removeAll { constantNames.contains($0.name) }
    for (index, input) in model.graph.inputs.enumerated() {
      guard case .tensor(let elementType, var shape?) = input.type, let first = shape.dimensions.first else { continue }
      if first == .unknown || first == .symbolic("") { shape[0] = .symbolic("batch") }
      model.graph.inputs[index].type = .tensor(elementType, shape)
    }
    // Interiors are derived anew: what files state of them is often stale.
    model.graph.valueInfo = []
    self.model = model
    self.generation = generation
    inference = try ShapeInference.infer(model)
    var consumers: [String: [Int]] = [:]
    var producers: [String: Int] = [:]
    for (index, node) in model.graph.nodes.enumerated() {
      for name in Set(node.inputs) where !name.isEmpty { consumers[name, default: []].append(index) }
      for name in node.outputs where !name.isEmpty { producers[name] = index }
    }
    self.consumers = consumers
    self.producers = producers
    outputNames = Set(model.graph.outputs.map(\.name))
    for (place, initializer) in model.graph.initializers.enumerated() {
      var tensor = initializer.tensor
      tensor.origin = TensorOrigin(initializer: place, shape: tensor.shape)
      constants[initializer.name] = tensor
    }
    // Rules look ahead, to constants that stand behind the node at which a layer begins.
    for node in model.graph.nodes where node.operatorType == "Constant" && node.outputs.count == 1 {
      constants[node.outputs[0]] = try? WeightFolding.fold(node, inputs: [])
    }
  }

  /// Raises the whole graph.
  mutating func run() throws(FormatError) {
    guard model.graph.sparseInitializers.isEmpty else {
      throw FormatError(.unsupported, "sparse initializers have no counterpart in Keras")
    }
    for input in model.graph.inputs { try addInput(input) }
    for node in model.graph.nodes {
      guard let output = node.outputs.first, !absorbed.contains(output) else { continue }
      do throws(FormatError) {
        try raise(node, output: output)
      } catch {
        let cause = node.inputs.compactMap { failures[$0] }.first ?? error
        for name in node.outputs where values[name] == nil { failures[name] = cause }
      }
    }
  }

  private mutating func raise(_ node: Node, output: String) throws(FormatError) {
    let inputs = node.inputs.filter { !$0.isEmpty }
    if constants[output] != nil { return }
    if inputs.allSatisfy({ constants[$0] != nil }) {
      constants[output] = try WeightFolding.fold(node, inputs: node.inputs.map { constants[$0] })
      return
    }
    let isShapeWork = inputs.allSatisfy { shapeValues.contains($0) || constants[$0] != nil }
    if node.operatorType == "Shape" || node.operatorType == "Size" || isShapeWork {
      shapeValues.formUnion(node.outputs)
      return
    }
    for rule in RaisingTable.rules(for: node) where try rule.raise(node, &self) { return }
    let isOperation = generation < 3 && OperationRaising.operators.contains(node.operatorType)
    throw error(
      node, isOperation ? "no layer of Keras 2 computes this" : "no Keras layer computes this",
      advice: isOperation ? "Convert to .keras, where Keras 3 has operations for it" : nil)
  }

  /// The tensor of one number that a node repeats in a shape which the graph computes.
  func filling(named name: String) -> Tensor? {
    guard let node = producer(of: name) else { return nil }
    switch node.operatorType {
    case "ConstantOfShape":
      if case .tensor(let tensor)? = node.attribute("value") { return tensor }
      return Tensor([Float(0)], shape: [])
    case "Expand": return constant(node, 0).flatMap { $0.count == 1 ? $0 : nil }
    default: return nil
    }
  }

  private mutating func addInput(_ input: Value) throws(FormatError) {
    guard let elementType = input.elementType, let shape = input.shape, shape.rank > 0 else {
      throw FormatError(
        .unsupported, "the input \"\(input.name)\" is no tensor of known rank with a batch in front", at: "inputs")
    }
    layers.append(
      RaisedLayer(
        className: "InputLayer", name: uniqueName(input.name, fallback: "input"), configuration: [:],
        elementType: elementType, inputShape: [nil] + shape.dimensions.dropFirst().map(\.value)))
    values[input.name] = RaisedValue(layer: layers.count - 1)
  }

  /// The one node that uses a value, when there is just one and the value is no output of the graph.
  func soleConsumer(of name: String) -> Node? {
    guard !outputNames.contains(name), let users = consumers[name], users.count == 1 else { return nil }
    return model.graph.nodes[users[0]]
  }

  /// The first node of some operators that uses a value.
  func consumer(of name: String, _ operators: Set<String>) -> Node? {
    (consumers[name] ?? []).lazy.map { model.graph.nodes[$0] }.first { operators.contains($0.operatorType) }
  }

  /// The nodes that use a value.
  func users(of name: String) -> [Node] { (consumers[name] ?? []).map { model.graph.nodes[$0] } }

  /// The node that makes a value.
  func producer(of name: String) -> Node? { producers[name].map { model.graph.nodes[$0] } }

  /// How many nodes and outputs use a value.
  func useCount(_ name: String) -> Int { (consumers[name]?.count ?? 0) + (outputNames.contains(name) ? 1 : 0) }

  /// Leaves a node out, since a layer already does its work.
  mutating func absorb(_ nodes: Node?...) {
    for node in nodes { if let name = node?.outputs.first { absorbed.insert(name) } }
  }

  /// Whether a value is the layer output of a name, and not a shape or a constant.
  func isValue(_ name: String) -> Bool { values[name] != nil }

  /// An error that names a node.
  func error(_ node: Node, _ message: String, advice: String? = nil) -> FormatError {
    FormatError(.unsupported, message, at: "node \(node.label)", advice: advice)
  }
}
