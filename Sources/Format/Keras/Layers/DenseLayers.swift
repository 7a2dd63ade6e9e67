/// `Dense`: `activation(x · kernel + bias)` over the last axis.
///
/// Two axes become `Gemm`; more become `MatMul` and `Add`.
enum DenseRule: LayerRule {
  static let classNames = ["Dense"]

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    let usesBias = (configuration["use_bias"] ?? configuration["bias"])?.bool ?? true
    let kernel = VariableRule("kernel", aliases: ["W"])
    return usesBias ? [kernel, VariableRule("bias", aliases: ["b"])] : [kernel]
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    let kernelShape = try lowering.storedWeight("kernel", in: call).shape
    let place = call.layer.weights["kernel"].map { " at \($0.path)" } ?? ""
    guard kernelShape.count == 2, rank >= 2 else {
      throw call.error(
        .mismatch, "the kernel\(place) has shape \(kernelShape) and the input \(rank) axes; both need two or more")
    }
    if let features = input.shape?.dimensions.last?.value, features != kernelShape[0] {
      throw call.error(
        .mismatch,
        "the kernel of shape \(kernelShape)\(place) needs \(kernelShape[0]) features, but the input has \(features)")
    }
    if let units = try call.configuration.int("units", "output_dim"), units != kernelShape[1] {
      throw call.error(
        .mismatch,
        "the kernel of shape \(kernelShape)\(place) has \(kernelShape[1]) columns, but the configuration says \(units)")
    }
    let kernel = try lowering.weight("kernel", in: call)
    let hasBias = variables(call.configuration).count == 2
    let bias = hasBias ? try lowering.weight("bias", in: call) : nil
    var value: LoweredValue
    if rank == 2 {
      value = try lowering.add("Gemm", [input, kernel] + (bias.map { [$0] } ?? []), in: call)
    } else {
      value = try lowering.add("MatMul", [input, kernel], in: call)
      if let bias { value = try lowering.add("Add", [value, bias], in: call) }
    }
    return [try lowering.activation(call.configuration["activation"], of: value, in: call)]
  }
}
