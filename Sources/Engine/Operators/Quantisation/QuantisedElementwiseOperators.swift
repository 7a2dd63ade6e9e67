import Glibc
import NNFormat

/// Operators of the set `com.microsoft` on tensors of 8-bit numbers.
package enum QuantisedElementwiseOperators {
  package static let rows: [OperatorImplementation] = [
    row("QLinearAdd") { context throws(EngineError) in try binary(context, isSum: true) },
    row("QLinearMul") { context throws(EngineError) in try binary(context, isSum: false) },
    row("QLinearSigmoid") { context throws(EngineError) in
      try table(context, "quantised sigmoid") { 1 / (1 + Glibc.exp(-$0)) }
    },
    row("QLinearLeakyRelu") { context throws(EngineError) in
      let slope = context.float("alpha", default: 0.01)
      return try table(context, "quantised leaky relu") { $0 >= 0 ? $0 : slope * $0 }
    },
    row("QLinearSoftmax", make: softmax),
    row("QLinearConcat", make: concat),
    OperatorImplementation("MatMulNBits", domain: "com.microsoft") { context throws(EngineError) in
      try MatMulNBitsStep(context)
    },
  ]

  private static func row(
    _ name: String, make: @escaping OperatorImplementation.Maker
  ) -> OperatorImplementation {
    OperatorImplementation(name, domain: "com.microsoft", sixteenBit: .native, make: make)
  }

  private static func binary(_ context: NodeContext, isSum: Bool) throws(EngineError) -> any Step {
    let type = try context.type(0)
    guard try context.type(3) == type else { throw try context.unsupported(context.type(3)) }
    let left = try ByteScalingInputs(context, scale: 1, zero: 2, type: type)
    let right = try ByteScalingInputs(context, scale: 4, zero: 5, type: type)
    let result = try ByteScalingInputs(context, scale: 6, zero: 7, type: type)
    return type == .int8
      ? QuantisedBinaryStep<Int8>(operation: isSum ? .add : .multiply, left: left, right: right, result: result)
      : QuantisedBinaryStep<UInt8>(operation: isSum ? .add : .multiply, left: left, right: right, result: result)
  }

  private static func table(
    _ context: NodeContext, _ kernel: String, _ function: @escaping @Sendable (Float) -> Float
  ) throws(EngineError) -> any Step {
    let type = try context.type(0)
    return CodeTableStep(
      source: try ByteScalingInputs(context, scale: 1, zero: 2, type: type),
      target: try ByteScalingInputs(context, scale: 3, zero: 4, type: type), kernel: kernel, function: function)
  }

  @Sendable private static func softmax(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    let flattens = context.int("opset", default: 13) < 13
    return QuantisedSoftmaxStep(
      source: try ByteScalingInputs(context, scale: 1, zero: 2, type: type),
      target: try ByteScalingInputs(context, scale: 3, zero: 4, type: type),
      axis: context.int("axis", default: flattens ? 1 : -1), flattens: flattens)
  }

  @Sendable private static func concat(_ context: NodeContext) throws(EngineError) -> any Step {
    let count = context.inputTypes.count
    guard count >= 5, count % 3 == 2 else {
      throw context.invalid("\(count) inputs are not a scale, a zero point and operands of three each")
    }
    let type = try context.type(1)
    var operands: [ByteScalingInputs] = []
    for input in stride(from: 2, to: count, by: 3) {
      guard try context.type(input) == type else { throw try context.unsupported(context.type(input)) }
      operands.append(try ByteScalingInputs(context, scale: input + 1, zero: input + 2, type: type))
    }
    return QuantisedConcatStep(
      axis: context.int("axis", default: 0),
      result: try ByteScalingInputs(context, scale: 0, zero: 1, type: type), operands: operands)
  }
}
