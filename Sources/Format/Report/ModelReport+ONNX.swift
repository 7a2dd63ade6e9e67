extension ModelReport {
  /// Describes an ONNX model: one row for each node.
  mutating func describe(_ model: Model) {
    let sets = model.operatorSets.map { "\($0.domain.isEmpty ? "ai.onnx" : $0.domain) \($0.version)" }
    version = "IR \(model.irVersion), operator sets \(sets.joined(separator: ", "))"
    producer = [model.producerName, model.producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
    name = model.graph.name
    for (key, value) in model.metadata { metadata[key] = value }
    if let finding = ModelValidator.unknownFields(of: model) { findings.append(finding) }
    let constants = Set(model.graph.initializers.map(\.name))
    var inference = ShapeInference(operatorSets: model.operatorSets)
    do throws(FormatError) {
      inference = try ShapeInference.infer(model)
    } catch {
      findings.append(Finding(error, code: "invalid-graph", at: model.graph.name))
    }
    inputs = model.graph.inputs.filter { !constants.contains($0.name) }.map {
      ValueRow(name: $0.name, elementType: $0.elementType, shape: $0.shape)
    }
    outputs = model.graph.outputs.map {
      ValueRow(
        name: $0.name, elementType: $0.elementType ?? inference[$0.name]?.elementType,
        shape: $0.shape ?? inference[$0.name]?.shape)
    }
    for initializer in model.graph.initializers {
      add(initializer.tensor, named: initializer.name, place: initializer.name)
    }
    let precisions = PrecisionReader(model.graph)
    for node in model.graph.nodes {
      add(node, constants: constants, inference, in: model)
      layers[layers.count - 1].precision = precisions.precision(of: node)
    }
    parameters.bytes = tensors.reduce(0) { $0 + $1.bytes }
    parameters.trainable = parameters.total
  }

  private mutating func add(_ tensor: Tensor, named name: String, place: String) {
    tensors.append(
      TensorRow(name: name, elementType: tensor.elementType, shape: tensor.shape, bytes: tensor.byteCount, place: place)
    )
    parameters.total += tensor.count
  }

  private mutating func add(_ node: Node, constants: Set<String>, _ inference: ShapeInference, in model: Model) {
    let weights = node.inputs.filter { constants.contains($0) }
    let isKnown =
      OperatorRegistry.schema(
        node.operatorType, domain: node.domain, version: model.operatorSetVersion(domain: node.domain) ?? 0) != nil
    let isLocal = model.functions.contains { $0.name == node.operatorType && $0.domain == node.domain }
    let type = node.domain.isEmpty ? node.operatorType : "\(node.domain).\(node.operatorType)"
    let place = node.name.isEmpty ? node.outputs.first ?? "" : node.name
    if !isKnown, !isLocal {
      findings.append(
        Finding(.warning, "unsupported-operator", "operator \(type) can be shown, not run", at: place))
    }
    layers.append(
      LayerRow(
        name: place, type: type, outputShape: node.outputs.first.flatMap { inference[$0]?.shape },
        parameters: weights.reduce(0) { sum, name in
          sum + (tensors.first { $0.name == name }?.shape.reduce(1, *) ?? 0)
        }, isTrainable: true, activation: nil, depth: 0, tensors: weights, configuration: nil,
        inputs: node.inputs.filter { !$0.isEmpty && !constants.contains($0) }))
  }
}
