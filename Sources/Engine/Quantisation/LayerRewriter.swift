import NNFormat

/// Writes the nodes that stand for quantised layers.
struct LayerRewriter {
  var rewrite: GraphRewrite
  let settings: QuantisationSettings
  let ranges: [String: ClosedRange<Float>]
  /// Constants and activations that several layers share, by what they were made of.
  private var stored: [String: StoredWeight] = [:]
  private var dequantised: [String: String] = [:]
  var activations: [String: RoundedActivation] = [:]
  var blockParts: [String: StoredWeight] = [:]

  /// The names of a weight's parts.
  struct StoredWeight {
    let codes: String
    let scale: String
    let zeroPoint: String?
  }

  /// The names of a rounded activation's parts.
  struct RoundedActivation {
    let codes: String
    let scale: String
    let zeroPoint: String
    /// The number that is the scale, when it is known.
    var step: Float?
    var dequantised: String?
  }

  init(_ rewrite: GraphRewrite, _ settings: QuantisationSettings, ranges: [String: ClosedRange<Float>]) {
    self.rewrite = rewrite
    self.settings = settings
    self.ranges = ranges
  }

  /// Writes a layer with rounded weights.
  mutating func replace(_ layer: QuantisableLayer, _ node: Node, _ weight: QuantisedWeight) throws(EngineError) {
    do throws(FormatError) {
      switch settings.scheme {
      case .dynamic where layer.isIntegerProduct: try replaceDynamically(layer, node, weight)
      case .calibrated where layer.isIntegerProduct: try replaceCalibrated(layer, node, weight)
      case .weightOnly where settings.form == .qoperator && layer.isIntegerProduct:
        try replaceByBlocks(layer, node, weight)
      case .dynamic, .calibrated, .weightOnly: replaceWeights(layer, node, try dequantised(layer, weight))
      case .float16, .bfloat16: rewrite.append(node)
      }
    } catch {
      throw EngineError(.invalidGraph, error.message, node: node.label)
    }
  }

  /// Stores a layer's weights in 16 bits.
  mutating func halve(_ layer: QuantisableLayer, _ node: Node) throws(EngineError) -> LayerQuantisation {
    let type: ElementType = settings.scheme == .float16 ? .float16 : .bfloat16
    do throws(FormatError) {
      let (narrow, error) = try HalfWeights.rounded(layer.tensor, to: type)
      let name: String
      if let known = dequantised[layer.weight] {
        name = known
      } else {
        let constant = rewrite.add(narrow, named: "\(layer.weight)_\(type.name)")
        name = rewrite.add(
          "Cast", [constant], named: "\(layer.weight)_cast",
          [Attribute("to", .int(Int64(layer.tensor.elementType.rawValue)))], inFront: true)
        dequantised[layer.weight] = name
      }
      replaceWeights(layer, node, name)
      return LayerQuantisation(
        name: layer.name, operatorType: layer.operatorType, scheme: type.name, bits: 16, weights: error)
    } catch {
      throw EngineError(.invalidInput, "the weights \"\(layer.weight)\": \(error.message)")
    }
  }

  private mutating func replaceWeights(_ layer: QuantisableLayer, _ node: Node, _ name: String) {
    var node = node
    node.inputs[layer.input] = name
    rewrite.append(node)
  }

  // MARK: Weights

  /// The weight's parts as constants. Codes and zero points of 8 bits may be transposed.
  mutating func stored(
    _ layer: QuantisableLayer, _ weight: QuantisedWeight, isTransposed: Bool = false, factor: Float = 1
  ) throws(FormatError) -> StoredWeight {
    let key = "\(layer.weight) \(layer.axes.outputs) \(isTransposed) \(factor)"
    if let known = stored[key] { return known }
    let codes = isTransposed ? try weight.codes.transposedBytes() : weight.codes
    var scale = weight.scale
    if factor != 1 { scale = Tensor(try scale.elements(as: Float.self).map { $0 * factor }, shape: scale.shape) }
    let result = StoredWeight(
      codes: rewrite.add(codes, named: "\(layer.weight)_quantized"),
      scale: rewrite.add(scale, named: "\(layer.weight)_scale"),
      zeroPoint: weight.zeroPoint.map { rewrite.add($0, named: "\(layer.weight)_zero_point") })
    stored[key] = result
    return result
  }

  /// The weight in floating point, made of its codes when the program runs.
  mutating func dequantised(_ layer: QuantisableLayer, _ weight: QuantisedWeight) throws(FormatError) -> String {
    let key = "\(layer.weight) \(layer.axes.outputs)"
    if let known = dequantised[key] { return known }
    var parts = try stored(layer, weight)
    if layer.tensor.elementType != .float32 {
      // The result is of the scale's type.
      let narrow = try weight.scale.converted(to: layer.tensor.elementType)
      parts = StoredWeight(
        codes: parts.codes, scale: rewrite.add(narrow, named: "\(layer.weight)_scale"), zeroPoint: parts.zeroPoint)
    }
    var attributes: [Attribute] = []
    switch settings.coding(of: layer).grouping {
    case .tensor: break
    case .axis(let axis): attributes = [Attribute("axis", .int(Int64(axis)))]
    case .blocks(let axis, let size):
      attributes = [Attribute("axis", .int(Int64(axis))), Attribute("block_size", .int(Int64(size)))]
    }
    let name = rewrite.add(
      "DequantizeLinear", [parts.codes, parts.scale, parts.zeroPoint ?? ""], named: "\(layer.weight)_dequantized",
      attributes, inFront: true)
    dequantised[key] = name
    return name
  }

  // MARK: Gemm

  /// The bias of a Gemm times `beta`, as a constant where it is one.
  mutating func bias(of node: Node) throws(FormatError) -> String? {
    guard node.operatorType == "Gemm", node.inputs.count > 2, !node.inputs[2].isEmpty else { return nil }
    let beta = node.float("beta", default: 1)
    guard beta != 1 else { return node.inputs[2] }
    if let tensor = rewrite.constant(node.inputs[2]), tensor.elementType == .float32 {
      let scaled = Tensor(try tensor.elements(as: Float.self).map { $0 * beta }, shape: tensor.shape)
      return rewrite.add(scaled, named: "\(node.inputs[2])_times_beta")
    }
    let factor = rewrite.add(Tensor([beta], shape: []), named: "\(node.outputs[0])_beta")
    return rewrite.add("Mul", [node.inputs[2], factor], named: "\(node.outputs[0])_bias")
  }

  /// A bias as a constant vector with a number for each output; `nil` when it is something else.
  mutating func vector(_ bias: String?, count: Int) throws(FormatError) -> String? {
    guard let bias, let tensor = rewrite.constant(bias) else { return nil }
    if tensor.shape == [count] { return bias }
    guard tensor.elementType == .float32, tensor.shape.count <= 2,
      tensor.count == 1 || tensor.shape == [1, count]
    else { return nil }
    let values: [Float] = try tensor.elements()
    let spread = values.count == count ? values : [Float](repeating: values[0], count: count)
    return rewrite.add(Tensor(spread, shape: [count]), named: "\(bias)_vector")
  }

  /// The left operand of a product, rows of inputs whatever the node's attributes.
  mutating func rows(of node: Node) -> String {
    guard node.operatorType == "Gemm", node.int("transA", default: 0) != 0 else { return node.inputs[0] }
    return rewrite.add(
      "Transpose", [node.inputs[0]], named: "\(node.outputs[0])_rows", [Attribute("perm", .ints([1, 0]))])
  }

  /// Adds the bias to a product, as the node's output.
  mutating func finish(_ node: Node, _ bias: String?, product: (inout LayerRewriter, String) -> Void) {
    guard let bias else { return product(&self, node.outputs[0]) }
    let name = rewrite.name("\(node.outputs[0])_product")
    product(&self, name)
    rewrite.add("Add", [name, bias], outputs: node.outputs)
  }
}

extension Tensor {
  /// The transpose of a matrix of one-byte elements.
  func transposedBytes() throws(FormatError) -> Tensor {
    let (rows, columns) = (shape[0], shape[1])
    let bytes = try unsafe withBytes { (source) throws(FormatError) in
      try unsafe AlignedBytes(count: source.count) { target in
        let tile = 64
        for top in stride(from: 0, to: rows, by: tile) {
          for left in stride(from: 0, to: columns, by: tile) {
            for column in left..<min(left + tile, columns) {
              for row in top..<min(top + tile, rows) {
                unsafe target[column &* rows &+ row] = source[row &* columns &+ column]
              }
            }
          }
        }
      }
    }
    return try Tensor(elementType: elementType, shape: [columns, rows], storage: .owned(bytes))
  }
}
