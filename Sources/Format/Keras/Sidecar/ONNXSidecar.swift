/// What a Keras file carries of the ONNX model its layers were made from: the model as it was, without the elements of
/// those initializers that are weights of the layers.
///
/// The model's last metadata entries say which weight gives each of these, and hold fingerprints of the layers and of all
/// other weights. A `.keras` archive has the model as a member, an `.h5` file as a dataset of bytes.
package struct ONNXSidecar: Sendable {
  /// The archive's member.
  static let member = "assets/nnfmt/model.onnx"
  /// The dataset in the root of an HDF5 file.
  static let dataset = "nnfmt.onnx"
  package static let prefix = "nnfmt.onnx."

  /// The names of the metadata entries behind the prefix, in their order.
  package enum Key: String, CaseIterable {
    /// An array with an object for each initializer without elements: `initializer` (its place), its `shape`, the
    /// `weight` that gives it and whether that is `transposed`.
    case weights
    /// The fingerprint of the layers.
    case layers
    /// The fingerprint of the weights that give no initializer.
    case constants
  }

  /// Where the model is.
  package enum Content: Sendable {
    case model(Model)
    /// The bytes in a file, or why they cannot be had.
    case stored(Result<Tensor, FormatError>)
  }

  let content: Content

  package init(_ content: Content) { self.content = content }

  /// Lets a Keras model carry the ONNX model that it was raised from.
  ///
  /// - Throws: `FormatError` of kind `limit` when what is to be carried passes 2 GiB.
  static func attach(_ original: Model, to keras: inout KerasModel) throws(FormatError) {
    let weights = try WeightExchange.tensors(of: keras)
    var constants = Dictionary(weights.map { ($0, $1) }) { first, _ in first }
    var holders: [Int: [String]] = [:]
    for (name, tensor) in weights {
      if let origin = tensor.origin { holders[origin.initializer, default: []].append(name) }
    }
    let uses = SoleUses(original.graph)
    var model = original
    var index: [JSONValue] = []
    for (place, initializer) in original.graph.initializers.enumerated() {
      guard let names = holders[place], names.count == 1, let origin = weights[names[0]]?.origin,
        let weight = weights[names[0]], isHeld(initializer.tensor, by: weight, origin), uses.isSole(initializer.name)
      else { continue }
      model.graph.initializers[place].tensor = try initializer.tensor.withoutElements
      index.append([
        "initializer": .int(place), "weight": .string(names[0]),
        "shape": .array(initializer.tensor.shape.map { .int($0) }), "transposed": .bool(origin.isTransposed),
      ])
      constants[names[0]] = nil
    }
    add(.weights, JSONValue.array(index).text(), to: &model)
    add(.layers, LayerDigest.ofLayers(in: keras), to: &model)
    add(.constants, try LayerDigest.ofWeights(constants), to: &model)
    try ONNXEncoder(placement: .inside).encode(model).checkSize()
    keras.onnxSidecar = ONNXSidecar(.model(model))
  }

  /// Lets the sidecar describe layers that compute the same as those it was made for, when it described these.
  static func renew(in keras: inout KerasModel, madeOf original: KerasModel) throws(FormatError) {
    guard let sidecar = original.onnxSidecar, case .intact = read(original) else { return }
    var (model, entries) = try sidecar.parts()
    entries[.layers] = LayerDigest.ofLayers(in: keras)
    for key in Key.allCases { add(key, entries[key] ?? "", to: &model) }
    keras.onnxSidecar = ONNXSidecar(.model(model))
  }

  /// The model in wire format, in a file that is mapped and has no name any more.
  ///
  /// - Parameter path: a file in whose folder there is room for it for the moment.
  /// - Returns: `nil` when the bytes cannot be had.
  func bytes(beside path: String) throws(FormatError) -> Tensor? {
    switch content {
    case .stored(let bytes): return try? bytes.get()
    case .model(let model):
      let file = try AtomicWriter(scratchBeside: path)
      try ONNXEncoder(placement: .inside).encode(model).write(into: file)
      let mapped = try MappedFile(path: file.temporaryPath)
      return try Tensor(elementType: .uint8, shape: [mapped.count], storage: .mapped(mapped, 0..<mapped.count))
    }
  }

  private static func add(_ key: Key, _ value: String, to model: inout Model) {
    model.metadata.entries.append(TextDictionary.Entry(prefix + key.rawValue, value))
  }

  private static func isHeld(_ tensor: Tensor, by weight: Tensor, _ origin: TensorOrigin) -> Bool {
    // Numbers that the file states in an unusual way are not those of the elements alone.
    tensor.elementType == weight.elementType && tensor.shape == origin.shape && tensor.count == weight.count
      && tensor.count > 0 && tensor.elementType != .string && tensor.encoding.statedNumbers == nil
  }
}

extension Tensor {
  /// An empty tensor that is otherwise like this one.
  fileprivate var withoutElements: Tensor {
    get throws(FormatError) {
      var empty = try Tensor(elementType: elementType, shape: [0], storage: .owned(AlignedBytes(copying: [UInt8]())))
      empty.adoptDescription(of: self)
      return empty
    }
  }

  /// Takes over all that is said of another tensor but its elements and their shape. Data in a file beside the model come
  /// into the model.
  mutating func adoptDescription(of other: Tensor) {
    (name, docString, metadata, unknownFields) = (other.name, other.docString, other.metadata, other.unknownFields)
    encoding = other.encoding
    if encoding.placement == .external { (encoding.placement, encoding.externalData) = (.raw, [:]) }
  }
}

/// Which constants are used in one place of a graph alone, so that another value of theirs means nothing elsewhere.
private struct SoleUses {
  private let graph: Graph
  private var uses: [String: Int] = [:]
  private var users: [String: Node] = [:]
  private var constants: Set<String>

  init(_ graph: Graph) {
    self.graph = graph
    constants = Set(graph.initializers.map(\.name))
    for node in graph.nodes {
      if node.inputs.allSatisfy({ $0.isEmpty || constants.contains($0) }) { constants.formUnion(node.outputs) }
    }
    for output in graph.outputs { uses[output.name, default: 0] += 1 }
    count(graph.nodes)
  }

  private mutating func count(_ nodes: [Node]) {
    for node in nodes {
      for name in node.inputs {
        uses[name, default: 0] += 1
        users[name] = node
      }
      for (_, subgraph) in node.subgraphs {
        for output in subgraph.outputs { uses[output.name, default: 0] += 1 }
        count(subgraph.nodes)
      }
    }
  }

  /// Whether the constant, and what nodes make of it alone, has one user.
  func isSole(_ name: String) -> Bool {
    var name = name
    for _ in 0...graph.nodes.count {
      guard uses[name] == 1, let node = users[name] else { return false }
      guard node.inputs.allSatisfy({ $0.isEmpty || constants.contains($0) }) else { return true }
      guard node.outputs.count == 1 else { return false }
      name = node.outputs[0]
    }
    return false
  }
}
