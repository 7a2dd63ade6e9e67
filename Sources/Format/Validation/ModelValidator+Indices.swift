/// Constant positions: whether they lie inside of what they select from.
extension ModelValidator {
  /// Checks the indices of a node that gathers or scatters, where they are constant and the extents are known.
  ///
  /// - Parameters:
  ///   - constants: the tensors of the graph that no caller can replace.
  ///   - shape: what is known of the shape of the node's first input.
  mutating func checkIndices(of node: Node, _ constants: [String: Tensor], in shape: Shape?, at place: String) {
    guard node.domain.isEmpty || node.domain == "ai.onnx", node.inputs.count > 1, let shape,
      let indices = constants[node.inputs[1]], let positions = Self.positions(indices)
    else { return }
    let extents = shape.dimensions.map(\.value)
    switch node.operatorType {
    case "Gather", "GatherElements", "ScatterElements", "Scatter":
      let axis = Self.int(node.attribute("axis")) ?? 0
      let index = axis < 0 ? axis + extents.count : axis
      guard extents.indices.contains(index), let extent = extents[index] else { return }
      if let wrong = positions.first(where: { $0 < -extent || $0 >= extent }) {
        addOutOfRange(wrong, axis: index, extent, at: place)
      }
    case "GatherND", "ScatterND":
      let batch = node.operatorType == "GatherND" ? Self.int(node.attribute("batch_dims")) ?? 0 : 0
      guard let width = indices.shape.last, width > 0, batch >= 0, batch + width <= extents.count else { return }
      for (number, position) in positions.enumerated() {
        let axis = batch + number % width
        guard let extent = extents[axis], position < -extent || position >= extent else { continue }
        return addOutOfRange(position, axis: axis, extent, at: place)
      }
    default: return
    }
  }

  private mutating func addOutOfRange(_ position: Int, axis: Int, _ extent: Int, at place: String) {
    add(.error, "index-out-of-range", "it selects \(position) on axis \(axis), which has \(extent) places", at: place)
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
    for node in model.graph.nodes where node.operatorType == "Constant" {
      guard let name = node.outputs.first, case .tensor(let tensor) = node.attribute("value") else { continue }
      constants[name] = tensor
    }
    return constants
  }
}
