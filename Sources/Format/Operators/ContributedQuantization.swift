/// Quantised operators of the set `com.microsoft`, which ONNX Runtime's quantisers write.
extension OperatorSchema {
  static let contributedQuantization: [OperatorSchema] = [
    contributed("QuantizeLinear", 2...3, [.int("axis")], InferenceRules.quantizeLinear),
    contributed("DequantizeLinear", 2...3, [.int("axis")], InferenceRules.dequantizeLinear),
    contributed("DynamicQuantizeMatMul", 3...5, [], InferenceRules.scaledProduct(scales: [0, 2, 4])),
    contributed("MatMulIntegerToFloat", 4...7, [], InferenceRules.scaledProduct(scales: [2, 3, 6])),
    contributed(
      "QGemm", 6...9, [.float("alpha"), .int("transA"), .int("transB")], InferenceRules.qGemm),
    contributed(
      "MatMulNBits", 3...6,
      [
        .int("K", required: true), .int("N", required: true), .int("bits"), .int("block_size", required: true),
        .int("accuracy_level"), .int("weight_prepacked"),
      ], InferenceRules.matMulNBits),
    contributed("QLinearAdd", 7...8, [], InferenceRules.qLinearBinary),
    contributed("QLinearMul", 7...8, [], InferenceRules.qLinearBinary),
    contributed("QLinearSigmoid", 4...5, [], InferenceRules.sameAsInput),
    contributed("QLinearLeakyRelu", 4...5, [.float("alpha")], InferenceRules.sameAsInput),
    contributed("QLinearSoftmax", 5...5, [.int("axis"), .int("opset", required: true)], InferenceRules.sameAsInput),
    contributed("QLinearConcat", 5...unlimited, [.int("axis", required: true)], InferenceRules.qLinearConcat),
  ]

  private static func contributed(
    _ name: String, _ inputs: ClosedRange<Int>, _ attributes: [AttributeRule], _ infer: @escaping InferenceRule
  ) -> OperatorSchema {
    OperatorSchema(
      name, domain: "com.microsoft", since: 1, inputs: inputs, attributes: attributes, isContributed: true, infer: infer
    )
  }
}

extension InferenceRules {
  /// A product of inputs 0 and 1 in the type of the floating-point inputs.
  static func scaledProduct(scales: [Int]) -> InferenceRule {
    { context throws(FormatError) in
      context.setOutput(try context.commonElementType(scales), try context.matrixProduct(0, 1))
    }
  }

  /// QGemm: matrices are inputs 0 and 3; the result is quantised where input 7 is its scale.
  static func qGemm(_ context: inout InferenceContext) throws(FormatError) {
    let (rows, leftDepth) = try context.matrix(0, transposed: "transA")
    let (rightDepth, columns) = try context.matrix(3, transposed: "transB")
    _ = try context.unified(leftDepth, rightDepth, "the inner extents of the product")
    let result: Shape = [rows, columns]
    try context.requireBroadcast(input: 6, to: result)
    let quantised = context.input(8) == nil ? context.elementType(0) : context.elementType(8)
    context.setOutput(context.input(7) == nil ? .float32 : quantised, result)
  }

  /// MatMulNBits: rows of K elements by K x N weights that are packed in blocks.
  static func matMulNBits(_ context: inout InferenceContext) throws(FormatError) {
    let (depth, columns) = (context.node.int("K", default: 0), context.node.int("N", default: 0))
    guard depth > 0, columns > 0 else { throw context.malformed("K = \(depth) and N = \(columns) are not positive") }
    guard let shape = context.shape(0) else { return context.setOutput(context.elementType(0), nil) }
    guard let last = shape.dimensions.last else { throw context.mismatch("a scalar cannot be multiplied as a matrix") }
    _ = try context.unified(last, .known(depth), "the last axis and K")
    context.setOutput(context.elementType(0), Shape(shape.dimensions.dropLast() + [.known(columns)]))
  }

  /// QLinearAdd, QLinearMul: operands are inputs 0 and 3.
  static func qLinearBinary(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType([0, 3])
    guard let left = context.shape(0), let right = context.shape(3) else { return context.setOutput(type, nil) }
    context.setOutput(type, try context.broadcastShape(left, right))
  }

  /// QLinearConcat: scale and zero point of the result, then value, scale and zero point of each operand.
  static func qLinearConcat(_ context: inout InferenceContext) throws(FormatError) {
    guard context.inputs.count % 3 == 2 else {
      throw context.malformed("\(context.inputs.count) inputs are not a scale, a zero point and operands of three each")
    }
    let operands = stride(from: 2, to: context.inputs.count, by: 3)
    let type = try context.commonElementType([1] + operands)
    context.setOutput(type, try context.concatenation(Array(operands)))
  }
}
