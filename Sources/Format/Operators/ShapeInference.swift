/// Types and shapes of all values of a graph, derived node by node from the inputs and initializers.
public struct ShapeInference: Sendable {
  /// What is known of each value, by name.
  public private(set) var values: [String: InferredValue] = [:]
  let operatorSets: [OperatorSetImport]
  /// What the graph itself says of values, to fill what the rules leave open.
  private var stated: [String: InferredValue] = [:]

  /// Inference that knows no values yet, for a graph that imports these operator sets.
  public init(operatorSets: [OperatorSetImport]) { self.operatorSets = operatorSets }

  /// Derives all values of a model's graph.
  ///
  /// Nodes of unknown operators have outputs as far as the graph states them; calls of local functions are followed.
  /// - Throws: `FormatError` that names the first node which contradicts its operator or its inputs.
  public static func infer(_ model: Model) throws(FormatError) -> ShapeInference {
    var inference = ShapeInference(operatorSets: model.operatorSets)
    let graph = model.graph
    for value in graph.inputs { inference.addInput(value) }
    let inputNames = Set(graph.inputs.map(\.name))
    for initializer in graph.initializers {
      inference.addInitializer(initializer)
      // Since format version 4 a caller may replace an initializer that is also an input.
      if model.irVersion >= 4, inputNames.contains(initializer.name) {
        inference.values[initializer.name]?.contents = nil
      }
    }
    for (name, tensor) in graph.sparseInitializers {
      let value = InferredValue(elementType: tensor.values.elementType, shape: Shape(tensor.shape))
      inference.values[name] = value.consistent
    }
    for value in graph.valueInfo + graph.outputs { inference.addStated(value) }
    var functions = FunctionInference(model.functions)
    for node in graph.nodes { try inference.add(node, functions: &functions) }
    return inference
  }

  /// What is known of a value; `nil` when no input, initializer or node of that name has been added.
  public subscript(name: String) -> InferredValue? { values[name] }

  /// Adds an input of the graph with the type that it states.
  public mutating func addInput(_ value: Value) { values[value.name] = InferredValue(value) }

  /// Adds a value of known type, such as an argument of a function.
  public mutating func add(_ value: InferredValue, named name: String) { values[name] = value }

  /// Adds a constant with its elements when it is a small integer tensor.
  public mutating func addInitializer(_ initializer: Initializer) {
    values[initializer.name] = InferredValue(initializer.tensor)
  }

  /// Adds what the graph says of an intermediate value or output. Rules prevail over it; gaps are filled from it.
  public mutating func addStated(_ value: Value) { stated[value.name] = InferredValue(value) }

  /// Adds a node and derives its outputs.
  ///
  /// - Returns: One entry for each output; without type and shape when the operator is unknown.
  /// - Throws: `FormatError` of kind `malformed`, `mismatch` or `limit` that names the node.
  @discardableResult
  public mutating func add(_ node: Node) throws(FormatError) -> [InferredValue] {
    var functions = FunctionInference([])
    return try add(node, functions: &functions)
  }

  @discardableResult
  mutating func add(_ node: Node, functions: inout FunctionInference) throws(FormatError) -> [InferredValue] {
    var outputs = Array(repeating: InferredValue(), count: node.outputs.count)
    let inputs = node.inputs.map { $0.isEmpty ? nil : values[$0] ?? InferredValue() }
    if let derived = try functions.outputs(of: node, inputs: inputs) {
      outputs = derived
    } else if let version = version(of: node.domain),
      let schema = OperatorRegistry.schema(node.operatorType, domain: node.domain, version: version)
    {
      try schema.check(node)
      outputs = try schema.outputs(of: node, version: version, inputs: inputs)
    }
    for (index, name) in node.outputs.enumerated() where !name.isEmpty && outputs.indices.contains(index) {
      if let stated = stated[name] { outputs[index] = outputs[index].completed(by: stated) }
      values[name] = outputs[index]
    }
    return outputs
  }

  private func version(of domain: String) -> Int? {
    let isStandard = domain.isEmpty || domain == "ai.onnx"
    return operatorSets.first {
      isStandard ? ($0.domain.isEmpty || $0.domain == "ai.onnx") : $0.domain == domain
    }?.version
  }
}
