/// A fingerprint of what a graph computes apart from its weights: FNV-1a of 128 bits over inputs, outputs, nodes with
/// their attributes and connections, and initializers.
///
/// Of initializers that are weights only name, type and shape count, of all others the elements too. Names of nodes,
/// documentation, stated types of intermediate values and the order of initializers do not count.
struct GraphDigest {
  private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

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
    let digits = String(digest.state, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }

  private mutating func add(byte: UInt8) {
    state = (state ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013b
  }

  private mutating func add(_ text: String) {
    for byte in text.utf8 { add(byte: byte) }
    // No byte of UTF-8: ends the text.
    add(byte: 0xFF)
  }

  private mutating func add(_ number: Int) {
    for shift in stride(from: 0, to: 64, by: 8) { add(byte: UInt8(truncatingIfNeeded: number >> shift)) }
  }

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
    add(Int(tensor.elementType.rawValue))
    add(tensor.shape.count)
    for extent in tensor.shape { add(extent) }
    guard withElements, tensor.elementType != .string else { return }
    try unsafe tensor.withBytes { bytes in
      for index in 0..<bytes.count { unsafe add(byte: bytes[index]) }
    }
  }
}
