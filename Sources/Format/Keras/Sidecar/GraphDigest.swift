/// A fingerprint of what a graph computes apart from its weights: FNV-1a of 128 bits over inputs, outputs, nodes with
/// their attributes and connections, and initializers.
///
/// Of initializers that are weights only name, type and shape count, of all others the elements too. Names of nodes,
/// documentation, stated types of intermediate values and the order of initializers do not count.
struct GraphDigest {
  private var fingerprint = Fingerprint()

  /// The fingerprint as 32 hexadecimal digits.
  ///
  /// - Throws: `FormatError` when the elements of an initializer cannot be read.
  static func of(_ model: Model, weights: Set<String>) throws(FormatError) -> String {
    var digest = GraphDigest()
    let graph = model.graph
    for set in model.operatorSets {
      digest.add(set.domain)
      digest.add(set.version)
    }
    digest.add(graph.inputs)
    digest.add(graph.outputs)
    digest.add(graph.nodes.count)
    for node in graph.nodes { try digest.add(node) }
    for initializer in graph.initializers.sorted(by: { $0.name < $1.name }) {
      digest.add(initializer.name)
      try digest.add(initializer.tensor, withElements: !weights.contains(initializer.name))
    }
    digest.add(graph.sparseInitializers.count + model.functions.count)
    return digest.fingerprint.digits
  }

  private mutating func add(_ text: String) { fingerprint.add(text) }

  private mutating func add(_ number: Int) { fingerprint.add(number) }

  private mutating func add(_ values: [Value]) {
    add(values.count)
    for value in values {
      add(value.name)
      switch value.type {
      case .tensor(let elementType, let shape):
        add(Int(elementType.rawValue))
        add(shape?.description ?? "?")
      case nil: add("")
      default: add("no tensor")
      }
    }
  }

  private mutating func add(_ node: Node) throws(FormatError) {
    for text in [node.operatorType, node.domain, node.overload] { add(text) }
    for names in [node.inputs, node.outputs] {
      add(names.count)
      for name in names { add(name) }
    }
    add(node.attributes.count)
    for attribute in node.attributes.sorted(by: { $0.name < $1.name }) {
      add(attribute.name)
      switch attribute.value {
      case .float(let value): add(Int(value.bitPattern))
      case .int(let value): add(Int(value))
      case .string(let bytes): add(String(decoding: bytes, as: UTF8.self))
      case .floats(let values): for value in values { add(Int(value.bitPattern)) }
      case .ints(let values): for value in values { add(Int(value)) }
      case .tensor(let tensor): try add(tensor, withElements: true)
      // Graphs that come from Keras have no others; any such attribute makes the graph another one.
      default: add("other")
      }
    }
  }

  private mutating func add(_ tensor: Tensor, withElements: Bool) throws(FormatError) {
    try fingerprint.add(tensor, withElements: withElements)
  }
}
