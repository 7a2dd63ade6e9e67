import NNFormat

/// What the names in the nodes of one body stand for: those of the main graph, of a branch, or of a function that is
/// called.
package struct NameScope: Sendable {
  /// Values by name; `nil` for an argument that the call of a function omits.
  var values: [String: Int?] = [:]
  /// The operator sets that the body imports.
  let operatorSets: [OperatorSetImport]
  /// The functions of the model.
  let functions: FunctionTable
  /// What references to attributes of the function stand for; `nil` outside of functions.
  private var arguments: [String: Attribute]?
  /// In front of the names of nodes and values, so that an error tells through which calls it was reached.
  private(set) var path = ""
  private var depth = 0

  /// Calls inside of calls; a function that reaches itself gets here.
  private static let deepest = 64

  /// The scope of a model's main graph.
  init(_ model: Model) {
    operatorSets = model.operatorSets
    functions = FunctionTable(model.functions)
  }

  private init(operatorSets: [OperatorSetImport], functions: FunctionTable) {
    self.operatorSets = operatorSets
    self.functions = functions
  }

  /// A scope without names that imports what a function does; for what it does not import, the versions of the model.
  func inside(_ function: Function) -> NameScope {
    let imported = Set(function.operatorSets.map { $0.domain == "ai.onnx" ? "" : $0.domain })
    let others = operatorSets.filter { !imported.contains($0.domain == "ai.onnx" ? "" : $0.domain) }
    return NameScope(operatorSets: function.operatorSets + others, functions: functions)
  }

  /// The scope of a branch of a node: it sees everything around it.
  func branch(of node: Node) -> NameScope {
    var scope = self
    scope.path = name(of: node) + "/"
    scope.depth += 1
    return scope
  }

  /// The scope of the body of a function that a node, already bound, calls.
  ///
  /// - Throws: `EngineError` of kind `invalidGraph` when the function reaches itself or gets too many arguments.
  func body(of function: Function, calledBy node: Node, inputs: [Int?]) throws(EngineError) -> NameScope {
    guard depth < NameScope.deepest else {
      throw EngineError(.invalidGraph, "the function \"\(function.name)\" calls itself", node: node.label)
    }
    guard inputs.count <= function.inputs.count, node.outputs.count <= function.outputs.count else {
      throw EngineError(
        .invalidGraph,
        "the function takes \(function.inputs.count) inputs and gives \(function.outputs.count) outputs, "
          + "the call has \(inputs.count) and \(node.outputs.count)", node: node.label)
    }
    var arguments: [String: Attribute] = [:]
    for attribute in function.attributes + node.attributes { arguments[attribute.name] = attribute }
    if let missing = function.attributeNames.first(where: { arguments[$0] == nil }) {
      throw EngineError(.invalidGraph, "the function needs the attribute \"\(missing)\"", node: node.label)
    }
    var scope = inside(function)
    scope.arguments = arguments
    scope.path = name(of: node) + "/"
    scope.depth = depth + 1
    for (position, name) in function.inputs.enumerated() {
      scope.values[name] = .some(position < inputs.count ? inputs[position] : nil)
    }
    return scope
  }

  /// A node with its references to attributes resolved and a name that tells where it stands.
  ///
  /// A reference to what the call does not give leaves the attribute out.
  func bound(_ node: Node) -> Node {
    guard !path.isEmpty || arguments != nil else { return node }
    var result = node
    result.name = path + name(inBody: node)
    result.attributes = node.attributes.compactMap { attribute in
      if attribute.referencedName.isEmpty { return attribute }
      return arguments?[attribute.referencedName].map { Attribute(attribute.name, $0.value) }
    }
    return result
  }

  private func name(of node: Node) -> String { node.name.isEmpty ? node.outputs.first ?? "" : node.name }

  private func name(inBody node: Node) -> String {
    node.name.isEmpty ? node.outputs.first { !$0.isEmpty } ?? node.operatorType : node.name
  }

  /// The version of an operator set.
  func version(of domain: String) -> Int? {
    let isStandard = domain.isEmpty || domain == "ai.onnx"
    return operatorSets.first { isStandard ? $0.domain.isEmpty || $0.domain == "ai.onnx" : $0.domain == domain }?
      .version
  }
}

/// The functions of a model by what calls them.
package struct FunctionTable: Sendable {
  private let functions: [[String]: Function]

  init(_ functions: [Function]) {
    self.functions = Dictionary(
      functions.map { (FunctionTable.key($0.domain, $0.name, $0.overload), $0) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The function that a node calls; `nil` when it calls none.
  func function(calledBy node: Node) -> Function? {
    functions.isEmpty ? nil : functions[FunctionTable.key(node.domain, node.operatorType, node.overload)]
  }

  private static func key(_ domain: String, _ name: String, _ overload: String) -> [String] {
    [domain == "ai.onnx" ? "" : domain, name, overload]
  }
}
