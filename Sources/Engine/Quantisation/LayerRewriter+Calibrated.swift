import NNFormat

extension LayerRewriter {
  /// A product whose left side is rounded by a range that calibration found.
  mutating func replaceCalibrated(
    _ layer: QuantisableLayer, _ node: Node, _ weight: QuantisedWeight
  ) throws(FormatError) {
    let input = try rounded(node.inputs[0])
    switch settings.form {
    case .qdq: try replaceBetweenPairs(layer, node, weight, input)
    case .qoperator where node.operatorType == "Gemm": try replaceByQuantisedGemm(layer, node, weight, input)
    case .qoperator: try replaceByQuantisedProduct(layer, node, weight, input)
    }
  }

  /// The node itself, with DequantizeLinear in front of each operand.
  private mutating func replaceBetweenPairs(
    _ layer: QuantisableLayer, _ node: Node, _ weight: QuantisedWeight, _ input: RoundedActivation
  ) throws(FormatError) {
    var node = node
    let left =
      input.dequantised
      ?? rewrite.add(
        "DequantizeLinear", [input.codes, input.scale, input.zeroPoint], named: "\(node.inputs[0])_dequantized")
    activations[node.inputs[0]]?.dequantised = left
    node.inputs[0] = left
    node.inputs[layer.input] = try dequantised(layer, weight)
    if node.operatorType == "Gemm", node.inputs.count > 2, node.float("alpha", default: 1) == 1,
      node.float("beta", default: 1) == 1, let step = input.step,
      let (codes, scale) = try quantisedBias(node.inputs[2], weight, step)
    {
      let name = node.inputs[2]
      let scaleName = rewrite.add(scale, named: "\(name)_scale")
      let codesName = rewrite.add(codes, named: "\(name)_quantized")
      node.inputs[2] = rewrite.add(
        "DequantizeLinear", [codesName, scaleName], named: "\(name)_dequantized",
        scale.shape.isEmpty ? [] : [Attribute("axis", .int(0))], inFront: true)
    }
    rewrite.append(node)
  }

  /// `QGemm` with an output in floating point.
  private mutating func replaceByQuantisedGemm(
    _ layer: QuantisableLayer, _ node: Node, _ weight: QuantisedWeight, _ input: RoundedActivation
  ) throws(FormatError) {
    let parts = try stored(layer, weight)
    let zeroPoint = try zeroPoint(layer, weight, parts)
    let name = try bias(of: node)
    var attributes = node.attributes.filter { ["alpha", "transA", "transB"].contains($0.name) }
    if let index = attributes.firstIndex(where: { $0.name == "alpha" }), case .float(1) = attributes[index].value {
      attributes.remove(at: index)
    }
    var codes: String?
    if let name, let step = input.step {
      let factor = node.float("alpha", default: 1)
      codes = try quantisedBias(name, weight, step * factor).map { rewrite.add($0.codes, named: "\(name)_quantized") }
    }
    let operands = [input.codes, input.scale, input.zeroPoint, parts.codes, parts.scale, zeroPoint, codes ?? ""]
    let all = attributes
    finish(node, codes == nil ? name : nil) { rewriter, output in
      rewriter.rewrite.add("QGemm", domain: "com.microsoft", operands, outputs: [output], all)
    }
  }

  /// `QLinearMatMul` and its way back to floating point.
  private mutating func replaceByQuantisedProduct(
    _ layer: QuantisableLayer, _ node: Node, _ weight: QuantisedWeight, _ input: RoundedActivation
  ) throws(FormatError) {
    let parts = try stored(layer, weight)
    let zeroPoint = try zeroPoint(layer, weight, parts)
    let output = try parameters(of: node.outputs[0])
    let codes = rewrite.add(
      "QLinearMatMul",
      [
        input.codes, input.scale, input.zeroPoint, parts.codes, parts.scale, zeroPoint, output.scale, output.zeroPoint,
      ], named: "\(node.outputs[0])_quantized")
    rewrite.add("DequantizeLinear", [codes, output.scale, output.zeroPoint], outputs: node.outputs)
  }

  /// The codes of zero of a weight, zeros where it has none.
  private mutating func zeroPoint(
    _ layer: QuantisableLayer, _ weight: QuantisedWeight, _ parts: StoredWeight
  ) throws(FormatError) -> String {
    if let name = parts.zeroPoint { return name }
    let zeros = AlignedBytes(copying: [UInt8](repeating: 0, count: weight.scale.count))
    let tensor = try Tensor(
      elementType: weight.codes.elementType, shape: weight.scale.shape, storage: .owned(zeros))
    return rewrite.add(tensor, named: "\(layer.weight)_zero_point")
  }

  /// A constant vector as int32 with the scale of the products it is added to; `nil` when it is no vector of the outputs'
  /// number or does not fit.
  private func quantisedBias(
    _ name: String, _ weight: QuantisedWeight, _ step: Float
  ) throws(FormatError) -> (codes: Tensor, scale: Tensor)? {
    guard let tensor = constant(name), tensor.shape.count == 1,
      weight.scale.shape.isEmpty || weight.scale.count == tensor.count
    else { return nil }
    let values: [Float] = try tensor.elements()
    let scales = try weight.scale.elements(as: Float.self).map { $0 * step }
    var codes: [Int32] = []
    for (index, value) in values.enumerated() {
      let code = (value / scales[scales.count == 1 ? 0 : index]).rounded(.toNearestOrEven)
      guard let whole = Int32(exactly: code) else { return nil }
      codes.append(whole)
    }
    return (Tensor(codes, shape: tensor.shape), Tensor(scales, shape: weight.scale.shape))
  }

  private func constant(_ name: String) -> Tensor? {
    rewrite.constant(name).flatMap { $0.elementType == .float32 ? $0 : nil }
  }

  /// A value rounded by QuantizeLinear.
  private mutating func rounded(_ value: String) throws(FormatError) -> RoundedActivation {
    if let known = activations[value] { return known }
    var result = try parameters(of: value)
    let codes = rewrite.add(
      "QuantizeLinear", [value, result.scale, result.zeroPoint], named: "\(value)_quantized")
    result = RoundedActivation(codes: codes, scale: result.scale, zeroPoint: result.zeroPoint, step: result.step)
    activations[value] = result
    return result
  }

  /// The scale and zero point of a value as constants; its codes are named by the caller.
  private mutating func parameters(of value: String) throws(FormatError) -> RoundedActivation {
    guard let range = ranges[value] else {
      throw FormatError(.missing, "calibration has seen no number of the value \"\(value)\"")
    }
    let (step, zero) = ActivationCoding(settings).parameters(range)
    let zeroPoint = try Tensor([Double(zero)], shape: []).converted(to: settings.activationType)
    return RoundedActivation(
      codes: "", scale: rewrite.add(Tensor([step], shape: []), named: "\(value)_scale"),
      zeroPoint: rewrite.add(zeroPoint, named: "\(value)_zero_point"), step: step)
  }
}

/// How activations are rounded.
struct ActivationCoding {
  let lowest: Int
  let highest: Int
  let isSymmetric: Bool

  init(_ settings: QuantisationSettings) {
    let width = settings.activationType.bitWidth ?? 8
    let isSigned = settings.activationType == .int8 || settings.activationType == .int16
    lowest = isSigned ? -(1 << (width - 1)) : 0
    highest = lowest + 1 << width - 1
    isSymmetric = settings.isSymmetric ?? false
  }

  /// The step and the code of zero for a range, which is widened to hold zero.
  func parameters(_ range: ClosedRange<Float>) -> (step: Float, zero: Int) {
    var (low, high) = (min(range.lowerBound, 0), max(range.upperBound, 0))
    if isSymmetric {
      high = max(high, -low)
      low = -high
    }
    let steps = Float(highest - lowest - (isSymmetric ? 1 : 0))
    let step = high / steps - low / steps
    guard step.isNormal else { return (1, isSymmetric ? (lowest + highest + 1) / 2 : max(lowest, 0)) }
    if isSymmetric { return (step, (lowest + highest + 1) / 2) }
    let zero = (Float(lowest) - low / step).rounded(.toNearestOrEven)
    return (step, min(max(Int(zero), lowest), highest))
  }
}
