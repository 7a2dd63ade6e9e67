import Glibc
import NNFormat

/// Elementwise operators of the reference.
enum ReferenceElementwise {
  static func run(_ node: ReferenceNode) -> ReferenceTensor? {
    if let function = unary(node) ?? ReferenceElementary.function(node) {
      return ReferenceTensor(node[0].elementType, node[0].shape, node[0].values.map(function))
    }
    if let function = binary(node) ?? ReferenceElementary.combination(node) {
      return broadcast(node, node[0].elementType, function)
    }
    if let test = ReferenceElementary.test(node) {
      return ReferenceTensor(.bool, node[0].shape, node[0].values.map { test($0) ? 1 : 0 })
    }
    if let function = relation(node.node.operatorType) { return broadcast(node, .bool) { function($0, $1) ? 1 : 0 } }
    switch node.node.operatorType {
    case "Sum", "Mean", "Max", "Min": return variadic(node)
    case "Clip": return clip(node)
    case "Where": return select(node)
    case "Cast": return cast(node)
    default: return nil
    }
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  private static func softplus(_ x: Double) -> Double { x > 30 ? x : log1p(exp(x)) }

  private static func unary(_ node: ReferenceNode) -> ((Double) -> Double)? {
    let alpha = node.alpha
    switch node.node.operatorType {
    case "Relu": return { $0 < 0 ? 0 : $0 }
    case "LeakyRelu": return { $0 < 0 ? alpha(0.01, "alpha") * $0 : $0 }
    case "Elu": return { $0 < 0 ? alpha(1, "alpha") * expm1($0) : $0 }
    case "Selu":
      return { alpha(1.050_701, "gamma") * ($0 < 0 ? alpha(1.673_263_2, "alpha") * expm1($0) : $0) }
    case "Celu": return { max(0, $0) + min(0, alpha(1, "alpha") * expm1($0 / alpha(1, "alpha"))) }
    case "Sigmoid": return sigmoid
    case "HardSigmoid": return { max(0, min(1, alpha(0.2, "alpha") * $0 + alpha(0.5, "beta"))) }
    case "Tanh": return { tanh($0) }
    case "Softplus": return softplus
    case "Softsign": return { $0 / (1 + abs($0)) }
    case "Gelu":
      return node.node.text("approximate", default: "none") == "tanh"
        ? { 0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * pow($0, 3)))) }
        : { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) }
    case "ThresholdedRelu": return { $0 > alpha(1, "alpha") ? $0 : 0 }
    case "Mish": return { $0 * tanh(softplus($0)) }
    case "HardSwish": return { $0 * max(0, min(1, $0 / 6 + 0.5)) }
    case "Swish": return { $0 * sigmoid(alpha(1, "alpha") * $0) }
    case "Exp": return { exp($0) }
    case "Log": return { log($0) }
    case "Sqrt": return { sqrt($0) }
    case "Reciprocal": return { 1 / $0 }
    case "Abs": return { abs($0) }
    case "Neg": return { -$0 }
    case "Sign": return { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case "Erf": return { erf($0) }
    case "Not": return { $0 == 0 ? 1 : 0 }
    case "Identity": return { $0 }
    default: return nil
    }
  }

  private static func binary(_ node: ReferenceNode) -> ((Double, Double) -> Double)? {
    let isInteger = !node[0].elementType.isFloatingPoint
    switch node.node.operatorType {
    case "Add": return { $0 + $1 }
    case "Sub": return { $0 - $1 }
    case "Mul": return { $0 * $1 }
    case "Div": return { isInteger ? ($0 / $1).rounded(.towardZero) : $0 / $1 }
    case "Pow": return { isInteger ? pow($0, $1).rounded(.towardZero) : pow($0, $1) }
    case "PRelu": return { $0 < 0 ? $0 * $1 : $0 }
    case "And": return { $0 * $1 }
    case "Or": return { max($0, $1) }
    case "Xor": return { $0 == $1 ? 0 : 1 }
    default: return nil
    }
  }

  private static func relation(_ name: String) -> ((Double, Double) -> Bool)? {
    switch name {
    case "Less": { $0 < $1 }
    case "LessOrEqual": { $0 <= $1 }
    case "Greater": { $0 > $1 }
    case "GreaterOrEqual": { $0 >= $1 }
    case "Equal": { $0 == $1 }
    default: nil
    }
  }

  /// The common shape of operands.
  static func common(_ shapes: [[Int]]) -> [Int] {
    let rank = shapes.map(\.count).max() ?? 0
    let padded = shapes.map { Array(repeating: 1, count: rank - $0.count) + $0 }
    return (0..<rank).map { axis in padded.map { $0[axis] }.first { $0 != 1 } ?? 1 }
  }

  private static func broadcast(
    _ node: ReferenceNode, _ type: ElementType, _ function: (Double, Double) -> Double
  ) -> ReferenceTensor {
    let right = legacyOperand(node)
    return .build(type, common([node[0].shape, right.shape])) {
      function(node[0].broadcastAt($0), right.broadcastAt($0))
    }
  }

  /// The second operand, before version 7 put at its axis of the first by trailing ones.
  private static func legacyOperand(_ node: ReferenceNode) -> ReferenceTensor {
    let (left, right) = (node[0], node[1])
    guard node.version < 7, right.values.count > 1 else { return right }
    let isSlope = node.node.operatorType == "PRelu"
    let start = isSlope ? min(1, left.shape.count - 1) : node.axis(left.shape.count - right.shape.count)
    let trailing = left.shape.count - start - right.shape.count
    return ReferenceTensor(
      right.elementType, right.shape + Array(repeating: 1, count: max(trailing, 0)), right.values)
  }

  private static func variadic(_ node: ReferenceNode) -> ReferenceTensor {
    let operands = node.given
    return .build(node[0].elementType, common(operands.map(\.shape))) { index in
      let values = operands.map { $0.broadcastAt(index) }
      switch node.node.operatorType {
      case "Max": return values.max() ?? 0
      case "Min": return values.min() ?? 0
      case "Sum": return values.reduce(0, +)
      default: return values.reduce(0, +) / Double(values.count)
      }
    }
  }

  private static func clip(_ node: ReferenceNode) -> ReferenceTensor {
    let low = node.has(1) ? node[1].values[0] : node.alpha(-.greatestFiniteMagnitude, "min")
    let high = node.has(2) ? node[2].values[0] : node.alpha(.greatestFiniteMagnitude, "max")
    return ReferenceTensor(node[0].elementType, node[0].shape, node[0].values.map { min(max($0, low), high) })
  }

  private static func select(_ node: ReferenceNode) -> ReferenceTensor {
    .build(node[1].elementType, common([node[0].shape, node[1].shape, node[2].shape])) {
      node[0].broadcastAt($0) != 0 ? node[1].broadcastAt($0) : node[2].broadcastAt($0)
    }
  }

  private static func cast(_ node: ReferenceNode) -> ReferenceTensor {
    let type = ElementType(rawValue: Int32(node.node.int("to", default: 1))) ?? .float32
    return ReferenceTensor(
      type, node[0].shape,
      node[0].values.map { value in
        if type == .bool { return value == 0 ? 0 : 1 }
        return type.isInteger ? value.rounded(.towardZero) : value
      })
  }
}
