/// Activation functions that take several operators, as expressions that serve both directions.
enum CompositeActivation {
  /// `x` limited to a range.
  private static func clip(_ low: Float, _ high: Float) -> OperatorExpression {
    .node("Clip", .input, .number(low), .number(high))
  }

  /// Functions that Keras 3 alone has.
  static let expressions: [String: OperatorExpression] = [
    "relu6": clip(0, 6),
    "hard_tanh": clip(-1, 1),
    "tanh_shrink": .node("Sub", .input, .node("Tanh", .input)),
    "soft_shrink": .node("Sub", .input, clip(-0.5, 0.5)),
    "hard_shrink": .node("Where", .node("Greater", .node("Abs", .input), .number(0.5)), .input, .number(0)),
    "log_sigmoid": .node("Neg", .node("Softplus", .node("Neg", .input))),
    "squareplus": .node(
      "Mul", .node("Add", .input, .node("Sqrt", .node("Add", .node("Mul", .input, .input), .number(4)))), .number(0.5)),
    "sparse_plus": sparsePlus,
    "sparsemax": sparsemax,
  ]

  /// 0 below -1, x above 1, (x + 1)² / 4 between: max(0, x - 1) outside and the clipped parabola inside.
  private static let sparsePlus: OperatorExpression = {
    let inside = OperatorExpression.node("Add", clip(-1, 1), .number(1))
    let parabola = OperatorExpression.node("Mul", .node("Mul", inside, inside), .number(0.25))
    return .node("Add", parabola, .node("Relu", .node("Sub", .input, .number(1))))
  }()

  /// max(0, x - tau), with tau from the values in falling order and their running sums, as Keras computes it: it adds
  /// the running sums of the support where the definition (Martins and Astudillo, 2016) takes the last of them.
  private static let sparsemax: OperatorExpression = {
    let sorted = OperatorExpression.node("TopK", .input, .constant("count"))
    let sums = OperatorExpression.node("CumSum", sorted, .constant("axis"))
    let limit = OperatorExpression.node("Div", .node("Sub", sums, .number(1)), .constant("ranks"))
    let support = OperatorExpression.node("Greater", .node("Sub", sorted, limit), .number(0))
    let total = OperatorExpression.node("ReduceSum", .node("Where", support, sums, .number(0)), .constant("axes"))
    let size = OperatorExpression.node("ReduceSum", .node("Cast", support), .constant("axes"))
    return .node("Relu", .node("Sub", .input, .node("Div", .node("Sub", total, .number(1)), size)))
  }()

  /// The constants of `sparsemax` over the last axis.
  private static func sparsemaxConstants(
    _ x: LoweredValue, _ lowering: inout Lowering, in call: LayerCall
  ) throws(FormatError) -> [String: LoweredValue] {
    guard let rank = x.rank, rank > 0, let width = x.shape?[rank - 1].value, (0...1 << 20).contains(width)
    else {
      throw call.error(.unsupported, "sparsemax needs a known number of features")
    }
    let ranks = try Tensor((0..<width).map { Float($0 + 1) }).converted(to: x.elementType ?? .float32)
    return [
      "count": lowering.integers([width], "count", in: call),
      "axis": lowering.constant(Tensor([Int64(-1)], shape: []), "axis", in: call),
      "axes": lowering.integers([-1], "axes", in: call), "ranks": lowering.constant(ranks, "ranks", in: call),
    ]
  }

  /// The expression of a function, as a function of the table.
  static func function(_ name: String) -> KerasActivation.Function {
    { (lowering, x, call) throws(FormatError) in
      guard let expression = expressions[name] else { throw call.error(.unsupported, "\(name) has no operators") }
      let constants = name == "sparsemax" ? try sparsemaxConstants(x, &lowering, in: call) : [:]
      return try lowering.add(expression, of: x, constants: constants, in: call)
    }
  }
}

/// Finds the expressions again. `Shrink` is one operator for two of them.
enum CompositeActivationRaising: RaisingRule {
  /// Longer expressions first, as they contain shorter ones.
  private static let ordered = CompositeActivation.expressions.sorted {
    ($1.value.depth, $0.key) < ($0.value.depth, $1.key)
  }

  static let operators = ordered.reduce(into: Set(["Shrink", "HardSigmoid", "Celu"])) {
    $0.formUnion($1.value.firstOperators)
  }

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard raising.generation >= 3 else { return false }
    if let function = single(node) {
      try raising.activate(function, node.inputs[0], as: node.outputs[0], of: node)
      return true
    }
    for (function, expression) in ordered where expression.firstOperators.contains(node.operatorType) {
      guard let match = raising.match(expression, with: node), isLike(function, match, raising) else { continue }
      raising.absorb(match)
      try raising.activate(function, match.input, uses: match.uses, as: match.output, of: node)
      return true
    }
    return false
  }

  /// Whether the constants are those of the function.
  private static func isLike(_ function: String, _ match: ExpressionMatch, _ raising: Raising) -> Bool {
    guard function == "sparsemax" else { return true }
    guard let rank = raising.shape(match.input)?.rank, rank > 0,
      let width = raising.shape(match.input)?[rank - 1].value,
      width <= 1 << 16
    else { return false }
    return ["axis", "axes"].allSatisfy { [[-1], [Double(rank - 1)]].contains(match.numbers($0)) }
      && match.numbers("count") == [Double(width)] && match.numbers("ranks") == (0..<width).map { Double($0 + 1) }
  }

  /// The function that one operator is.
  private static func single(_ node: Node) -> String? {
    switch node.operatorType {
    case "Shrink" where node.float("lambd", default: 0.5) == 0.5:
      switch node.float("bias", default: 0) {
      case 0: "hard_shrink"
      case 0.5: "soft_shrink"
      default: nil
      }
    case "HardSigmoid" where node.float("alpha", default: 0.2) == 0.5 && node.float("beta", default: 0.5) == 0.5:
      "sparse_sigmoid"
    case "Celu" where node.float("alpha", default: 1) == 1: "celu"
    default: nil
    }
  }
}

/// `glu`: the first half of the last axis times the sigmoid of the second half.
enum GatedLinearUnitRaising: RaisingRule {
  static let operators: Set = ["Slice", "Split"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let x = node.inputs[0]
    guard raising.generation >= 3, let rank = raising.shape(x)?.rank, rank > 1,
      let width = raising.shape(x)?[rank - 1].value, width % 2 == 0, let (halves, nodes) = halves(of: node, raising),
      raising.shape(halves.value)?[rank - 1].value == width / 2,
      let sigmoid = raising.soleConsumer(of: halves.gate), sigmoid.operatorType == "Sigmoid",
      let product = raising.soleConsumer(of: halves.value), product.operatorType == "Mul",
      raising.soleConsumer(of: sigmoid.outputs[0])?.outputs == product.outputs
    else { return false }
    for part in nodes + [sigmoid, product] { raising.absorb(part) }
    try raising.activate("glu", x, uses: nodes.count, as: product.outputs[0], of: node)
    return true
  }

  /// The two halves along the last axis, and the nodes that cut them out.
  private static func halves(
    of node: Node, _ raising: Raising
  ) -> (halves: (value: String, gate: String), nodes: [Node])? {
    let x = node.inputs[0]
    guard let rank = raising.shape(x)?.rank, let width = raising.shape(x)?[rank - 1].value else { return nil }
    if node.operatorType == "Split" {
      let axis = node.int("axis", default: 0)
      guard node.outputs.count == 2, axis == -1 || axis == rank - 1 else { return nil }
      return ((node.outputs[0], node.outputs[1]), [node])
    }
    let slices = raising.users(of: x).filter { $0.operatorType == "Slice" }
    guard slices.count == 2 else { return nil }
    let starts = slices.map { slice -> Double? in
      guard let range = ConstantSlice(slice, rank: rank, raising), range.axes == [rank - 1], range.steps == [1] else {
        return nil
      }
      return range.starts[0] == 0 && range.ends[0] == width / 2
        ? 0 : range.starts[0] == width / 2 && range.ends[0] >= width ? 1 : nil
    }
    if starts == [0, 1] { return ((slices[0].outputs[0], slices[1].outputs[0]), slices) }
    if starts == [1, 0] { return ((slices[1].outputs[0], slices[0].outputs[0]), slices) }
    return nil
  }
}

/// What a `Slice` with constant limits cuts out.
struct ConstantSlice {
  let starts: [Int]
  let ends: [Int]
  let axes: [Int]
  let steps: [Int]

  init?(_ node: Node, rank: Int, _ raising: Raising) {
    func list(_ index: Int, _ attribute: String) -> [Int]? {
      node.ints(attribute) ?? raising.integers(node, index)
    }
    guard let starts = list(1, "starts"), let ends = list(2, "ends"), starts.count == ends.count else { return nil }
    let axes = list(3, "axes") ?? Array(starts.indices)
    let steps = list(4, "steps") ?? Array(repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count else { return nil }
    (self.starts, self.ends, self.steps) = (starts, ends, steps)
    self.axes = axes.map { $0 < 0 ? $0 + rank : $0 }
  }
}
