/// Types and shapes: what values state against what follows from the nodes.
extension ModelValidator {
  /// What inputs, outputs and intermediate values state, each by itself.
  mutating func checkDeclarations() {
    let graph = model.graph
    let known = body.definedNames
    for (role, values) in [("input", graph.inputs), ("output", graph.outputs), ("value", graph.valueInfo)] {
      var seen: Set<String> = []
      for value in values {
        let place = "\(role) \"\(value.name)\""
        if role == "value" {
          if !seen.insert(value.name).inserted {
            add(.warning, "duplicate-value-info", "its type is stated twice", at: place)
          }
          if !known.contains(value.name) {
            add(.note, "unused-value-info", "a type is stated, but there is no such value", at: place)
          }
        } else if value.type == nil {
          add(role == "input" ? .error : .warning, "no-type", "it states no type", at: place)
        }
        check(value.shape, at: place)
      }
    }
  }

  private mutating func check(_ shape: Shape?, at place: String) {
    let extents = shape?.dimensions.compactMap(\.value) ?? []
    if let negative = extents.first(where: { $0 < 0 }) {
      add(.error, "negative-extent", "its shape holds the negative extent \(negative)", at: place)
    } else if checkedProduct(extents) == nil {
      add(.error, "too-large", "its shape \(Shape(extents)) has too many elements", at: place)
    }
  }

  /// Derives every value of the main graph and compares it with what the graph states of it.
  mutating func checkTypes() {
    let graph = model.graph
    var inference = ShapeInference(operatorSets: model.operatorSets)
    var functions = FunctionInference(model.functions)
    var stated: [String: [(role: String, value: InferredValue)]] = [:]
    for (role, values) in [("value", graph.valueInfo), ("output", graph.outputs)] {
      for value in values { stated[value.name, default: []].append((role, InferredValue(value))) }
    }
    for value in graph.inputs { inference.addInput(value) }
    addConstants(to: &inference)
    // A node that broke its operator's rules has its finding already; its outputs are unknown.
    let malformed = Set(findings.filter { $0.code == "malformed-node" }.map(\.place))
    let computed = Set(graph.nodes.flatMap(\.outputs))
    let constants = fixedConstants()
    for (index, node) in graph.nodes.enumerated() {
      let place = "node \(index) \(node.label)"
      guard !malformed.contains(place) else { continue }
      do throws(FormatError) {
        try inference.add(node, functions: &functions)
      } catch {
        let code = error.kind == .limit ? "too-large" : error.kind == .mismatch ? "type-mismatch" : "malformed-node"
        let inner = error.place.flatMap { $0 == "node \(node.label)" ? nil : " (in \($0))" } ?? ""
        add(.error, code, error.message + inner, at: place)
      }
      checkIndices(of: node, body.nested(in: index), constants, in: inference, at: place)
      for name in node.outputs where !name.isEmpty {
        for (role, value) in stated[name] ?? [] {
          let derived = inference[name] ?? InferredValue()
          if let contradiction = derived.contradiction(to: value) {
            let source = role == "output" ? "the graph's output" : "its value info"
            add(.error, "type-mismatch", "\"\(name)\" is \(contradiction) says \(source)", at: place)
          }
          inference.add(derived.completed(by: value), named: name)
        }
      }
    }
    for output in graph.outputs where !computed.contains(output.name) {
      guard let contradiction = inference[output.name]?.contradiction(to: InferredValue(output)) else { continue }
      add(.error, "type-mismatch", "it is \(contradiction) is stated", at: "output \"\(output.name)\"")
    }
  }

  private mutating func addConstants(to inference: inout ShapeInference) {
    let inputs = Dictionary(model.graph.inputs.map { ($0.name, InferredValue($0)) }) { first, _ in first }
    for initializer in model.graph.initializers {
      inference.addInitializer(initializer)
      guard let declared = inputs[initializer.name], var value = inference[initializer.name] else { continue }
      if let contradiction = value.contradiction(to: declared) {
        add(.error, "type-mismatch", "it is \(contradiction) says the input", at: "initializer \"\(initializer.name)\"")
      }
      // Since format version 4 a caller may replace an initializer that is also an input.
      if model.irVersion >= 4 { value.contents = nil }
      inference.add(value, named: initializer.name)
    }
    for (name, tensor) in model.graph.sparseInitializers {
      inference.add(InferredValue(elementType: tensor.values.elementType, shape: Shape(tensor.shape)), named: name)
    }
  }
}

extension InferredValue {
  /// How the value differs from a statement about it, as `float32(2, 3), but float32(2, 4)`; `nil` when both can hold.
  func contradiction(to stated: InferredValue) -> String? {
    let text =
      "\(elementType?.name ?? "")\(shape?.description ?? ""), but \(stated.elementType?.name ?? "")"
      + (stated.shape?.description ?? "")
    if let elementType, let other = stated.elementType, elementType != other { return text }
    guard let shape, let other = stated.shape else { return nil }
    let agree =
      shape.rank == other.rank && zip(shape.dimensions, other.dimensions).allSatisfy { $0.unified(with: $1) != nil }
    return agree ? nil : text
  }
}
