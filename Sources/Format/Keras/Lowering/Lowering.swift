/// A value that lowering has produced, with what is known of it.
struct LoweredValue: Sendable {
  var name: String
  var type: InferredValue

  var shape: Shape? { type.shape }
  var elementType: ElementType? { type.elementType }

  /// The number of axes, batch included.
  var rank: Int? { type.shape?.rank }
}

/// One call of a layer, as a rule sees it.
struct LayerCall {
  let layer: KerasLayer
  /// The layer's unique path: its name behind those of the models around it.
  let scope: String
  /// Which call of a shared layer this is.
  let index: Int
  var inputs: [LoweredValue]
  /// The call's arguments in a Functional model.
  let arguments: KerasCall?
  /// How many models and wrappers are around the layer.
  var depth = 0

  var configuration: LayerConfiguration { layer.configuration }

  /// The single input of the layer.
  func input() throws(FormatError) -> LoweredValue {
    guard let first = inputs.first, inputs.count == 1 else {
      throw error(.mismatch, "takes one input, but \(inputs.count) are connected")
    }
    return first
  }

  /// The single input and its number of axes.
  func rankedInput() throws(FormatError) -> (LoweredValue, rank: Int) {
    let input = try input()
    guard let rank = input.rank else { throw error(.unsupported, "the shape of its input is not known") }
    return (input, rank)
  }

  /// An axis counted from the end or the front, batch included, as a non-negative one.
  func axis(_ axis: Int, rank: Int) throws(FormatError) -> Int {
    let result = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(result) else { throw error(.mismatch, "axis \(axis) is outside of rank \(rank)") }
    return result
  }

  /// An error that names the layer and its class.
  func error(_ kind: FormatError.Kind, _ message: String, advice: String? = nil) -> FormatError {
    FormatError(kind, message, at: "layer \"\(scope)\" (\(layer.className))", advice: advice)
  }
}

/// Turns a Keras model into a graph of ONNX operators.
struct Lowering {
  /// The operator set that rules emit for.
  let operatorSetVersion: Int
  /// Whether layers that cannot be lowered become opaque nodes, as reports want them, instead of errors.
  let isTolerant: Bool
  let limits: ReadLimits
  var graph = Graph()
  var inference: ShapeInference
  /// Every layer that was called, in order, with its outputs.
  var layers: [LoweredLayer] = []
  var problems: [FormatError] = []
  /// The initializers that hold variables of the file bit for bit, by the place of the variable.
  var carriedWeights: [String: String] = [:]
  /// The layers whose masks Keras hands on beside values, by the names of these.
  var masks: [String: String] = [:]
  private var usedNames: Set<String> = []
  var scopes: [String: String] = [:]
  var usedScopes: Set<String> = []
  /// The constants that each layer has made, by the name it gave them.
  private var constants: [String: [Initializer]] = [:]
  /// The last number that each name was given, so that the next is found at once.
  private var lastNumbers: [String: Int] = [:]

  init(operatorSetVersion: Int, isTolerant: Bool, limits: ReadLimits) {
    self.operatorSetVersion = operatorSetVersion
    self.isTolerant = isTolerant
    self.limits = limits
    inference = ShapeInference(operatorSets: [OperatorSetImport(version: operatorSetVersion), Self.machineLearningSet])
  }

  /// The domain of operators that look things up, and the set of it that is emitted: the first with whole numbers on both
  /// sides of a table.
  static let machineLearning = "ai.onnx.ml"
  static let machineLearningSet = OperatorSetImport(domain: machineLearning, version: 2)

  /// The operator sets of what was emitted.
  var operatorSets: [OperatorSetImport] {
    let usesTables = graph.nodes.contains { $0.domain == Self.machineLearning }
    return [OperatorSetImport(version: operatorSetVersion)] + (usesTables ? [Self.machineLearningSet] : [])
  }

  /// Emits a node with one output.
  ///
  /// - Parameter suffix: what tells the node from others of the same layer; by default the operator in lower case.
  mutating func add(
    _ operatorType: String, _ inputs: [LoweredValue?], in call: LayerCall, suffix: String? = nil, domain: String = "",
    attributes: [Attribute] = []
  ) throws(FormatError) -> LoweredValue {
    if let value = try olderForm(of: operatorType, inputs, in: call, attributes: attributes) { return value }
    let name = unique("\(call.scope)/\(suffix ?? operatorType.lowercased())")
    let node = Node(
      name: name, operatorType, domain: domain, inputs: inputs.map { $0?.name ?? "" }, outputs: [name],
      attributes: attributes)
    do throws(FormatError) {
      let outputs = try inference.add(node)
      graph.nodes.append(node)
      return LoweredValue(name: name, type: outputs.first ?? InferredValue())
    } catch {
      throw call.error(error.kind, error.message)
    }
  }

  /// Emits a node with several outputs.
  mutating func addAll(
    _ operatorType: String, _ inputs: [LoweredValue?], outputs count: Int, in call: LayerCall,
    attributes: [Attribute] = []
  ) throws(FormatError) -> [LoweredValue] {
    if let wide = try widened(inputs, of: operatorType, in: call) {
      return try addAll(operatorType, wide, outputs: count, in: call, attributes: attributes)
        .mapTyped { (value) throws(FormatError) in try narrowed(value, in: call) }
    }
    let name = unique("\(call.scope)/\(operatorType.lowercased())")
    let names = (0..<count).map { unique("\(name)/output_\($0)") }
    let node = Node(
      name: name, operatorType, inputs: inputs.map { $0?.name ?? "" }, outputs: names, attributes: attributes)
    do throws(FormatError) {
      let types = try inference.add(node)
      graph.nodes.append(node)
      return names.enumerated().map { index, name in
        LoweredValue(name: name, type: types.indices.contains(index) ? types[index] : InferredValue())
      }
    } catch {
      throw call.error(error.kind, error.message)
    }
  }

  /// A constant of the layer. A shared layer makes equal constants of one name once.
  mutating func constant(_ tensor: Tensor, _ name: String, in call: LayerCall) -> LoweredValue {
    let key = "\(call.scope)\u{0}\(name)"
    if let made = constants[key]?.first(where: { (try? $0.tensor.hasSameElements(as: tensor)) == true }) {
      return LoweredValue(name: made.name, type: inference[made.name] ?? InferredValue())
    }
    let initializer = Initializer(name: unique("\(call.scope)/\(name)"), tensor: tensor)
    constants[key, default: []].append(initializer)
    graph.initializers.append(initializer)
    inference.addInitializer(initializer)
    return LoweredValue(name: initializer.name, type: inference[initializer.name] ?? InferredValue())
  }

  /// A scalar constant in the element type that the layer computes in.
  mutating func scalar(_ value: Float, _ name: String, like reference: LoweredValue, in call: LayerCall)
    throws(FormatError) -> LoweredValue
  {
    let elementType = reference.elementType ?? .float32
    // Keras's layers bring their numbers to single precision first, whatever they compute in.
    return try number(Double(value), name, as: elementType.isFloatingPoint ? elementType : .float32, in: call)
  }

  /// A variable of the layer in the type it computes in.
  ///
  /// - Throws: `FormatError` of kind `missing` when the file does not hold it, or why it cannot be read.
  mutating func weight(_ name: String, in call: LayerCall) throws(FormatError) -> LoweredValue {
    let policy = call.configuration.policy
    let stored = try storedWeight(name, in: call)
    let key = "\(call.scope)\u{0}\(name)\u{0}variable"
    let value: LoweredValue
    if let made = constants[key]?.first {
      value = LoweredValue(name: made.name, type: inference[made.name] ?? InferredValue())
    } else {
      let tensor = try stored.converted(to: policy.variable)
      value = constant(tensor, name, in: call)
      constants[key] = [Initializer(name: value.name, tensor: tensor)]
    }
    if stored.elementType == policy.variable { carry(name, as: value, in: call) }
    guard policy.variable != policy.compute else { return value }
    return try cast(value, to: policy.compute, in: call, suffix: "\(name)/cast")
  }

  /// Notes that a constant holds a variable of the layer as the file does.
  mutating func carry(_ name: String, as value: LoweredValue, in call: LayerCall) {
    if let path = call.layer.weights[name]?.path { carriedWeights[path] = value.name }
  }

  /// A variable as the file holds it.
  func storedWeight(_ name: String, in call: LayerCall) throws(FormatError) -> Tensor {
    guard let weight = call.layer.weights[name] else {
      let held = call.layer.weights.keys.joined(separator: ", ")
      let place = call.layer.weightPlace.map { " in \($0)" } ?? ""
      throw call.error(
        .missing, "the file holds no \"\(name)\" for the layer\(place)" + (held.isEmpty ? "" : ", only \(held)"))
    }
    do throws(FormatError) {
      return try weight.tensor()
    } catch {
      throw FormatError(error.kind, error.message, at: error.place ?? weight.path)
    }
  }

  /// The value in another element type.
  mutating func cast(
    _ value: LoweredValue, to elementType: ElementType, in call: LayerCall, suffix: String = "cast"
  ) throws(FormatError) -> LoweredValue {
    if value.elementType == elementType { return value }
    return try add(
      "Cast", [value], in: call, suffix: suffix, attributes: [Attribute("to", .int(Int64(elementType.rawValue)))])
  }

  /// Small constant lists of integers: axes, shapes.
  mutating func integers(_ values: [Int], _ name: String, in call: LayerCall) -> LoweredValue {
    constant(Tensor(values.map(Int64.init)), name, in: call)
  }

  /// A name that no value has yet.
  mutating func unique(_ name: String) -> String {
    var candidate = name
    while !usedNames.insert(candidate).inserted {
      lastNumbers[name, default: 0] += 1
      candidate = "\(name)_\(lastNumbers[name, default: 0])"
    }
    return candidate
  }

  /// Gives the last node of a call, when it made the output, the layer's own name.
  mutating func rename(_ outputs: [LoweredValue], nodesFrom start: Int, in call: LayerCall) -> [LoweredValue] {
    var outputs = outputs
    let base = call.index == 0 ? call.scope : "\(call.scope):\(call.index)"
    for (position, value) in outputs.enumerated() {
      guard
        let nodeIndex = graph.nodes[start...].lastIndex(where: { $0.outputs.first == value.name })
      else { continue }
      let name = unique(position == 0 ? base : "\(base):output_\(position)")
      graph.nodes[nodeIndex].outputs[0] = name
      graph.nodes[nodeIndex].name = name
      for index in start..<graph.nodes.count {
        graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0 == value.name ? name : $0 }
      }
      inference.add(value.type, named: name)
      outputs[position].name = name
    }
    return outputs
  }
}

/// A layer that was called, for reports.
struct LoweredLayer: Sendable {
  var layer: KerasLayer
  var scope: String
  /// How many models are around it.
  var depth: Int
  var outputs: [LoweredValue]
}
