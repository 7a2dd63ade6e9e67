/// How the weights of a layer are stored.
public struct LayerPrecision: Sendable, Hashable {
  /// In words: `float32`, `weight-only int4 blocks of 32`, `dynamic int8 per channel`, `static uint8 per tensor`.
  public var scheme: String
  /// Bits that a weight takes, with its share of scales and zero points.
  public var bits: Double

  /// Whether weights are stored in fewer bits than they are computed with.
  public var isQuantised: Bool
}

/// What a graph says of the weights of its nodes.
struct PrecisionReader {
  private let initializers: [String: Tensor]
  private let producers: [String: Node]
  private let scales: ProductScales

  init(_ graph: Graph) {
    initializers = Dictionary(graph.initializers.map { ($0.name, $0.tensor) }) { first, _ in first }
    var producers: [String: Node] = [:]
    for node in graph.nodes { for output in node.outputs where !output.isEmpty { producers[output] = node } }
    self.producers = producers
    scales = ProductScales(graph)
  }

  /// The precision of a node's weights; `nil` when it is no layer with constant weights.
  func precision(of node: Node) -> LayerPrecision? {
    func input(_ index: Int) -> String { index < node.inputs.count ? node.inputs[index] : "" }
    switch node.operatorType {
    case "MatMul", "Gemm", "Einsum":
      let rounding = isRounded(input(0)) ? "static" : "weight-only"
      return weights(input(1), rounding) ?? weights(input(0), "weight-only")
    case "Gather": return weights(input(0), "weight-only", leastRank: 2)
    case "MatMulInteger":
      return codes(input(1), scales: scales.scale(of: node)?.scale, zeroPoint: input(3), "dynamic")
    case "DynamicQuantizeMatMul": return codes(input(1), scale: input(2), zeroPoint: input(3), "dynamic")
    case "MatMulIntegerToFloat": return codes(input(1), scale: input(3), zeroPoint: input(5), "dynamic")
    case "QLinearMatMul", "QGemm": return codes(input(3), scale: input(4), zeroPoint: input(5), "static")
    case "MatMulNBits": return blocks(node)
    default: return nil
    }
  }

  /// Whether a value comes out of a pair of QuantizeLinear and DequantizeLinear.
  private func isRounded(_ name: String) -> Bool {
    guard let node = producers[name], node.operatorType == "DequantizeLinear", let codes = node.inputs.first else {
      return false
    }
    return initializers[codes] == nil
  }

  private func weights(_ name: String, _ rounding: String, leastRank: Int = 1) -> LayerPrecision? {
    if let tensor = initializers[name] {
      guard tensor.elementType.isFloatingPoint, tensor.shape.count >= leastRank else { return nil }
      return LayerPrecision(
        scheme: tensor.elementType.name, bits: Double(tensor.elementType.bitWidth ?? 0), isQuantised: false)
    }
    guard let node = producers[name] else { return nil }
    switch node.operatorType {
    case "Cast", "Identity", "Transpose":
      guard let source = node.inputs.first, let tensor = initializers[source], tensor.elementType.isFloatingPoint else {
        return nil
      }
      let type = tensor.elementType
      return LayerPrecision(
        scheme: type.name, bits: Double(type.bitWidth ?? 0), isQuantised: node.operatorType == "Cast")
    case "DequantizeLinear":
      let (scale, zeroPoint) = (node.inputs.dropFirst().first ?? "", node.inputs.dropFirst(2).first ?? "")
      let size = node.int("block_size", default: 0)
      return codes(node.inputs.first ?? "", scale: scale, zeroPoint: zeroPoint, rounding, blockSize: size)
    default: return nil
    }
  }

  private func codes(
    _ name: String, scale: String, zeroPoint: String, _ rounding: String, blockSize: Int = 0
  ) -> LayerPrecision? {
    codes(name, scales: initializers[scale], zeroPoint: zeroPoint, rounding, blockSize: blockSize)
  }

  private func codes(
    _ name: String, scales: Tensor?, zeroPoint: String, _ rounding: String, blockSize: Int = 0
  ) -> LayerPrecision? {
    guard let tensor = initializers[name], tensor.elementType.isInteger, tensor.count > 0 else { return nil }
    let type = tensor.elementType.name
    let grouping =
      blockSize > 0 ? " blocks of \(blockSize)" : scales.map { $0.count > 1 ? " per channel" : " per tensor" } ?? ""
    let bytes = tensor.byteCount + (scales?.byteCount ?? 0) + (initializers[zeroPoint]?.byteCount ?? 0)
    return LayerPrecision(
      scheme: "\(rounding) \(type)\(grouping)", bits: Double(bytes) * 8 / Double(tensor.count), isQuantised: true)
  }

  private func blocks(_ node: Node) -> LayerPrecision? {
    let (rows, columns) = (node.int("K", default: 0), node.int("N", default: 0))
    guard let count = checkedProduct([rows, columns]), count > 0 else { return nil }
    let bytes = node.inputs.dropFirst().prefix(3).reduce(0) { $0 + (initializers[$1]?.byteCount ?? 0) }
    guard bytes > 0 else { return nil }
    let bits = node.int("bits", default: 4)
    return LayerPrecision(
      scheme: "weight-only uint\(bits) blocks of \(node.int("block_size", default: 0))",
      bits: Double(bytes) * 8 / Double(count), isQuantised: true)
  }
}

extension KerasLayer {
  /// The precision of a layer's matrix; `nil` when it has none.
  var precision: LayerPrecision? {
    guard let name = ["kernel", "embeddings", "quantized_kernel"].first(where: { weights[$0] != nil }),
      let matrix = try? weights[name]?.tensor()
    else { return nil }
    let type = matrix.elementType
    guard let mode = QuantizationMode(configuration), mode.kind != .float8 else {
      let isFloat8 = QuantizationMode(configuration)?.kind == .float8
      return LayerPrecision(
        scheme: isFloat8 ? "float8, stored as \(type.name)" : type.name, bits: Double(type.bitWidth ?? 0),
        isQuantised: isFloat8)
    }
    let others = ["scale", "zero"].reduce(0) { sum, part in
      sum
        + weights.filter { $0.key.hasSuffix("_\(part)") }.values.reduce(0) { $0 + ((try? $1.tensor())?.byteCount ?? 0) }
    }
    let width = mode.kind == .int8 ? 8 : mode.kind == .int4 ? 4 : mode.bits ?? 4
    guard width > 0 else { return nil }
    let count = matrix.byteCount * 8 / width
    let rounds = (try? ActivationQuantizer(configuration, mode)) ?? nil != nil && className != "Embedding"
    let grouping = mode.blockSize.map { "blocks of \($0)" } ?? "per channel"
    let text = [.gptq, .awq].contains(mode.kind) ? "\(mode.kind.rawValue) uint\(width)" : "\(mode.kind.rawValue)"
    return LayerPrecision(
      scheme:
        "\(rounds && mode.kind == .int8 || rounds && mode.kind == .int4 ? "dynamic" : "weight-only") \(text) \(grouping)",
      bits: count == 0 ? 0 : Double(width) + Double(others) * 8 / Double(count), isQuantised: true)
  }
}
