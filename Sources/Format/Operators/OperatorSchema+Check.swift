extension OperatorSchema {
  /// Checks that a node lists as many inputs and outputs as the operator takes, and attributes of the right kinds.
  ///
  /// Attributes whose names start with two underscores are private to their writer and pass.
  /// - Throws: `FormatError` of kind `malformed` that names the node.
  public func check(_ node: Node) throws(FormatError) {
    func malformed(_ message: String) -> FormatError {
      FormatError(.malformed, message, at: "node \(node.label)")
    }
    func text(_ range: ClosedRange<Int>) -> String {
      if range.lowerBound == range.upperBound { return "\(range.lowerBound)" }
      return range.upperBound == Self.unlimited
        ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
    }
    guard inputCount.contains(node.inputs.count) else {
      throw malformed("\(name) takes \(text(inputCount)) inputs, \(node.inputs.count) are listed")
    }
    guard outputCount.contains(node.outputs.count) else {
      throw malformed("\(name) has \(text(outputCount)) outputs, \(node.outputs.count) are listed")
    }
    if let omitted = node.inputs.prefix(inputCount.lowerBound).firstIndex(of: "") {
      throw malformed("\(name) needs input \(omitted), which is omitted")
    }
    var seen: Set<String> = []
    for attribute in node.attributes {
      guard seen.insert(attribute.name).inserted else { throw malformed("attribute \(attribute.name) is given twice") }
      guard let rule = attributes.first(where: { $0.name == attribute.name }) else {
        if attribute.name.hasPrefix("__") { continue }
        throw malformed("\(name) of operator set \(sinceVersion) has no attribute \(attribute.name)")
      }
      guard attribute.referencedName.isEmpty, attribute.value.kind != rule.kind else { continue }
      throw malformed("attribute \(attribute.name) is of kind \(attribute.value.kind), not \(rule.kind)")
    }
    for rule in attributes where rule.isRequired && !seen.contains(rule.name) {
      throw malformed("\(name) needs the attribute \(rule.name)")
    }
  }
}

extension AttributeValue {
  /// The kind of the value.
  public var kind: AttributeRule.Kind {
    switch self {
    case .float: .float
    case .int: .int
    case .string: .string
    case .tensor: .tensor
    case .graph: .graph
    case .sparseTensor: .sparseTensor
    case .type: .type
    case .floats: .floats
    case .ints: .ints
    case .strings: .strings
    case .tensors: .tensors
    case .graphs: .graphs
    case .sparseTensors: .sparseTensors
    case .types: .types
    }
  }
}
