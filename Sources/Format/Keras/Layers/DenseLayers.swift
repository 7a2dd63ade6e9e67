/// `Dense`: `activation(x · kernel + bias)` over the last axis.
///
/// Two axes become `Gemm`; more become `MatMul` and `Add`.
enum DenseRule: LayerRule {
  static let classNames = ["Dense"]

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    let usesBias = (configuration["use_bias"] ?? configuration["bias"])?.bool ?? true
    if let mode = QuantizationMode(configuration) { return mode.variables(matrix: "kernel", usesBias: usesBias) }
    let kernel = VariableRule("kernel", aliases: ["W"])
    return usesBias ? [kernel, VariableRule("bias", aliases: ["b"])] : [kernel]
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    if let mode = QuantizationMode(call.configuration) { return [try quantized(input, mode, call, &lowering)] }
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

  static func runs(_ mode: QuantizationMode) -> Bool { true }

  private static func quantized(
    _ input: LoweredValue, _ mode: QuantizationMode, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue {
    guard let units = try call.configuration.int("units"), units > 0 else {
      throw call.error(.malformed, "it has no number of units")
    }
    var value = try lowering.quantizedProduct(input, mode, units: units, in: call)
    if variables(call.configuration).contains(where: { $0.name == "bias" }) {
      value = try lowering.biased(value, mode, in: call)
    }
    return try lowering.activation(call.configuration["activation"], of: value, in: call)
  }
}

extension DenseRule: RaisingRule {
  static let operators: Set = ["Gemm", "MatMul"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    if try raiseLeft(node, &raising) { return true }
    guard node.inputs.count >= 2, raising.isValue(node.inputs[0]), var kernel = raising.constant(node, 1),
      kernel.shape.count == 2
    else { return false }
    let input = try raising.value(node, 0)
    guard node.int("transA", default: 0) == 0 else { throw raising.error(node, "its input is transposed") }
    if node.int("transB", default: 0) != 0 { kernel = try kernel.transposed([1, 0]) }
    kernel = try kernel.scaled(by: node.float("alpha", default: 1))
    var output = node.outputs[0]
    var bias: Tensor?
    if node.inputs.count > 2, !node.inputs[2].isEmpty {
      guard let constant = raising.constant(node, 2), let vector = try constant.vector(ofCount: kernel.shape[1]) else {
        throw raising.error(node, "its bias is no constant with one value for each column")
      }
      bias = try vector.scaled(by: node.float("beta", default: 1))
    } else if let addition = raising.soleConsumer(of: output), addition.operatorType == "Add",
      addition.inputs.count == 2
    {
      let place = addition.inputs[0] == output ? 1 : 0
      if let vector = try raising.constant(addition, place)?.vector(ofCount: kernel.shape[1]),
        addition.inputs[1 - place] == output
      {
        bias = vector
        raising.absorb(addition)
        output = addition.outputs[0]
      }
    }
    var weights = [(name: "kernel", tensor: kernel)]
    if let bias { weights.append(("bias", bias)) }
    raising.emit(
      "Dense",
      ["units": .int(kernel.shape[1]), "activation": "linear", "use_bias": .bool(bias != nil)],
      weights: weights, inputs: [input], as: output, of: node, weightName: node.inputs[1])
    return true
  }

  /// A matrix in front of every sample's: `W · x` is the transpose of `xᵀ · Wᵀ`.
  private static func raiseLeft(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard node.operatorType == "MatMul", let kernel = raising.constant(node, 0), kernel.shape.count == 2,
      let value = raising.values[node.inputs[1]], !value.isCollapsed, raising.shape(node.inputs[1])?.rank == 3
    else { return false }
    let output = node.outputs[0]
    let (turned, product) = (output + "/turned", output + "/product")
    raising.emit("Permute", ["dims": [2, 1]], inputs: [value], as: turned, of: node)
    raising.emit(
      "Dense", ["units": .int(kernel.shape[0]), "activation": "linear", "use_bias": false],
      weights: [("kernel", try kernel.transposed([1, 0]))], inputs: [raising.values[turned] ?? value], as: product,
      of: node, weightName: node.inputs[0])
    raising.emit("Permute", ["dims": [2, 1]], inputs: [raising.values[product] ?? value], as: output, of: node)
    return true
  }
}

extension Tensor {
  /// The tensor as a vector of so many elements, when it has as many on its last axis and one on all others, or is a
  /// single number to be repeated.
  func vector(ofCount count: Int) throws(FormatError) -> Tensor? {
    if self.count == count, shape.isEmpty || shape.last == count { return try reshaped(to: [count]) }
    guard self.count == 1, let number = try doubles().first else { return nil }
    return try Tensor([Double](repeating: number, count: count)).converted(to: elementType)
  }

  /// Every element times a factor.
  func scaled(by factor: Float) throws(FormatError) -> Tensor {
    if factor == 1 { return self }
    return try Tensor(try doubles().map { $0 * Double(factor) }, shape: shape).converted(to: elementType)
  }
}
