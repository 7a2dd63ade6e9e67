import NNFormat

/// Turns the graph of a model into a draft: names become numbers, calls of the model's functions become their bodies, and
/// what the graph promises is checked.
package struct GraphReader {
  private var draft: Draft
  private var nodes: [DraftNode] = []

  /// Functions that call others twice, and these again, could take any amount of memory and time.
  private static let mostUnfoldedValues = ReadLimits().callCount

  /// Reads a graph.
  ///
  /// - Throws: `EngineError` of kind `invalidGraph` for a value that nobody produces or two nodes produce, and for a
  ///   cycle; it names the node.
  package static func read(_ model: Model) throws(EngineError) -> Draft {
    var reader = GraphReader(draft: Draft())
    var scope = NameScope(model)
    try reader.readConstants(of: model.graph, into: &scope)
    try reader.readInputs(of: model.graph, into: &scope)
    try reader.readNodes(model.graph.nodes, in: &scope)
    for output in model.graph.outputs {
      let value = try reader.value(of: output, in: scope, node: nil)
      if let input = reader.draft.otherInputs[value] {
        reader.draft.passed.append(PassedValue(input: input.name, output: output.name))
      } else {
        reader.draft.outputs.append(value)
      }
    }
    reader.draft.nodes = reader.nodes
    return reader.draft
  }

  /// Reads the branch of a conditional node.
  ///
  /// - Returns: its nodes in execution order, and the values that it gives.
  package static func read(
    _ branch: Graph, of node: Node, in scope: NameScope, into draft: inout Draft
  ) throws(EngineError) -> (nodes: [DraftNode], outputs: [Int]) {
    var reader = GraphReader(draft: draft)
    var inner = scope.branch(of: node)
    guard branch.inputs.isEmpty else { throw EngineError(.invalidGraph, "its branch has inputs", node: node.label) }
    // Names of the branch hide those around it; one of its own may not be given twice.
    for initializer in branch.initializers { inner.values[initializer.name] = nil }
    for output in branch.nodes.flatMap(\.outputs) { inner.values[output] = nil }
    try reader.readConstants(of: branch, into: &inner)
    try reader.readNodes(branch.nodes, in: &inner)
    var outputs: [Int] = []
    for output in branch.outputs { outputs.append(try reader.value(of: output, in: inner, node: node)) }
    draft = reader.draft
    return (reader.nodes, outputs)
  }

  private init(draft: Draft) { self.draft = draft }

  private func value(of output: Value, in scope: NameScope, node: Node?) throws(EngineError) -> Int {
    guard let value = scope.values[output.name] ?? nil else {
      throw EngineError(.invalidGraph, "no node produces the output \"\(output.name)\"", node: node?.label)
    }
    return value
  }

  private mutating func define(
    _ name: String, in scope: inout NameScope, type: ElementType?, constant: Constant? = nil, node: Node? = nil
  ) throws(EngineError) -> Int {
    guard scope.values[name] == nil else {
      throw EngineError(.invalidGraph, "the value \"\(name)\" is produced twice", node: node?.label)
    }
    let value = try addValue(name, in: scope, type: type, constant: constant, node: node)
    scope.values[name] = .some(value)
    return value
  }

  private mutating func addValue(
    _ name: String, in scope: NameScope, type: ElementType?, constant: Constant?, node: Node?
  ) throws(EngineError) -> Int {
    if !scope.path.isEmpty { draft.unfoldedCount += 1 }
    guard draft.unfoldedCount <= Self.mostUnfoldedValues else {
      throw EngineError(
        .invalidGraph, "functions and branches unfold to more than \(Self.mostUnfoldedValues) values", node: node?.label
      )
    }
    return draft.addValue(scope.path + name, type: type, constant: constant)
  }

  private mutating func readConstants(of graph: Graph, into scope: inout NameScope) throws(EngineError) {
    for (name, sparse) in graph.sparseInitializers {
      let constant = try Constant(sparse)
      _ = try define(name, in: &scope, type: constant.elementType, constant: constant)
    }
    for initializer in graph.initializers {
      do {
        _ = try define(
          initializer.name, in: &scope, type: initializer.tensor.elementType, constant: Constant(initializer.tensor))
      } catch {
        throw EngineError(error.kind, "initializer \"\(initializer.name)\": \(error.message)", node: error.node)
      }
    }
  }

  private mutating func readInputs(of graph: Graph, into scope: inout NameScope) throws(EngineError) {
    for input in graph.inputs where scope.values[input.name] == nil {
      switch input.type {
      case .tensor(let type, _)?: draft.inputs.append(try define(input.name, in: &scope, type: type))
      case .sequence?, .optional?: draft.otherInputs[try define(input.name, in: &scope, type: nil)] = input
      default:
        throw EngineError(.unsupported, "the input \"\(input.name)\" is no tensor of a stated element type")
      }
    }
  }

  private mutating func readNodes(_ nodes: [Node], in scope: inout NameScope) throws(EngineError) {
    for index in try NodeOrder.sorted(nodes, known: { scope.values[$0] != nil }) {
      let node = scope.bound(nodes[index])
      var inputs: [Int?] = []
      for name in node.inputs { inputs.append(name.isEmpty ? nil : scope.values[name] ?? nil) }
      if let other = inputs.compactMap({ $0 }).first(where: { draft.otherInputs[$0] != nil }) {
        try pass(other, through: node, in: &scope)
      } else if let function = scope.functions.function(calledBy: node) {
        try readCall(of: function, by: node, inputs: inputs, in: &scope)
      } else {
        try append(node, inputs: inputs, in: &scope)
      }
    }
  }

  /// A value that is no tensor is itself behind an identity, and nowhere else to be used.
  private mutating func pass(_ value: Int, through node: Node, in scope: inout NameScope) throws(EngineError) {
    guard node.operatorType == "Identity", node.domain.isEmpty || node.domain == "ai.onnx", node.outputs.count == 1,
      scope.values[node.outputs[0]] == nil
    else {
      let type = draft.otherInputs[value]?.type?.description ?? "value"
      throw EngineError(
        .unsupported, "its input is a \(type); of values that are no tensors, only Identity is supported",
        node: node.label)
    }
    scope.values[node.outputs[0]] = .some(value)
  }

  /// The body of a function stands in for its call.
  private mutating func readCall(
    of function: Function, by node: Node, inputs: [Int?], in scope: inout NameScope
  ) throws(EngineError) {
    var body = try scope.body(of: function, calledBy: node, inputs: inputs)
    try readNodes(function.nodes, in: &body)
    for (name, inner) in zip(node.outputs, function.outputs) where !name.isEmpty {
      guard scope.values[name] == nil else {
        throw EngineError(.invalidGraph, "the value \"\(name)\" is produced twice", node: node.label)
      }
      guard let value = body.values[inner] ?? nil else {
        throw EngineError(
          .invalidGraph, "the function \"\(function.name)\" does not produce its output \"\(inner)\"", node: node.label)
      }
      scope.values[name] = .some(value)
    }
  }

  private mutating func append(_ node: Node, inputs: [Int?], in scope: inout NameScope) throws(EngineError) {
    guard let version = scope.version(of: node.domain) else {
      throw EngineError(
        .invalidGraph, "the model imports no operator set \"\(node.domain)\"", node: node.label)
    }
    let operation: DraftNode.Operation = node.isConditional ? .conditional(scope) : .standard
    var outputs: [Int?] = []
    // Only outputs behind the last one wanted are left out: steps write those in front of it.
    let last = node.outputs.lastIndex { !$0.isEmpty } ?? 0
    for (index, name) in node.outputs.enumerated() {
      if !name.isEmpty {
        outputs.append(try define(name, in: &scope, type: nil, node: node))
      } else {
        let unread = "\(node.label) \(index)"
        outputs.append(index <= last ? try addValue(unread, in: scope, type: nil, constant: nil, node: node) : nil)
      }
    }
    nodes.append(
      DraftNode(origin: node, version: version, operation: operation, inputs: inputs, outputs: outputs))
  }
}

extension Node {
  /// Whether it is the standard operator `If`.
  fileprivate var isConditional: Bool { operatorType == "If" && (domain.isEmpty || domain == "ai.onnx") }
}
