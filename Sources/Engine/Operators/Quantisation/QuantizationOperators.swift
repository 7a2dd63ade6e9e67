import NNFormat

/// From floats to quantised numbers and back, in the standard's and ONNX Runtime's own operator set.
package enum QuantizationOperators {
  package static let rows: [OperatorImplementation] =
    [
      OperatorImplementation("DynamicQuantizeLinear", since: 11, sixteenBit: .native) { context throws(EngineError) in
        let type = try context.type(0)
        guard type == .float32 else { throw context.unsupported(type) }
        return DynamicQuantizeStep()
      }
    ]
    + ["", "com.microsoft"].flatMap { domain in
      [
        OperatorImplementation("QuantizeLinear", domain: domain, sixteenBit: .native, make: quantize),
        OperatorImplementation("DequantizeLinear", domain: domain, sixteenBit: .native, make: dequantize),
      ]
    }

  @Sendable private static func quantize(_ context: NodeContext) throws(EngineError) -> any Step {
    let (input, scale) = (try context.type(0), try context.type(1))
    guard OperandReading.readsFloats(input), input != .float8e8m0 else { throw context.unsupported(input) }
    guard OperandReading.readsFloats(scale) else { throw context.unsupported(scale) }
    let output = try context.has(2) ? context.type(2) : context.elementType("output_dtype") ?? .uint8
    let options = QuantizeOptions(
      inputType: input, outputType: output,
      operands: ScaleOperands(
        scaleInput: 1, zeroInput: context.has(2) ? 2 : nil, scaleType: scale, zeroType: output),
      axis: context.int("axis", default: 1), blockSize: context.int("block_size", default: 0),
      precision: try precision(context, scale), saturates: context.int("saturate", default: 1) != 0)
    if let format = SmallFloat.format(of: output) { return QuantizeFloatStep(options: options, format: format) }
    guard let range = IntegerRange(output),
      let step = ScalarTypes.integer(output.carrier, QuantizeMaker(options: options, range: range))
    else { throw context.unsupported(output) }
    return step
  }

  /// The type in which x is divided by the scale: the one the attribute names, since version 23 else that of the scale.
  private static func precision(_ context: NodeContext, _ scale: ElementType) throws(EngineError) -> ElementType {
    let stated = try context.elementType("precision")
    let implied: ElementType = context.node.domain == "com.microsoft" || context.version < 23 ? .float32 : scale
    let precision = stated ?? implied
    guard OperandReading.readsFloats(precision) else { throw context.unsupported(precision) }
    return precision == .float16 || precision == .bfloat16 ? precision : .float32
  }

  @Sendable private static func dequantize(_ context: NodeContext) throws(EngineError) -> any Step {
    let (input, scale) = (try context.type(0), try context.type(1))
    guard OperandReading.readsFloats(scale), scale != .int32 else { throw context.unsupported(scale) }
    let output = try context.elementType("output_dtype") ?? scale
    guard [.float32, .float16, .bfloat16].contains(output) else { throw context.unsupported(output) }
    let options = DequantizeOptions(
      inputType: input, outputType: output,
      operands: ScaleOperands(
        scaleInput: 1, zeroInput: context.has(2) ? 2 : nil, scaleType: scale, zeroType: input),
      axis: context.int("axis", default: 1), blockSize: context.int("block_size", default: 0))
    if let format = SmallFloat.format(of: input) {
      return DequantizeStep(options: options, reader: TabulatedCodes(values: format.values))
    }
    guard input == .int32 || IntegerRange(input) != nil,
      let step = ScalarTypes.integer(input.carrier, DequantizeMaker(options: options))
    else { throw context.unsupported(input) }
    return step
  }
}

extension NodeContext {
  /// The element type that an attribute names by its ONNX code; `nil` when it is missing or 0.
  func elementType(_ attribute: String) throws(EngineError) -> ElementType? {
    let code = int(attribute, default: 0)
    guard code != 0 else { return nil }
    guard let type = Int32(exactly: code).flatMap(ElementType.init) else {
      throw invalid("\(attribute) = \(code) is no element type")
    }
    return type
  }
}

private struct QuantizeMaker: IntegerVisitor {
  let options: QuantizeOptions
  let range: IntegerRange

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    QuantizeStep<T>(options: options, range: range)
  }
}

private struct DequantizeMaker: IntegerVisitor {
  let options: DequantizeOptions

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    DequantizeStep(options: options, reader: IntegerCodes<T>())
  }
}
