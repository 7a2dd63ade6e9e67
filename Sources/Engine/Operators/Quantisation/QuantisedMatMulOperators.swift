import NNFormat

/// Products of quantised matrices.
package enum QuantisedMatMulOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("MatMulInteger", sixteenBit: .native) { context throws(EngineError) in
      MatMulIntegerStep(
        product: IntegerMatMul(
          left: try IntegerOperand(context, 0, zero: 2), right: try IntegerOperand(context, 1, zero: 3)))
    },
    OperatorImplementation("QLinearMatMul", sixteenBit: .native, make: qLinearMatMul),
    OperatorImplementation("DynamicQuantizeMatMul", domain: "com.microsoft") { context throws(EngineError) in
      try requireFloats(context, [0, 2, 4])
      return ScaledMatMulStep(
        product: IntegerMatMul(left: nil, right: try IntegerOperand(context, 1, zero: 3)),
        scales: ScaledMatMulStep.Scales(left: nil, right: 2, type: .float32),
        result: .float(bias: context.has(4) ? 4 : nil))
    },
    OperatorImplementation("MatMulIntegerToFloat", domain: "com.microsoft") { context throws(EngineError) in
      try requireFloats(context, [2, 3, 6])
      return ScaledMatMulStep(
        product: IntegerMatMul(
          left: try IntegerOperand(context, 0, zero: 4), right: try IntegerOperand(context, 1, zero: 5)),
        scales: ScaledMatMulStep.Scales(left: 2, right: 3, type: .float32),
        result: .float(bias: context.has(6) ? 6 : nil))
    },
    OperatorImplementation("QGemm", domain: "com.microsoft", make: qGemm),
  ]

  @Sendable private static func qLinearMatMul(_ context: NodeContext) throws(EngineError) -> any Step {
    let (scale, output) = (try context.type(1), try context.type(7))
    for input in [1, 4, 6] {
      let type = try context.type(input)
      guard type == scale, [.float32, .float16, .bfloat16].contains(type) else { throw context.unsupported(type) }
    }
    guard output.bitWidth == 8, let range = IntegerRange(output) else { throw context.unsupported(output) }
    return ScaledMatMulStep(
      product: IntegerMatMul(
        left: try IntegerOperand(context, 0, zero: 2), right: try IntegerOperand(context, 3, zero: 5)),
      scales: ScaledMatMulStep.Scales(left: 1, right: 4, type: scale),
      result: .quantised(scale: 6, zero: 7, type: output, range: range))
  }

  @Sendable private static func qGemm(_ context: NodeContext) throws(EngineError) -> any Step {
    try requireFloats(context, [1, 4, 7])
    let left = try IntegerOperand(context, 0, zero: 2, isTransposed: context.int("transA", default: 0) != 0)
    let right = try IntegerOperand(context, 3, zero: 5, isTransposed: context.int("transB", default: 0) != 0)
    if context.has(6) {
      let type = try context.type(6)
      guard type == .int32 else { throw context.unsupported(type) }
    }
    var output = ElementType.float32
    var range = IntegerRange.uint8
    if context.has(7) {
      output = context.has(8) ? try context.type(8) : left.isSigned ? .int8 : .uint8
      guard output.bitWidth == 8, let held = IntegerRange(output) else { throw context.unsupported(output) }
      range = held
    }
    return QuantisedGemmStep(
      product: IntegerMatMul(left: left, right: right), alpha: context.float("alpha", default: 1),
      hasOffset: context.has(6), hasScale: context.has(7), hasZero: context.has(8), output: output, range: range)
  }

  private static func requireFloats(_ context: NodeContext, _ inputs: [Int]) throws(EngineError) {
    for input in inputs where context.has(input) {
      let type = try context.type(input)
      guard type == .float32 else { throw context.unsupported(type) }
    }
  }
}
