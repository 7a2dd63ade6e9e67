/// Activations that exporters write as several operators: `x · g(x)`, and `HardSigmoid` with any slope.
enum GatedRaising: RaisingRule {
  static let operators: Set = ["Sigmoid", "HardSigmoid", "Softplus", "HardSwish"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let input = node.inputs[0]
    switch node.operatorType {
    case "Sigmoid":
      guard let product = product(of: node.outputs[0], with: input, raising) else { return false }
      raising.absorb(product)
      try raising.activate("swish", input, uses: 2, as: product.outputs[0], of: node)
    case "Softplus":
      guard let tanh = raising.soleConsumer(of: node.outputs[0]), tanh.operatorType == "Tanh",
        let product = product(of: tanh.outputs[0], with: input, raising)
      else { return false }
      raising.absorb(tanh, product)
      try raising.activate("mish", input, uses: 2, as: product.outputs[0], of: node)
    case "HardSigmoid":
      guard raising.generation >= 3, abs(node.float("alpha", default: 0.2) - 1 / 6) < 1e-6,
        node.float("beta", default: 0.5) == 0.5,
        let product = product(of: node.outputs[0], with: input, raising)
      else { return false }
      raising.absorb(product)
      try raising.activate("hard_silu", input, uses: 2, as: product.outputs[0], of: node)
    default:
      if raising.generation >= 3 {
        try raising.activate("hard_silu", input, as: node.outputs[0], of: node)
      } else {
        let value = try raising.value(node, 0)
        let gate = HardSigmoidRaising.emit(
          value, slope: 1 / 6, offset: 0.5, as: node.outputs[0] + "/gate", of: node, &raising)
        raising.emit("Multiply", [:], inputs: [value, gate], as: node.outputs[0], of: node)
      }
    }
    return true
  }

  /// The only user of a value, when it multiplies it by another one.
  private static func product(of gate: String, with input: String, _ raising: Raising) -> Node? {
    guard let product = raising.soleConsumer(of: gate), product.operatorType == "Mul",
      product.inputs == [gate, input] || product.inputs == [input, gate]
    else { return nil }
    return product
  }
}

/// `min(1, max(0, slope · x + offset))`. Keras 2 and 3 mean different slopes by "hard_sigmoid", so that only Keras 3's own
/// slope in a file for Keras 3 becomes that function; all others become a scaling and a bounded ReLU.
enum HardSigmoidRaising: RaisingRule {
  static let operators: Set = ["HardSigmoid"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let (slope, offset) = (node.float("alpha", default: 0.2), node.float("beta", default: 0.5))
    if raising.generation >= 3, abs(slope - 1 / 6) < 1e-6, offset == 0.5 {
      try raising.activate("hard_sigmoid", node.inputs[0], as: node.outputs[0], of: node)
    } else {
      _ = emit(try raising.value(node, 0), slope: slope, offset: offset, as: node.outputs[0], of: node, &raising)
    }
    return true
  }

  static func emit(
    _ value: RaisedValue, slope: Float, offset: Float, as output: String, of node: Node, _ raising: inout Raising
  ) -> RaisedValue {
    let scaled = output + "/scaled"
    raising.rescale(value, uses: 2, scale: [Double(slope)], offset: [Double(offset)], as: scaled, of: node)
    raising.emit(
      "ReLU", ["max_value": Raising.json([1])], inputs: [raising.values[scaled] ?? value], as: output, of: node)
    return raising.values[output] ?? value
  }
}

/// `Gelu`, as one operator or written out with `Erf`.
enum GeluRaising: RaisingRule {
  static let operators: Set = ["Gelu", "Erf"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    if node.operatorType == "Gelu" {
      guard node.text("approximate", default: "none") == "none" else {
        if raising.generation >= 3 { return false }
        throw raising.error(node, "Keras has no layer for the approximate gelu")
      }
      try raising.activate("gelu", node.inputs[0], as: node.outputs[0], of: node)
      return true
    }
    // x / √2 → Erf → + 1 → · x and · ½ in any order.
    guard let scaling = raising.producer(of: node.inputs[0]),
      let x = scaling.inputs.first(where: { raising.isValue($0) }),
      let sum = raising.soleConsumer(of: node.outputs[0]), sum.operatorType == "Add",
      Self.number(sum, raising) == 1, let first = raising.soleConsumer(of: sum.outputs[0]), first.operatorType == "Mul"
    else { return false }
    let factor = Self.number(scaling, raising) ?? 0
    guard abs((scaling.operatorType == "Div" ? 1 / factor : factor) - 0.707_106_77) < 1e-4 else { return false }
    let other = first.inputs.first { $0 != sum.outputs[0] } ?? ""
    var last = first
    if other == x || Self.number(first, raising) == 0.5 {
      guard let second = raising.soleConsumer(of: first.outputs[0]), second.operatorType == "Mul",
        (other == x) == (Self.number(second, raising) == 0.5), other == x || second.inputs.contains(x)
      else { return false }
      raising.absorb(second)
      last = second
    } else {
      guard let half = raising.producer(of: other), half.operatorType == "Mul", half.inputs.contains(x),
        Self.number(half, raising) == 0.5
      else { return false }
      raising.absorb(half)
    }
    raising.absorb(sum, first)
    try raising.activate("gelu", x, uses: 2, as: last.outputs[0], of: node)
    return true
  }

  /// The single number among a node's inputs.
  private static func number(_ node: Node, _ raising: Raising) -> Double? {
    node.inputs.indices.lazy.compactMap { raising.numbers(node, $0) }.first { $0.count == 1 }?.first
  }
}
