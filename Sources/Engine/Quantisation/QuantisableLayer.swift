import NNFormat

/// A node with constant weights that can be stored in fewer bits.
public struct QuantisableLayer: Sendable {
  /// What the node does with its weights.
  enum Kind: Sendable, Hashable {
    /// `MatMul` with the weights on the right.
    case product
    /// `MatMul` with the weights on the left.
    case leftProduct
    /// `Gemm` with the weights on the right, transposed or not.
    case gemm(isTransposed: Bool)
    /// Rows of a table by index.
    case table
    /// An equation that names the axes.
    case einsum
  }

  /// How people name the node.
  public let name: String
  /// The operator.
  public let operatorType: String
  let kind: Kind
  /// Where the node is in the graph, and which of its inputs the weights are.
  let node: Int
  let input: Int
  /// The weights' name.
  let weight: String
  let tensor: Tensor
  /// Whether other nodes take these weights, too.
  var isShared = false

  /// The axis of the weights along which outputs lie, and the one they are summed along.
  var axes: (outputs: Int, inputs: Int) {
    let last = tensor.shape.count - 1
    return switch kind {
    case .product: (last, last - 1)
    case .leftProduct: (0, 1)
    case .gemm(let isTransposed): isTransposed ? (0, 1) : (1, 0)
    case .table: (0, 1)
    case .einsum: (last, last == 0 ? 0 : last - 1)
    }
  }

  /// Whether the product can be one of whole numbers.
  var isIntegerProduct: Bool {
    guard tensor.elementType == .float32, tensor.shape.count == 2 else { return false }
    switch kind {
    case .product, .gemm: return true
    case .leftProduct, .table, .einsum: return false
    }
  }

  /// Every layer of a model's graph, in the order of its nodes. Weights that the caller of the network may replace are left
  /// out, and so are bodies of control flow and functions.
  static func all(in model: Model) -> [QuantisableLayer] {
    let constants = constants(of: model)
    var uses: [String: Int] = [:]
    for node in model.graph.nodes { for name in Set(node.inputs) { uses[name, default: 0] += 1 } }
    return model.graph.nodes.indices.compactMap { index in
      let node = model.graph.nodes[index]
      guard let (kind, input) = kind(of: node, constants), let tensor = constants[node.inputs[input]] else {
        return nil
      }
      var layer = QuantisableLayer(
        name: node.name.isEmpty ? node.outputs.first ?? "" : node.name, operatorType: node.operatorType, kind: kind,
        node: index, input: input, weight: node.inputs[input], tensor: tensor)
      layer.isShared = uses[layer.weight, default: 0] > 1
      return layer
    }
  }

  /// Constants by name. Before version 4 of the format every initializer is listed as an input as well.
  static func constants(of model: Model) -> [String: Tensor] {
    let inputs = model.irVersion < 4 ? [] : Set(model.graph.inputs.map(\.name))
    var constants: [String: Tensor] = [:]
    for initializer in model.graph.initializers where !inputs.contains(initializer.name) {
      constants[initializer.name] = initializer.tensor
    }
    for node in model.graph.nodes where node.operatorType == "Constant" && node.domain.isEmpty {
      guard case .tensor(let tensor) = node.attribute("value"), let name = node.outputs.first else { continue }
      constants[name] = tensor
    }
    return constants
  }

  private static func kind(of node: Node, _ constants: [String: Tensor]) -> (kind: Kind, input: Int)? {
    guard node.domain.isEmpty || node.domain == "ai.onnx", node.inputs.count >= 2, node.outputs.count == 1 else {
      return nil
    }
    func weights(_ input: Int, _ ranks: ClosedRange<Int>) -> Bool {
      guard let tensor = constants[node.inputs[input]] else { return false }
      return tensor.elementType.isFloatingPoint && (tensor.elementType.bitWidth ?? 0) >= 16 && tensor.count > 0
        && ranks.contains(tensor.shape.count)
    }
    switch node.operatorType {
    case "MatMul" where constants[node.inputs[0]] == nil && weights(1, 2...8): return (.product, 1)
    case "MatMul" where constants[node.inputs[1]] == nil && weights(0, 2...2): return (.leftProduct, 0)
    case "Gemm" where constants[node.inputs[0]] == nil && weights(1, 2...2):
      return (.gemm(isTransposed: node.int("transB", default: 0) != 0), 1)
    case "Gather" where node.int("axis", default: 0) == 0 && weights(0, 2...2): return (.table, 0)
    case "Einsum" where node.inputs.count == 2 && constants[node.inputs[0]] == nil && weights(1, 2...8):
      return (.einsum, 1)
    default: return nil
    }
  }
}
