/// Functions of the model itself.
extension ModelValidator {
  /// Names, bodies, and that no function calls itself.
  mutating func checkFunctions() {
    var seen: Set<[String]> = []
    for function in model.functions {
      let place = "function \"\(function.name)\""
      if function.name.isEmpty { add(.error, "unnamed-function", "a function has no name", at: "model") }
      if !seen.insert([function.domain, function.name, function.overload]).inserted {
        add(.error, "duplicate-function", "there are two of this name", at: place)
      }
      check(function.operatorSets, at: place)
      let names = function.attributeNames + function.attributes.map(\.name)
      if Set(names).count < names.count {
        add(.error, "duplicate-attribute", "an attribute is declared twice", at: place)
      }
      let scope = ValidationScope(
        place: "\(place), ", operatorSets: function.operatorSets, functionAttributes: Set(names))
      let body = ValidatedBody(function)
      if check(body, in: scope) { checkIndices(in: body, of: function, at: scope.place) }
    }
    checkRecursion()
  }

  private mutating func checkRecursion() {
    let functions = model.functions
    guard !functions.isEmpty else { return }
    var indices: [[String]: Int] = [:]
    for (index, function) in functions.enumerated() {
      indices[[function.domain, function.name, function.overload]] = index
    }
    let calls = functions.map { function in
      Set(Self.allNodes(function.nodes).compactMap { indices[[$0.domain, $0.operatorType, $0.overload]] }).sorted()
    }
    let circle = DependencyCycle.find(calls)
    guard let first = circle.first else { return }
    let names = (circle + [first]).map { "\"\(functions[$0].name)\"" }.joined(separator: ", ")
    add(.error, "recursive-function", "it calls itself, through \(names)", at: "function \"\(functions[first].name)\"")
  }

  /// Nodes with those of the graphs inside of them.
  private static func allNodes(_ nodes: [Node]) -> [Node] {
    nodes.flatMap { node in [node] + node.subgraphs.flatMap { allNodes($0.graph.nodes) } }
  }
}
