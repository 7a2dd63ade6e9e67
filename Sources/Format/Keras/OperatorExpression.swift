/// An expression of operators over the one input of a layer: what the layer lowers to, and what it is raised from again.
///
/// Equal parts of an expression are one value of the graph. `Cast` means a cast to the type of the input.
indirect enum OperatorExpression: Sendable, Hashable {
  /// The layer's input.
  case input
  /// A number in the type of the input.
  case number(Float)
  /// A constant that the layer gives, known by a name.
  case constant(String)
  /// An input that an operator does without.
  case absent
  /// An operator and its inputs.
  case node(String, [OperatorExpression])

  static func node(_ operatorType: String, _ inputs: OperatorExpression...) -> Self { .node(operatorType, inputs) }

  /// The operator that gives the result.
  fileprivate var operatorType: String? { if case .node(let type, _) = self { type } else { nil } }

  /// How many operators stand one behind the other at most.
  var depth: Int {
    guard case .node(_, let inputs) = self else { return 0 }
    return 1 + (inputs.map(\.depth).max() ?? 0)
  }

  /// The operators that take nothing but the input and constants: a graph computes one of them first.
  var firstOperators: Set<String> {
    guard case .node(let type, let inputs) = self else { return [] }
    let inner = inputs.reduce(into: Set<String>()) { $0.formUnion($1.firstOperators) }
    return inputs.allSatisfy { $0.operatorType == nil } ? inner.union([type]) : inner
  }
}

extension Lowering {
  /// Emits an expression.
  mutating func add(
    _ expression: OperatorExpression, of input: LoweredValue, constants: [String: LoweredValue] = [:],
    in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    var made: [OperatorExpression: LoweredValue] = [:]
    let value = try emit(expression, input, constants, &made, in: call)
    guard let value else { throw call.error(.unsupported, "its operators give nothing") }
    return value
  }

  private mutating func emit(
    _ expression: OperatorExpression, _ input: LoweredValue, _ constants: [String: LoweredValue],
    _ made: inout [OperatorExpression: LoweredValue], in call: LayerCall
  ) throws(FormatError) -> LoweredValue? {
    switch expression {
    case .input: return input
    case .absent: return nil
    case .number(let number): return try scalar(number, "number", like: input, in: call)
    case .constant(let name): return constants[name]
    case .node(let operatorType, let operands):
      if let value = made[expression] { return value }
      var inputs: [LoweredValue?] = []
      for operand in operands { inputs.append(try emit(operand, input, constants, &made, in: call)) }
      let target = Int64((input.elementType ?? .float32).rawValue)
      let value =
        try operatorType == "TopK"
        ? addAll(operatorType, inputs, outputs: 2, in: call).first
        : add(
          operatorType, inputs, in: call, attributes: operatorType == "Cast" ? [Attribute("to", .int(target))] : [])
      made[expression] = value
      return value
    }
  }
}

/// An expression that was found in a graph.
struct ExpressionMatch {
  /// The value that the expression takes.
  var input = ""
  /// The constants by the names that the expression gives them.
  var constants: [String: Tensor] = [:]
  /// The operators, the one that gives the result first.
  var nodes: [Node] = []

  /// The result.
  var output: String { nodes.first?.outputs.first ?? "" }

  /// How many of the operators take the input.
  var uses: Int { Set(nodes.filter { $0.inputs.contains(input) }.compactMap(\.outputs.first)).count }

  /// The elements of a constant.
  func numbers(_ name: String) -> [Double]? {
    guard let tensor = constants[name], tensor.count <= 1 << 16 else { return nil }
    return try? tensor.doubles()
  }
}

extension Raising {
  /// Finds an expression that a node belongs to, as one of the first operators, and whose inner values nothing else uses.
  func match(_ expression: OperatorExpression, with node: Node) -> ExpressionMatch? {
    var frontier = [node]
    for _ in 0..<max(expression.depth, 1) {
      for candidate in frontier where candidate.operatorType == expression.operatorType {
        var match = ExpressionMatch()
        guard bind(expression, candidate.outputs.first ?? "", &match), isClosed(match),
          match.nodes.contains(where: { $0.outputs == node.outputs })
        else { continue }
        return match
      }
      frontier = frontier.flatMap { users(of: $0.outputs.first ?? "").prefix(8) }
      if frontier.count > 64 { return nil }
    }
    return nil
  }

  private static let commutative: Set = ["Add", "Mul", "Max", "Min", "Sum"]

  private func bind(_ expression: OperatorExpression, _ name: String, _ match: inout ExpressionMatch) -> Bool {
    switch expression {
    case .absent: return name.isEmpty
    case .input:
      guard isValue(name), match.input.isEmpty || match.input == name else { return false }
      match.input = name
      return true
    case .number(let number):
      guard let tensor = constants[name], tensor.count == 1, let value = try? tensor.doubles().first else {
        return false
      }
      return abs(value - Double(number)) <= 1e-6 * max(1, abs(Double(number)))
    case .constant(let key):
      guard let tensor = constants[name] else { return false }
      match.constants[key] = tensor
      return true
    case .node(let operatorType, let operands):
      guard let node = producer(of: name), node.operatorType == operatorType, node.outputs.first == name,
        RaisingTable.isKnown(node)
      else { return false }
      var operands = operands
      // Axes were an attribute once.
      if node.inputs.count == operands.count - 1, case .constant(let key)? = operands.last,
        let axes = node.ints("axes")
      {
        match.constants[key] = Tensor(axes.map(Int64.init))
        operands.removeLast()
      }
      guard node.inputs.count == operands.count else { return false }
      if !match.nodes.contains(where: { $0.outputs == node.outputs }) { match.nodes.append(node) }
      let saved = match
      if bind(operands, node.inputs, &match) { return true }
      guard operands.count == 2, Self.commutative.contains(operatorType) else { return false }
      match = saved
      return bind(operands, node.inputs.reversed(), &match)
    }
  }

  private func bind(_ operands: [OperatorExpression], _ names: [String], _ match: inout ExpressionMatch) -> Bool {
    for (operand, name) in zip(operands, names) where !bind(operand, name, &match) { return false }
    return true
  }

  /// Whether only the expression itself uses what it computes on the way.
  private func isClosed(_ match: ExpressionMatch) -> Bool {
    let own = Set(match.nodes.compactMap(\.outputs.first))
    return match.nodes.dropFirst().allSatisfy { node in
      guard let output = node.outputs.first else { return false }
      return useCount(output) == users(of: output).count
        && users(of: output).allSatisfy { own.contains($0.outputs.first ?? "") }
    }
  }

  /// Leaves out the operators of an expression.
  mutating func absorb(_ match: ExpressionMatch) { for node in match.nodes { absorb(node) } }
}
