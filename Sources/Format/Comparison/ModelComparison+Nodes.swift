/// Nodes and their attributes.
extension ModelComparison {
  /// Matches nodes by their first output, else by their name.
  mutating func compareNodes(_ left: [Node], _ right: [Node], at place: String) {
    var byOutput: [String: Int] = [:]
    var byName: [String: Int] = [:]
    for (index, node) in right.enumerated() {
      if let output = node.outputs.first(where: { !$0.isEmpty }) { byOutput[output] = byOutput[output] ?? index }
      if !node.name.isEmpty { byName[node.name] = byName[node.name] ?? index }
    }
    let outputs = Set(left.compactMap { $0.outputs.first { !$0.isEmpty } })
    var matched: [Int] = []
    var taken: Set<Int> = []
    for (index, node) in left.enumerated() {
      let place = "\(place)node \(index) \(node.label)"
      var partner = node.outputs.first { !$0.isEmpty }.flatMap { byOutput[$0] }
      if partner == nil, let named = byName[node.name],
        !outputs.contains(right[named].outputs.first { !$0.isEmpty } ?? "")
      {
        partner = named
      }
      guard let partner, taken.insert(partner).inserted else {
        differ(.structure, place, node.operatorType, nil)
        continue
      }
      matched.append(partner)
      compare(node, right[partner], at: place)
    }
    for (index, node) in right.enumerated() where !taken.contains(index) {
      differ(.structure, "\(place)node \(index) \(node.label)", nil, node.operatorType)
    }
    if matched != matched.sorted() { note(.structure, "\(place)nodes", "in this order", "in another order") }
  }

  private mutating func compare(_ left: Node, _ right: Node, at place: String) {
    compare(.structure, "\(place), operator", left.fullType, right.fullType)
    compare(.structure, "\(place), name", left.name, right.name, counts: false)
    compare(.structure, "\(place), inputs", left.inputs.joined(separator: ", "), right.inputs.joined(separator: ", "))
    compare(
      .structure, "\(place), outputs", left.outputs.joined(separator: ", "), right.outputs.joined(separator: ", "))
    for attribute in left.attributes {
      let other = right.attributes.first { $0.name == attribute.name }
      compare(attribute, other, at: "\(place), \(attribute.name)")
    }
    for attribute in right.attributes where left.attribute(attribute.name) == nil {
      differ(.configuration, "\(place), \(attribute.name)", nil, attribute.text)
    }
  }

  private mutating func compare(_ left: Attribute, _ right: Attribute?, at place: String) {
    guard let right else { return differ(.configuration, place, left.text, nil) }
    switch (left.value, right.value) {
    case (.tensor(let one), .tensor(let other)): compare(.weights, place, one, other)
    case (.tensors(let ones), .tensors(let others)):
      for index in 0..<max(ones.count, others.count) {
        let (one, other) = (index < ones.count ? ones[index] : nil, index < others.count ? others[index] : nil)
        compare(.weights, "\(place)[\(index)]", one, other)
      }
    case (.sparseTensor(let one), .sparseTensor(let other)):
      compare(.weights, "\(place), values", one.values, other.values)
      compare(.weights, "\(place), indices", one.indices, other.indices)
    case (.graph(let one), .graph(let other)): compareGraphs(one, other, at: "\(place), ")
    case (.graphs(let ones), .graphs(let others)):
      for index in 0..<max(ones.count, others.count) {
        let one = index < ones.count ? ones[index] : Graph()
        compareGraphs(one, index < others.count ? others[index] : Graph(), at: "\(place)[\(index)], ")
      }
    default: compare(.configuration, place, left.text, right.text)
    }
  }
}

extension Node {
  fileprivate var fullType: String { [domain, operatorType, overload].filter { !$0.isEmpty }.joined(separator: ".") }
}

extension Attribute {
  /// The value in words; of tensors and graphs only the kind.
  fileprivate var text: String {
    guard referencedName.isEmpty else { return "attribute \(referencedName) of the function" }
    return switch value {
    case .float(let value): "\(value)"
    case .int(let value): "\(value)"
    case .string(let bytes): String(decoding: bytes, as: UTF8.self)
    case .floats(let values): "\(values)"
    case .ints(let values): "\(values)"
    case .strings(let values): "\(values.map { String(decoding: $0, as: UTF8.self) })"
    case .type(let type): "\(type)"
    case .types(let types): "\(types)"
    case .tensor(let tensor): tensor.typeText
    default: "\(value.kind)"
    }
  }
}
