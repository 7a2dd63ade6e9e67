/// Constant positions: whether they lie inside of what they select from.
extension ModelValidator {
  /// Checks the indices of a node that gathers or scatters, where they are constant and the extents are known.
  ///
  /// - Parameters:
  ///   - nested: the graphs inside of the node.
  ///   - constants: the tensors that no caller can replace.
  ///   - values: what is known of the node's inputs.
  ///   - severity: a warning where it is not said that the node runs.
  mutating func checkIndices(
    of node: Node, _ nested: [ValidatedBody.Nested], _ constants: [String: Tensor], in values: ShapeInference,
    _ severity: Finding.Severity = .error, at place: String
  ) {
    for inner in nested { checkIndices(inside: inner, constants, in: values, at: "\(place), \(inner.name), ") }
    guard node.domain.isEmpty || node.domain == "ai.onnx", node.inputs.count > 1,
      let shape = values[node.inputs[0]]?.shape, let indices = constants[node.inputs[1]],
      let positions = Self.positions(indices)
    else { return }
    func report(_ position: Int, axis: Int, _ extent: Int) {
      let message = "it selects \(position) on axis \(axis), which has \(extent) places"
      add(severity, "index-out-of-range", message, at: place)
    }
    let extents = shape.dimensions.map(\.value)
    switch node.operatorType {
    case "Gather", "GatherElements", "ScatterElements", "Scatter":
      let axis = Self.int(node.attribute("axis")) ?? 0
      let index = axis < 0 ? axis + extents.count : axis
      guard extents.indices.contains(index), let extent = extents[index] else { return }
      if let wrong = positions.first(where: { $0 < -extent || $0 >= extent }) { report(wrong, axis: index, extent) }
    case "GatherND", "ScatterND":
      let batch = node.operatorType == "GatherND" ? Self.int(node.attribute("batch_dims")) ?? 0 : 0
      guard let width = indices.shape.last, width > 0, batch >= 0, width <= extents.count,
        batch <= extents.count - width
      else { return }
      for (number, position) in positions.enumerated() {
        let axis = batch + number % width
        guard let extent = extents[axis], position < -extent || position >= extent else { continue }
        return report(position, axis: axis, extent)
      }
    default: return
    }
  }

  /// Checks the indices in a function's body. Of its arguments nothing is known.
  mutating func checkIndices(in body: ValidatedBody, of function: Function, at place: String) {
    var values = ShapeInference(operatorSets: function.operatorSets)
    checkIndices(in: body, [:], &values, .error, at: place)
  }

  /// Checks the indices in a graph that is an attribute of a node, which may never run it.
  private mutating func checkIndices(
    inside inner: ValidatedBody.Nested, _ constants: [String: Tensor], in outer: ShapeInference, at place: String
  ) {
    let graph = inner.graph
    var values = ShapeInference(operatorSets: outer.operatorSets)
    var known: [String: Tensor] = [:]
    for name in inner.body.freeNames {
      values.add(outer[name] ?? InferredValue(), named: name)
      known[name] = constants[name]
    }
    for initializer in graph.initializers {
      values.addInitializer(initializer)
      known[initializer.name] = initializer.tensor
    }
    for input in graph.inputs {
      values.addInput(input)
      known[input.name] = nil
    }
    checkIndices(in: inner.body, known, &values, .warning, at: place)
  }

  private mutating func checkIndices(
    in body: ValidatedBody, _ constants: [String: Tensor], _ values: inout ShapeInference, _ severity: Finding.Severity,
    at place: String
  ) {
    let constants = constants.merging(Self.constants(of: body.nodes)) { outer, _ in outer }
    for (index, node) in body.nodes.enumerated() {
      // What contradicts itself leaves its outputs unknown.
      _ = try? values.add(node)
      checkIndices(
        of: node, body.nested(in: index), constants, in: values, severity, at: "\(place)node \(index) \(node.label)")
    }
  }

  private static func int(_ value: AttributeValue?) -> Int? {
    if case .int(let number) = value { Int(number) } else { nil }
  }

  private static func positions(_ tensor: Tensor) -> [Int]? {
    switch tensor.elementType {
    case .int64: (try? tensor.elements(as: Int64.self))?.map { Int($0) }
    case .int32: (try? tensor.elements(as: Int32.self))?.map { Int($0) }
    default: nil
    }
  }

  /// The constants of the main graph: initializers that are no inputs of format version 4 or later, and tensors of nodes.
  func fixedConstants() -> [String: Tensor] {
    let inputs = model.irVersion >= 4 ? Set(model.graph.inputs.map(\.name)) : []
    var constants: [String: Tensor] = [:]
    for initializer in model.graph.initializers where !inputs.contains(initializer.name) {
      constants[initializer.name] = initializer.tensor
    }
    return constants.merging(Self.constants(of: model.graph.nodes)) { $1 }
  }

  private static func constants(of nodes: [Node]) -> [String: Tensor] {
    var constants: [String: Tensor] = [:]
    for node in nodes where node.operatorType == "Constant" {
      guard let name = node.outputs.first, case .tensor(let tensor) = node.attribute("value") else { continue }
      constants[name] = tensor
    }
    return constants
  }
}
