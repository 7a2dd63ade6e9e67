import OrderedCollections

/// `EinsumDense`: `activation(einsum(equation, x, kernel) + bias)`.
///
/// The bias is stored in a shape that broadcasts from the last axis. Where the equation is that of a `Dense` layer, it is
/// a matrix product.
enum EinsumDenseRule: LayerRule {
  static let classNames = ["EinsumDense"]
  static let passesMask = false

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    let usesBias = configuration["bias_axes"] != nil
    if let mode = QuantizationMode(configuration) { return mode.variables(matrix: "kernel", usesBias: usesBias) }
    return [VariableRule("kernel")] + (usesBias ? [VariableRule("bias")] : [])
  }

  static func runs(_ mode: QuantizationMode) -> Bool { true }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    guard let text = call.configuration.string("equation"), let equation = EinsumEquationText(text) else {
      throw call.configuration.unreadable("equation", "of the form \"ab,bc->ac\"")
    }
    let mode = QuantizationMode(call.configuration)
    var value: LoweredValue
    if let mode {
      value = try lowering.quantizedEinsum(input, rank: rank, equation, mode, in: call)
    } else {
      let kernel = try lowering.weight("kernel", in: call)
      guard kernel.rank == equation.kernel.count else {
        throw call.error(
          .mismatch, "its kernel of shape \(kernel.shape?.extents ?? []) does not fit the equation \"\(text)\"")
      }
      value = try lowering.einsum(input, kernel, equation, in: call)
    }
    if call.configuration["bias_axes"] != nil {
      value = try lowering.biased(value, mode, in: call)
    }
    return [try lowering.activation(call.configuration["activation"], of: value, in: call)]
  }
}

extension Lowering {
  /// The product that an equation states, as a product of matrices where it is one.
  mutating func einsum(
    _ input: LoweredValue, _ kernel: LoweredValue, _ equation: EinsumEquationText, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    if equation.isDense, let rank = input.rank, rank >= 2 { return try add("MatMul", [input, kernel], in: call) }
    return try add("Einsum", [input, kernel], in: call, attributes: [Attribute("equation", .text(equation.text))])
  }
}

/// The equation of an `EinsumDense`: labels of the input, the kernel and the output, `...` once at one end of both values.
struct EinsumEquationText {
  let input: String
  let kernel: String
  let output: String

  init?(_ text: String) {
    let sides = text.filter { $0 != " " }.replacing("->", with: ",").split(
      separator: ",", omittingEmptySubsequences: false)
    guard sides.count == 3, !sides[1].isEmpty, sides[1].allSatisfy({ $0.isASCII && $0.isLetter }) else { return nil }
    (input, kernel, output) = (String(sides[0]), String(sides[1]), String(sides[2]))
    guard Self.hasOnlyLabels(input), Self.hasOnlyLabels(output) else { return nil }
  }

  private static func hasOnlyLabels(_ side: String) -> Bool {
    let labels = side.hasPrefix("...") ? side.dropFirst(3) : side.hasSuffix("...") ? side.dropLast(3) : side[...]
    return labels.allSatisfy { $0.isASCII && $0.isLetter }
  }

  /// The equation as ONNX writes it.
  var text: String { "\(input),\(kernel)->\(output)" }

  /// Whether `...` stands for the axes in front.
  var isElidedInFront: Bool { input.hasPrefix("...") }

  /// The labels of the output, without `...`.
  var outputLabels: [Character] { output.filter { $0 != "." } }

  /// Whether it sums over the last axis of the input alone and puts the kernel's other axis in its place.
  var isDense: Bool {
    guard kernel.count == 2, kernel.first != kernel.last, let label = kernel.first, let new = kernel.last else {
      return false
    }
    return !input.hasSuffix(".") && input.last == label && !input.dropLast().contains(label) && !input.contains(new)
      && output == input.dropLast() + String(new)
      && Set(input.filter(\.isLetter)).count == input.count(where: \.isLetter)
  }
}

extension EinsumDenseRule: RaisingRule {
  static let operators: Set = ["Einsum"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard node.inputs.count == 2, raising.isValue(node.inputs[0]), let kernel = raising.constant(node, 1),
      let equation = EinsumEquationText(node.text("equation", default: "")), keepsBatch(equation),
      let shape = raising.shape(node.outputs[0]), shape.rank >= equation.outputLabels.count
    else { return false }
    let input = try raising.value(node, 0)
    guard !input.isCollapsed else { return false }
    var output = node.outputs[0]
    var weights = [(name: "kernel", tensor: kernel)]
    var biasAxes: String?
    if let addition = raising.soleConsumer(of: output), addition.operatorType == "Add", addition.inputs.count == 2,
      let place = addition.inputs.firstIndex(where: { $0 != output }), let tensor = raising.constant(addition, place),
      let (axes, bias) = try bias(tensor, equation, shape)
    {
      raising.absorb(addition)
      output = addition.outputs[0]
      weights.append(("bias", bias))
      biasAxes = axes
    }
    let elided = shape.rank - equation.outputLabels.count
    let labelled =
      equation.isElidedInFront
      ? Array(shape.dimensions.dropFirst(elided)) : Array(shape.dimensions.dropFirst().dropLast(elided))
    raising.emit(
      "EinsumDense",
      [
        "output_shape": .array(labelled.map { $0.value.map(JSONValue.int) ?? .null }),
        "equation": .string(equation.text), "activation": "linear",
        "bias_axes": biasAxes.map(JSONValue.string) ?? .null,
      ], weights: weights, inputs: [input], as: output, of: node, weightName: node.inputs[1])
    return true
  }

  /// Whether the first axis of the input is that of the output, and not summed with the kernel.
  private static func keepsBatch(_ equation: EinsumEquationText) -> Bool {
    guard let first = equation.input.first, first == equation.output.first else { return false }
    return !equation.kernel.contains(first)
      && equation.input.hasPrefix("...") == equation.output.hasPrefix("...")
      && equation.input.hasSuffix("...") == equation.output.hasSuffix("...")
  }

  /// The labels along which an addend differs, and the addend in the shape that Keras gives it.
  private static func bias(
    _ tensor: Tensor, _ equation: EinsumEquationText, _ shape: Shape
  ) throws(FormatError) -> (axes: String, tensor: Tensor)? {
    let labels = equation.outputLabels
    let elided = shape.rank - labels.count
    var extents = tensor.shape
    while extents.count > shape.rank, extents.first == 1 { extents.removeFirst() }
    guard extents.count <= shape.rank else { return nil }
    extents = Array(repeating: 1, count: shape.rank - extents.count) + extents
    let offset = equation.isElidedInFront ? elided : 0
    let wanted = labels.indices.filter { extents[$0 + offset] > 1 }
    let isLabelled = extents.indices.allSatisfy { extents[$0] == 1 || labels.indices.contains($0 - offset) }
    guard isLabelled, let first = wanted.first ?? labels.indices.last, first + offset > 0,
      wanted.allSatisfy({ shape[$0 + offset].value == extents[$0 + offset] }),
      !wanted.isEmpty || shape[first + offset].value == 1
    else { return nil }
    let axes = wanted.isEmpty ? [first] : wanted
    return (String(axes.map { labels[$0] }), try tensor.reshaped(to: Array(extents[(first + offset)...])))
  }
}
