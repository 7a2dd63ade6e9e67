import Glibc
import NNFormat

/// Operators of ONNX Runtime in the reference.
enum ReferenceContributed {
  static func run(_ node: ReferenceNode) -> [ReferenceTensor]? {
    switch node.node.operatorType {
    case "QuickGelu":
      let alpha = node.alpha(1.702)
      return [ReferenceTensor(node[0].elementType, node[0].shape, node[0].values.map { $0 / (1 + exp(-alpha * $0)) })]
    case "FastGelu":
      return [biased(node) { 0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * pow($0, 3)))) }]
    case "BiasGelu": return [biased(node) { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) }]
    case "FusedMatMul": return [fusedMatMul(node)]
    case "FusedGemm": return [fusedGemm(node)]
    case "SimplifiedLayerNormalization":
      let results = ReferenceNormalization.rows(node, isCentred: false)
      return [results[0], results[2]]
    case "SkipLayerNormalization": return skip(node, isCentred: true)
    case "SkipSimplifiedLayerNormalization": return skip(node, isCentred: false)
    default: return nil
    }
  }

  private static func biased(_ node: ReferenceNode, _ function: (Double) -> Double) -> ReferenceTensor {
    .build(node[0].elementType, node[0].shape) { index in
      function(node[0].at(index) + (node.has(1) ? node[1].broadcastAt(index) : 0))
    }
  }

  /// An operand with its axes put where the attributes want them.
  private static func turned(_ x: ReferenceTensor, batch: Bool, matrix: Bool) -> ReferenceTensor {
    let rank = x.shape.count
    guard rank > 1 else { return x }
    var order = Array(0..<rank)
    if batch { order = Array(1..<rank - 1) + [0, rank - 1] }
    if matrix { order.swapAt(rank - 1, rank - 2) }
    return .build(x.elementType, order.map { x.shape[$0] }) { index in
      var source = index
      for (position, axis) in order.enumerated() { source[axis] = index[position] }
      return x.at(source)
    }
  }

  private static func fusedMatMul(_ node: ReferenceNode) -> ReferenceTensor {
    func isSet(_ name: String) -> Bool { node.node.int(name, default: 0) != 0 }
    let product = ReferenceAlgebra.matMul(
      turned(node[0], batch: isSet("transBatchA"), matrix: isSet("transA")),
      turned(node[1], batch: isSet("transBatchB"), matrix: isSet("transB")))
    return ReferenceTensor(product.elementType, product.shape, product.values.map { $0 * node.alpha(1) })
  }

  private static func fusedGemm(_ node: ReferenceNode) -> ReferenceTensor {
    let product = ReferenceAlgebra.gemm(node)
    let prefix = "activation_"
    let parameters = node.node.attributes.filter { $0.name.hasPrefix(prefix) }.map {
      Attribute(String($0.name.dropFirst(prefix.count)), $0.value)
    }
    let function = Node(
      node.node.text("activation", default: "Identity"), inputs: ["x"], outputs: ["y"], attributes: parameters)
    let applied = ReferenceElementwise.run(ReferenceNode(node: function, version: 21, inputs: [product]))
    return applied ?? product
  }

  private static func skip(_ node: ReferenceNode, isCentred: Bool) -> [ReferenceTensor] {
    let bias = isCentred ? 4 : 3
    let sum = ReferenceTensor.build(node[0].elementType, node[0].shape) { index in
      node[0].at(index) + node[1].broadcastAt(index) + (node.has(bias) ? node[bias].broadcastAt(index) : 0)
    }
    let offset = isCentred && node.has(3) ? node[3] : nil
    let inner = ReferenceNode(node: node.node, version: node.version, inputs: [sum, node[2], offset])
    return ReferenceNormalization.rows(inner, isCentred: isCentred) + [sum]
  }
}
