/// Operators of quantised networks.
extension OperatorSchema {
  static let quantization: [OperatorSchema] = [
    quantize(since: 10, []),
    quantize(since: 13, [.int("axis")]),
    quantize(since: 19, [.int("axis"), .int("saturate")]),
    quantize(since: 21, [.int("axis"), .int("saturate"), .int("block_size"), .int("output_dtype")]),
    quantize(
      since: 23, [.int("axis"), .int("saturate"), .int("block_size"), .int("output_dtype"), .int("precision")]),
    dequantize(since: 10, []),
    dequantize(since: 13, [.int("axis")]),
    dequantize(since: 21, [.int("axis"), .int("block_size")]),
    dequantize(since: 23, [.int("axis"), .int("block_size"), .int("output_dtype")]),
    OperatorSchema(
      "DynamicQuantizeLinear", since: 11, inputs: 1...1, outputs: 3...3,
      infer: InferenceRules.dynamicQuantizeLinear),
    OperatorSchema("MatMulInteger", since: 10, inputs: 2...4, infer: InferenceRules.matMulInteger),
    OperatorSchema("QLinearMatMul", since: 10, inputs: 8...8, infer: InferenceRules.qLinearMatMul),
  ]

  private static func quantize(since version: Int, _ attributes: [AttributeRule]) -> OperatorSchema {
    OperatorSchema(
      "QuantizeLinear", since: version, inputs: 2...3, attributes: attributes,
      infer: InferenceRules.quantizeLinear)
  }

  private static func dequantize(since version: Int, _ attributes: [AttributeRule]) -> OperatorSchema {
    OperatorSchema(
      "DequantizeLinear", since: version, inputs: 2...3, attributes: attributes,
      infer: InferenceRules.dequantizeLinear)
  }
}

extension InferenceRules {
  /// QuantizeLinear: the zero point's type, else the one the attribute names, else uint8.
  static func quantizeLinear(_ context: inout InferenceContext) throws(FormatError) {
    try context.checkQuantization()
    let stated = try context.elementType(attribute: "output_dtype")
    let zeroPoint = context.elementType(2)
    if let stated, let zeroPoint, stated != zeroPoint {
      throw context.mismatch("output_dtype is \(stated.name), the zero point is \(zeroPoint.name)")
    }
    let implied: ElementType? = context.input(2) == nil ? .uint8 : nil
    context.setOutput(zeroPoint ?? stated ?? implied, context.shape(0))
  }

  /// DequantizeLinear: the scale's type unless the attribute names another.
  static func dequantizeLinear(_ context: inout InferenceContext) throws(FormatError) {
    try context.checkQuantization()
    if let data = context.elementType(0), let zeroPoint = context.elementType(2), data != zeroPoint {
      throw context.mismatch("the data are \(data.name), the zero point is \(zeroPoint.name)")
    }
    let stated = try context.elementType(attribute: "output_dtype")
    context.setOutput(stated ?? context.elementType(1), context.shape(0))
  }

  static func dynamicQuantizeLinear(_ context: inout InferenceContext) {
    context.setOutput(.uint8, context.shape(0))
    context.setOutput(1, .float32, [])
    context.setOutput(2, .uint8, [])
  }

  static func matMulInteger(_ context: inout InferenceContext) throws(FormatError) {
    context.setOutput(.int32, try context.matrixProduct(0, 1))
  }

  /// QLinearMatMul: left and right are inputs 0 and 3, the output's zero point is input 7.
  static func qLinearMatMul(_ context: inout InferenceContext) throws(FormatError) {
    context.setOutput(context.elementType(7), try context.matrixProduct(0, 3))
  }
}

extension InferenceContext {
  /// Checks the axis of per-axis and blocked scales, and that zero points lie beside the scales.
  fileprivate func checkQuantization() throws(FormatError) {
    guard let scale = shape(1) else { return }
    if let zeroPoint = shape(2) {
      // One element is written as a scalar by some exporters and as a vector by others.
      let isSingle = scale.elementCount == 1 && zeroPoint.elementCount == 1
      guard zeroPoint.rank == scale.rank || isSingle else {
        throw mismatch("the scale has shape \(scale), the zero point \(zeroPoint)")
      }
      for (left, right) in zip(scale.dimensions, zeroPoint.dimensions) {
        _ = try unified(left, right, "the extents of scale and zero point")
      }
    }
    guard let data = shape(0), scale.rank > 0, let count = scale.elementCount, count > 1 else { return }
    let axis = try axis(node.int("axis", default: 1), rank: data.rank)
    if scale.rank == 1, node.int("block_size", default: 0) == 0 {
      _ = try unified(scale[0], data[axis], "the scales and the extent of axis \(axis)")
    }
  }
}
