/// Follows calls of a model's local functions by inferring their bodies with the arguments of the call.
struct FunctionInference {
  private let functions: [Function]
  private var depth = 0
  /// Calls that may still be followed. Functions that call each other twice could otherwise take exponential time.
  private var remainingNodes = 100_000

  init(_ functions: [Function]) { self.functions = functions }

  /// The outputs of a call, `nil` when the node calls no local function.
  mutating func outputs(of node: Node, inputs: [InferredValue?]) throws(FormatError) -> [InferredValue]? {
    guard !functions.isEmpty,
      let function = functions.first(where: {
        $0.name == node.operatorType && $0.domain == node.domain && $0.overload == node.overload
      })
    else { return nil }
    let unknown = Array(repeating: InferredValue(), count: node.outputs.count)
    // A function may not call itself; one that does is left unknown here and reported by validation.
    guard depth < 16, remainingNodes >= function.nodes.count else { return unknown }
    remainingNodes -= function.nodes.count
    depth += 1
    defer { depth -= 1 }

    var body = ShapeInference(operatorSets: function.operatorSets)
    for (name, value) in zip(function.inputs, inputs) { body.add(value ?? InferredValue(), named: name) }
    for inner in function.nodes {
      var bound = inner
      bound.attributes = inner.attributes.compactMap { attribute in
        if attribute.referencedName.isEmpty { return attribute }
        let source =
          node.attributes.first { $0.name == attribute.referencedName }
          ?? function.attributes.first { $0.name == attribute.referencedName }
        return source.map { Attribute(attribute.name, $0.value) }
      }
      try body.add(bound, functions: &self)
    }
    return node.outputs.indices.map { index in
      function.outputs.indices.contains(index) ? body[function.outputs[index]] ?? InferredValue() : InferredValue()
    }
  }
}
