/// A graph with quantised layers, seen as the graph that it was made from: what stands in the place of a layer of that one is
/// the layer with the weights that the codes stand for.
struct DequantisedGraph {
  /// The graph in the other one's terms.
  private(set) var graph: Graph
  /// The layers that were found to be quantised, by the name of their nodes.
  private(set) var layers: [String] = []
  private let origin: Graph
  private var producers: [String: Int] = [:]
  private var tensors: [String: Tensor] = [:]
  private var removed: Set<Int> = []
  private var replacements: [Int: Node] = [:]
  /// Constants of the origin that were rounded, as numbers again.
  private var restored: Set<String> = []
  private let scales: ProductScales

  private static let products: Set = [
    "MatMul", "Gemm", "Einsum", "Gather", "MatMulInteger", "QLinearMatMul", "QGemm", "MatMulNBits",
    "DynamicQuantizeMatMul", "MatMulIntegerToFloat",
  ]
  private static let passes: Set = [
    "Add", "Mul", "Cast", "DynamicQuantizeLinear", "QuantizeLinear", "DequantizeLinear", "Transpose",
  ]

  init(_ graph: Graph, like origin: Graph) throws(FormatError) {
    let graph = UnpairedGraph(graph, like: origin).graph
    self.graph = graph
    self.origin = origin
    scales = ProductScales(graph)
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    for initializer in graph.initializers { tensors[initializer.name] = initializer.tensor }
    for node in origin.nodes { try match(node) }
    guard !layers.isEmpty else { return }
    for node in origin.nodes { try restoreConstants(of: node) }
    finish()
  }

  /// Replaces what makes the output of one of the origin's layers, when it is a quantised form of that.
  private mutating func match(_ node: Node) throws(FormatError) {
    guard let output = node.outputs.first, let last = producers[output],
      let place = node.inputs.firstIndex(where: { name in
        origin.initializers.contains { $0.name == name && $0.tensor.elementType.isFloatingPoint }
      }), Self.products.contains(node.operatorType)
    else { return }
    var region: [Int] = []
    var product: Int?
    var waiting = [last]
    while let index = waiting.popLast() {
      guard !region.contains(index) else { continue }
      let part = graph.nodes[index]
      let isProduct = Self.products.contains(part.operatorType)
      guard isProduct || Self.passes.contains(part.operatorType) else { continue }
      region.append(index)
      if isProduct { product = product ?? index }
      // Beyond a value that the origin's node takes is another layer.
      for name in part.inputs where !node.inputs.contains(name) {
        if let producer = producers[name] { waiting.append(producer) }
      }
    }
    guard let product, let weights = try weights(of: graph.nodes[product], for: node, place) else { return }
    var replaced = node
    let name = node.inputs[place]
    tensors[name] = weights
    if let index = graph.initializers.firstIndex(where: { $0.name == name }) {
      graph.initializers[index].tensor = weights
    } else {
      graph.initializers.append(Initializer(name: name, tensor: weights))
    }
    replaced.attributes = node.attributes
    replacements[last] = replaced
    removed.formUnion(region.filter { $0 != last })
    layers.append(node.label)
    try restoreBias(node, graph.nodes[product])
  }

  /// The bias of a Gemm in floating point, where it was rounded as well.
  private mutating func restoreBias(_ node: Node, _ product: Node) throws(FormatError) {
    guard node.operatorType == "Gemm", node.inputs.count > 2, tensors[node.inputs[2]] == nil,
      let original = origin.initializers.first(where: { $0.name == node.inputs[2] })
    else { return }
    var restored: Tensor?
    if product.operatorType == "Gemm", product.inputs.count > 2 {
      restored = try dequantised(product.inputs[2])
    } else if product.operatorType == "QGemm", product.inputs.count > 6, let codes = tensors[product.inputs[6]],
      let left = try tensors[product.inputs[1]]?.doubles().first, let scale = tensors[product.inputs[4]]
    {
      let steps = try scale.doubles().map { $0 * left }
      restored = try Self.dequantised(
        codes, Tensor(steps.map { Float($0) }, shape: scale.shape), nil, axis: 0, block: 0)
    }
    guard let restored, restored.shape == original.tensor.shape else { return }
    restore(original.name, as: restored)
  }

  private mutating func restore(_ name: String, as tensor: Tensor) {
    tensors[name] = tensor
    restored.insert(name)
    graph.initializers.append(Initializer(name: name, tensor: tensor))
  }

  /// The constants of a node that was not replaced, in floating point where they were rounded.
  private mutating func restoreConstants(of node: Node) throws(FormatError) {
    guard let output = node.outputs.first, let index = producers[output], replacements[index] == nil,
      !removed.contains(index), graph.nodes[index].operatorType == node.operatorType,
      graph.nodes[index].inputs.count == node.inputs.count
    else { return }
    for (place, name) in node.inputs.enumerated() where graph.nodes[index].inputs[place] != name {
      guard tensors[name] == nil, let original = origin.initializers.first(where: { $0.name == name }),
        let restored = try dequantised(graph.nodes[index].inputs[place]), restored.shape == original.tensor.shape
      else { continue }
      graph.nodes[index].inputs[place] = name
      restore(name, as: restored)
    }
  }

  /// The weights of a product in floating point and in the origin's shape; `nil` when they are not quantised.
  private func weights(of node: Node, for original: Node, _ place: Int) throws(FormatError) -> Tensor? {
    func tensor(_ index: Int) -> Tensor? { index < node.inputs.count ? tensors[node.inputs[index]] : nil }
    guard let wanted = origin.initializers.first(where: { $0.name == original.inputs[place] })?.tensor else {
      return nil
    }
    var weights: Tensor?
    switch node.operatorType {
    case "MatMul", "Gemm", "Einsum", "Gather":
      guard place < node.inputs.count else { return nil }
      weights = try dequantised(node.inputs[place])
    case "MatMulInteger":
      guard let codes = tensor(1), let (scale, isDivisor) = scales.scale(of: node), !isDivisor else { return nil }
      weights = try Self.dequantised(codes, scale, tensor(3), axis: 1, block: 0)
    case "DynamicQuantizeMatMul": weights = try parts(tensor(1), tensor(2), tensor(3), axis: 1)
    case "MatMulIntegerToFloat": weights = try parts(tensor(1), tensor(3), tensor(5), axis: 1)
    case "QLinearMatMul": weights = try parts(tensor(3), tensor(4), tensor(5), axis: 1)
    case "QGemm":
      weights = try parts(tensor(3), tensor(4), tensor(5), axis: node.int("transB", default: 0) != 0 ? 0 : 1)
    case "MatMulNBits": weights = try blocks(node)
    default: return nil
    }
    guard let weights else { return nil }
    let factor =
      original.operatorType == "Gemm" && node.operatorType != "Gemm" ? original.float("alpha", default: 1) : 1
    let plain = try weights.scaled(by: factor == 0 || node.operatorType == "QGemm" ? 1 : 1 / factor)
    if plain.shape == wanted.shape, !isTurned(node, original) { return plain }
    guard plain.shape.count == 2, plain.shape == wanted.shape.reversed() else { return nil }
    return try plain.transposed([1, 0])
  }

  /// Whether integer products hold the transpose of what the origin's Gemm takes.
  private func isTurned(_ node: Node, _ original: Node) -> Bool {
    let isGemm = original.operatorType == "Gemm" && original.int("transB", default: 0) != 0
    return isGemm && !["Gemm", "QGemm"].contains(node.operatorType)
  }

  private func parts(_ codes: Tensor?, _ scale: Tensor?, _ zeroPoint: Tensor?, axis: Int) throws(FormatError) -> Tensor?
  {
    guard let codes, let scale else { return nil }
    return try Self.dequantised(codes, scale, zeroPoint, axis: axis, block: 0)
  }

  /// A constant behind DequantizeLinear or a Cast from 16 bits.
  private func dequantised(_ name: String) throws(FormatError) -> Tensor? {
    guard let producer = producers[name].map({ graph.nodes[$0] }), let source = producer.inputs.first,
      let codes = tensors[source]
    else { return nil }
    if producer.operatorType == "Cast" { return try codes.converted(to: .float32) }
    guard producer.operatorType == "DequantizeLinear", producer.inputs.count > 1,
      let scale = tensors[producer.inputs[1]]
    else { return nil }
    let zeroPoint = producer.inputs.count > 2 ? tensors[producer.inputs[2]] : nil
    let axis = producer.int("axis", default: 1)
    return try Self.dequantised(
      codes, scale, zeroPoint, axis: axis < 0 ? axis + codes.shape.count : axis,
      block: producer.int("block_size", default: 0))
  }

  /// `(codes - zero points) · scales`.
  private static func dequantised(
    _ codes: Tensor, _ scale: Tensor, _ zeroPoint: Tensor?, axis: Int, block: Int
  ) throws(FormatError) -> Tensor? {
    let (numbers, scales) = (try codes.doubles(), try scale.doubles())
    let zeros = try zeroPoint?.doubles()
    let inner = codes.shape.indices.contains(axis) ? codes.shape[(axis + 1)...].reduce(1, *) : 1
    let extent = codes.shape.indices.contains(axis) ? codes.shape[axis] : 1
    let rows = block > 0 && extent > 0 ? (extent - 1) / block + 1 : extent
    let needed = block > 0 ? numbers.count / max(extent, 1) * rows : extent
    guard scales.count == 1 || scales.count == needed, zeros.map({ $0.count == 1 || $0.count == scales.count }) ?? true
    else { return nil }
    let values = numbers.indices.map { index -> Float in
      let (outer, along, rest) = (index / (inner * extent), index / inner % extent, index % inner)
      let place = scales.count == 1 ? 0 : block > 0 ? (outer * rows + along / block) * inner + rest : along
      let zero = zeros.map { $0[$0.count == 1 ? 0 : place] } ?? 0
      return Float(numbers[index] - zero) * Float(scales[place])
    }
    return Tensor(values, shape: codes.shape)
  }

  /// The matrix of a MatMulNBits, inputs before outputs.
  private func blocks(_ node: Node) throws(FormatError) -> Tensor? {
    let (rows, columns) = (node.int("K", default: 0), node.int("N", default: 0))
    let (bits, size) = (node.int("bits", default: 4), node.int("block_size", default: 0))
    guard node.inputs.count > 2, let codes = tensors[node.inputs[1]], let scale = tensors[node.inputs[2]],
      (1...1 << 20).contains(size), let count = checkedProduct([rows, columns]), count > 0, bits == 4 || bits == 8,
      size * bits % 8 == 0
    else { return nil }
    let blocks = (rows - 1) / size + 1
    let blockBytes = size * bits / 8
    let (bytes, scales) = (try codes.elements(as: UInt8.self), try scale.doubles())
    let zeroPoint = node.inputs.count > 3 ? tensors[node.inputs[3]] : nil
    let zeros = zeroPoint?.elementType == .uint8 ? try zeroPoint?.elements(as: UInt8.self) : nil
    guard checkedProduct([columns, blocks, blockBytes]) == bytes.count, scales.count == columns * blocks,
      case let zeroBytes = (blocks * bits + 7) / 8, zeros.map({ $0.count == columns * zeroBytes }) ?? (zeroPoint == nil)
    else { return nil }
    func part(_ byte: UInt8, _ index: Int) -> Int { Int(bits == 8 ? byte : index % 2 == 0 ? byte & 15 : byte >> 4) }
    var values = [Float](repeating: 0, count: count)
    for row in 0..<rows {
      for column in 0..<columns {
        let block = column * blocks + row / size
        let code = part(bytes[block * blockBytes + row % size * bits / 8], row)
        let place = row / size
        let zero = zeros.map { part($0[column * zeroBytes + place * bits / 8], place) } ?? 1 << (bits - 1)
        values[row * columns + column] = Float(code - zero) * Float(scales[block])
      }
    }
    return Tensor(values, shape: [rows, columns])
  }

  /// Puts the layers in their places, and leaves out what nothing uses any more.
  private mutating func finish() {
    var kept: [(index: Int, node: Node)] = []
    for (index, node) in graph.nodes.enumerated() { kept.append((index, replacements[index] ?? node)) }
    // What only replaced nodes used goes, from the end to the start.
    var used = Set(graph.outputs.map(\.name))
    var result: [Node] = []
    for (index, node) in kept.reversed() where !node.outputs.contains(where: restored.contains) {
      let isNeeded = node.outputs.contains(where: used.contains)
      guard isNeeded || !(removed.contains(index) || Self.passes.contains(node.operatorType)) else { continue }
      used.formUnion(node.inputs)
      result.append(node)
    }
    graph.nodes = result.reversed()
    graph.initializers.removeAll { !used.contains($0.name) }
    graph.valueInfo = []
  }
}

extension ModelComparison {
  /// Two models of which one has quantised layers where the other has not, each in the other's terms.
  func dequantised(_ left: Model, _ right: Model) throws(FormatError) -> (Model, Model, note: String)? {
    func replaced(_ model: Model, like origin: Model) throws(FormatError) -> (Model, [String])? {
      let result = try DequantisedGraph(model.graph, like: origin.graph)
      guard !result.layers.isEmpty else { return nil }
      var model = model
      model.graph = result.graph
      (model.operatorSets, model.irVersion) = (origin.operatorSets, origin.irVersion)
      model.graph.valueInfo = origin.graph.valueInfo
      return (model.withoutSidecar(), result.layers)
    }
    if let (model, layers) = try replaced(right, like: left) {
      return (left.withoutSidecar(), model, "\(layers.count) layers compared by dequantised values")
    }
    if let (model, layers) = try replaced(left, like: right) {
      return (model, right.withoutSidecar(), "\(layers.count) layers compared by dequantised values")
    }
    return nil
  }
}
