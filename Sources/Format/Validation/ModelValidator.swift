/// Checks models against the rules of their format, without running them.
///
/// An error makes a model invalid: it contradicts itself or the standard. Warnings are what some reader
/// cannot follow, such as unknown operators and domains. Places read `node 12 "fc1" (Gemm)`, with the function or
/// subgraph in front.
///
/// The rules are those of the ONNX specification (docs/IR.md of the ONNX project) and of its operator schemas.
public struct ModelValidator: Sendable {
  let model: Model
  /// The main graph.
  let body: ValidatedBody
  private(set) var findings: [Finding] = []
  /// How many of the findings are errors.
  private(set) var errorCount = 0

  init(_ model: Model) {
    self.model = model
    body = ValidatedBody(model.graph)
  }

  /// Everything to say about a model file.
  ///
  /// - Parameter readingWeights: whether to read every weight for NaN and infinite elements.
  public static func findings(in file: ModelFile, readingWeights: Bool = true) -> [Finding] {
    switch file.content {
    case .keras(let model): KerasValidator.findings(in: model, readingWeights: readingWeights)
    case .onnx(let model): findings(in: model, readingWeights: readingWeights)
    }
  }

  /// Everything to say about a graph of operators.
  ///
  /// - Parameter readingWeights: whether to read every constant for NaN and infinite elements.
  public static func findings(in model: Model, readingWeights: Bool = false) -> [Finding] {
    var validator = ModelValidator(model)
    validator.checkFormat()
    validator.checkFunctions()
    let isSound = validator.checkStructure()
    validator.checkConstants(readingElements: readingWeights)
    validator.checkDeclarations()
    if isSound { validator.checkTypes() }
    return validator.findings
  }

  /// Refuses an invalid model.
  ///
  /// - Throws: `FormatError` of kind `malformed` with the first error found.
  public static func throwIfInvalid(_ model: Model) throws(FormatError) {
    guard let error = findings(in: model).first(where: { $0.severity == .error }) else { return }
    throw FormatError(.malformed, error.message, at: error.place)
  }

  /// Refuses a model whose nodes cannot be followed: a value with two producers or none, a circle, a reader in front of
  /// its producer.
  ///
  /// - Throws: `FormatError` of kind `malformed` with the first such error.
  static func throwIfTangled(_ model: Model) throws(FormatError) {
    var validator = ModelValidator(model)
    _ = validator.checkStructure()
    let codes: Set<String> = ["duplicate-producer", "undefined-value", "missing-output", "cycle", "unsorted-nodes"]
    guard let error = validator.findings.first(where: { codes.contains($0.code) }) else { return }
    throw FormatError(.malformed, error.message, at: error.place)
  }

  mutating func add(_ severity: Finding.Severity, _ code: String, _ message: String, at place: String) {
    add(Finding(severity, code, message, at: place))
  }

  mutating func add(_ finding: Finding) {
    findings.append(finding)
    if finding.severity == .error { errorCount += 1 }
  }

  /// The main graph and those of training steps, which see its values.
  private mutating func checkStructure() -> Bool {
    let isSound = check(body, in: ValidationScope(operatorSets: model.operatorSets))
    for (index, training) in model.trainingInfo.enumerated() {
      for (role, graph) in [("initialization", training.initialization), ("algorithm", training.algorithm)] {
        guard let graph else { continue }
        let scope = ValidationScope(
          place: "training \(index), \(role), ", operatorSets: model.operatorSets, outer: [body.definedNames])
        _ = check(ValidatedBody(graph), in: scope)
      }
    }
    return isSound
  }
}

/// Where a body stands: what is around it and which operators it may use.
struct ValidationScope {
  /// In front of the places of findings.
  var place = ""
  var operatorSets: [OperatorSetImport]
  /// Names of the values that surrounding graphs define.
  var outer: [Set<String>] = []
  /// The attributes that a function's nodes may refer to; `nil` outside of functions.
  var functionAttributes: Set<String>?

  /// The scope of a graph that is an attribute of a node here.
  func nested(_ name: String, at place: String, sees names: Set<String>) -> ValidationScope {
    var scope = self
    scope.place = "\(place), \(name), "
    scope.outer.append(names)
    return scope
  }

  /// How findings name a node.
  func place(of node: Node, _ index: Int) -> String { "\(place)node \(index) \(node.label)" }

  /// The version of a domain's operator set.
  func version(of domain: String) -> Int? {
    let isStandard = domain.isEmpty || domain == "ai.onnx"
    return operatorSets.first { isStandard ? $0.domain.isEmpty || $0.domain == "ai.onnx" : $0.domain == domain }?
      .version
  }
}

/// What graphs and function bodies have in common, with the graphs inside of their nodes. Names are gathered once, from the
/// innermost graphs outwards.
struct ValidatedBody: Sendable {
  /// A graph that is an attribute of a node.
  struct Nested: Sendable {
    let name: String
    let graph: Graph
    let body: ValidatedBody
  }

  let nodes: [Node]
  let inputs: [String]
  let constants: [String]
  let outputs: [String]
  /// Every name that has a value inside.
  let definedNames: Set<String>
  /// Names that the body takes from around it.
  let freeNames: Set<String>
  private let nested: [Int: [Nested]]

  init(_ graph: Graph) {
    self.init(
      nodes: graph.nodes, inputs: graph.inputs.map(\.name),
      constants: graph.initializers.map(\.name) + graph.sparseInitializers.map(\.name),
      outputs: graph.outputs.map(\.name))
  }

  init(_ function: Function) {
    self.init(nodes: function.nodes, inputs: function.inputs, constants: [], outputs: function.outputs)
  }

  private init(nodes: [Node], inputs: [String], constants: [String], outputs: [String]) {
    var nested: [Int: [Nested]] = [:]
    var defined = Set(inputs).union(constants)
    var used = Set(outputs)
    for (index, node) in nodes.enumerated() {
      let graphs = node.subgraphs
      if !graphs.isEmpty { nested[index] = graphs.map { Nested(name: $0.name, graph: $0.graph, body: Self($0.graph)) } }
      defined.formUnion(node.outputs)
      used.formUnion(node.inputs)
      for inner in nested[index] ?? [] { used.formUnion(inner.body.freeNames) }
    }
    defined.remove("")
    used.remove("")
    (self.nodes, self.inputs, self.constants, self.outputs) = (nodes, inputs, constants, outputs)
    (self.nested, definedNames, freeNames) = (nested, defined, used.subtracting(defined))
  }

  /// The graphs inside of a node.
  func nested(in index: Int) -> [Nested] { nested[index] ?? [] }

  /// The values that a node, or a graph inside of it, reads.
  func readNames(of index: Int) -> Set<String> {
    var names = Set(nodes[index].inputs)
    for inner in nested(in: index) { names.formUnion(inner.body.freeNames) }
    names.remove("")
    return names
  }
}

extension Node {
  /// The graphs among the attributes, by attribute name.
  package var subgraphs: [(name: String, graph: Graph)] {
    var result: [(name: String, graph: Graph)] = []
    for attribute in attributes {
      switch attribute.value {
      case .graph(let graph): result.append((attribute.name, graph))
      case .graphs(let graphs):
        for (index, graph) in graphs.enumerated() { result.append(("\(attribute.name)[\(index)]", graph)) }
      default: break
      }
    }
    return result
  }

  /// The values that the node, or a graph inside of it, reads.
  package var readNames: Set<String> {
    var names = Set(inputs)
    for (_, graph) in subgraphs { names.formUnion(ValidatedBody(graph).freeNames) }
    names.remove("")
    return names
  }
}
