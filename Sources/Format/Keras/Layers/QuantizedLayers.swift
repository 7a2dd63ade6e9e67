/// How Keras stores the matrix of a quantised layer: `int8`, `int4/128`, `float8`, `gptq/4/128`, `awq/4/128`.
struct QuantizationMode {
  enum Kind: String {
    case int8, int4, float8, gptq, awq
  }

  let kind: Kind
  /// The extent of a group of rows that share a scale; `nil` when each column has one.
  let blockSize: Int?
  /// How many bits an element takes, where the mode says so.
  let bits: Int?
  /// Whether the mode says something of blocks, be it that there are none.
  let statesBlocks: Bool

  /// The mode of a layer's policy; `nil` when there is none or it is not known.
  init?(_ configuration: LayerConfiguration) {
    guard let text = configuration.policy.quantizationMode else { return nil }
    let parts = text.split(separator: "/").map(String.init)
    guard let kind = parts.first.flatMap(Kind.init(rawValue:)) else { return nil }
    self.kind = kind
    let block = parts.count > 1 ? Int(parts[parts.count - 1]) : nil
    blockSize = block.flatMap { $0 > 0 ? $0 : nil }
    statesBlocks = block != nil
    bits = parts.count > 2 ? Int(parts[1]) : nil
  }

  /// The variables of a layer whose matrix has a name, in the order of Keras 3's files.
  func variables(matrix: String, usesBias: Bool) -> [VariableRule] {
    let bias = usesBias ? [VariableRule("bias")] : []
    func fixed(_ names: String...) -> [VariableRule] { names.map { VariableRule($0, trainable: false) } }
    switch kind {
    case .int8: return fixed(matrix) + bias + fixed("\(matrix)_scale")
    case .int4:
      let groups = blockSize == nil ? [] : fixed("\(matrix)_zero", "g_idx")
      return fixed(matrix) + bias + fixed("\(matrix)_scale") + groups
    case .float8:
      let rest = [
        "inputs_scale", "inputs_amax_history", "kernel_scale", "kernel_amax_history", "outputs_grad_scale",
        "outputs_grad_amax_history",
      ]
      return [VariableRule(matrix)] + bias + rest.map { VariableRule($0) }
    case .gptq: return bias + fixed("quantized_kernel", "kernel_scale", "kernel_zero", "g_idx")
    case .awq: return bias + fixed("quantized_kernel", "kernel_scale", "kernel_zero", "awq_scales", "g_idx")
    }
  }
}

extension Lowering {
  /// `x · kernel` of a quantised Dense layer as Keras computes it: inputs rounded row by row when the program runs, where
  /// the layer says so, and the kernel from its few bits.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the variables do not fit.
  mutating func quantizedProduct(_ input: LoweredValue, _ mode: QuantizationMode, units: Int, in call: LayerCall)
    throws(FormatError) -> LoweredValue
  {
    let compute = call.configuration.policy.compute
    switch mode.kind {
    case .float8:
      let rounded = try float8(input, scale: weight("inputs_scale", in: call), in: call)
      let kernel = try float8(weight("kernel", in: call), scale: weight("kernel_scale", in: call), in: call)
      return try add("MatMul", [rounded, kernel], in: call)
    case .gptq, .awq:
      let tensor = try QuantizedMatrix.transposed(
        call, self, units: units, bits: mode.kind == .awq ? 4 : mode.bits ?? 4)
      return try add("MatMul", [input, constant(try tensor.converted(to: compute), "kernel", in: call)], in: call)
    case .int4 where mode.blockSize != nil:
      let unpacked = try QuantizedMatrix.unpacked(storedWeight("kernel", in: call), columns: units, in: call)
      let tensor = try QuantizedMatrix.grouped(
        unpacked, scale: storedWeight("kernel_scale", in: call), zero: storedWeight("kernel_zero", in: call),
        groups: storedWeight("g_idx", in: call), alongRows: true, in: call)
      return try add("MatMul", [input, constant(try tensor.converted(to: compute), "kernel", in: call)], in: call)
    case .int8, .int4:
      let stored = try storedWeight("kernel", in: call)
      let rows = input.shape?.dimensions.last?.value
      let kernel =
        try mode.kind == .int8 ? stored : QuantizedMatrix.unpacked(stored, columns: units, rows: rows, in: call)
      guard kernel.shape.count == 2, kernel.shape[1] == units, kernel.elementType == .int8 else {
        throw call.error(.mismatch, "the kernel of shape \(kernel.shape) does not fit \(units) units")
      }
      let matrix = constant(kernel, "kernel", in: call)
      if mode.kind == .int8 { carry("kernel", as: matrix, in: call) }
      let scale = try weight("kernel_scale", in: call)
      guard let quantizer = try ActivationQuantizer(call.configuration, mode) else {
        let wide = try cast(matrix, to: compute, in: call, suffix: "kernel/cast")
        return try add("Div", [add("MatMul", [input, wide], in: call), scale], in: call)
      }
      guard let rank = input.rank else { throw call.error(.unsupported, "the shape of its input is not known") }
      let (rounded, inputScale) = try quantized(input, quantizer, axes: [rank - 1], in: call)
      let integers = try cast(rounded, to: .int8, in: call, suffix: "integers")
      let sum = try cast(
        add("MatMulInteger", [integers, matrix], in: call), to: compute, in: call, suffix: "sum")
      return try add("Div", [sum, add("Mul", [scale, inputScale], in: call)], in: call)
    }
  }

  /// Values divided by their largest size along axes and rounded to whole numbers, and what they were multiplied by.
  mutating func quantized(
    _ value: LoweredValue, _ quantizer: ActivationQuantizer, axes: [Int], in call: LayerCall
  ) throws(FormatError) -> (LoweredValue, scale: LoweredValue) {
    let size = try reduce("ReduceMax", add("Abs", [value], in: call), axes, true, in: call)
    let bounded = try add("Add", [size, number(quantizer.epsilon, "epsilon", like: value, in: call)], in: call)
    let scale = try add("Div", [number(quantizer.highest, "highest", like: value, in: call), bounded], in: call)
    let rounded = try add("Round", [add("Mul", [value, scale], in: call)], in: call)
    return (try self.bounded(rounded, quantizer.lowest, quantizer.highest, in: call), scale)
  }

  /// The sum of a product and the bias of its layer, as layers of a mode compute it.
  mutating func biased(_ product: LoweredValue, _ mode: QuantizationMode?, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    var bias = try weight("bias", in: call)
    // Keras rounds the bias of a float8 layer to 16 bits, for the sake of a fused product.
    if mode?.kind == .float8, bias.elementType == .float32 {
      let narrow = try cast(bias, to: .bfloat16, in: call, suffix: "bias/bfloat16")
      bias = try cast(narrow, to: .float32, in: call, suffix: "bias/cast")
    }
    return try add("Add", [product, bias], in: call)
  }

  /// A value divided by a scale, rounded to 8 bits with a sign, four of exponent and three of fraction, and back.
  mutating func float8(_ value: LoweredValue, scale: LoweredValue, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    guard operatorSetVersion >= 19 else {
      throw call.error(
        .unsupported, "8-bit floating-point numbers need operator set 19", advice: "Convert with --opset 19 or higher")
    }
    let small = try bounded(add("Div", [value, scale], in: call), -448, 448, in: call)
    let narrow = try cast(small, to: .float8e4m3fn, in: call, suffix: "float8")
    let wide = try cast(narrow, to: value.elementType ?? .float32, in: call, suffix: "wide")
    return try add("Mul", [wide, scale], in: call)
  }

  /// Rows of a quantised table by index.
  mutating func quantizedRows(_ indices: LoweredValue, _ mode: QuantizationMode, width: Int?, in call: LayerCall)
    throws(FormatError) -> LoweredValue
  {
    let compute = call.configuration.policy.compute
    let stored = try storedWeight("embeddings", in: call)
    guard let width, mode.kind == .int8 || mode.kind == .int4 else {
      throw call.error(.unsupported, "a table in this mode of quantisation cannot be run")
    }
    let rows = try mode.kind == .int8 ? stored : QuantizedMatrix.unpacked(stored, columns: width, in: call)
    if mode.blockSize != nil {
      let tensor = try QuantizedMatrix.grouped(
        rows, scale: storedWeight("embeddings_scale", in: call), zero: storedWeight("embeddings_zero", in: call),
        groups: storedWeight("g_idx", in: call), alongRows: false, in: call)
      return try gather(constant(try tensor.converted(to: compute), "embeddings", in: call), indices, axis: 0, in: call)
    }
    let table = constant(rows, "embeddings", in: call)
    if mode.kind == .int8 { carry("embeddings", as: table, in: call) }
    let chosen = try cast(gather(table, indices, axis: 0, in: call), to: compute, in: call)
    let scale = try gather(weight("embeddings_scale", in: call), indices, axis: 0, in: call)
    let column = try add("Unsqueeze", [scale, integers([-1], "axes", in: call)], in: call)
    return try add("Div", [chosen, column], in: call)
  }
}

/// What a layer does to its inputs before the product: `AbsMaxQuantizer`.
struct ActivationQuantizer {
  var (lowest, highest) = (-127.0, 127.0)
  var epsilon = 1e-7

  /// The quantiser that a configuration states; `nil` when the inputs stay as they are.
  ///
  /// Files that state none round the inputs, but for 4 bits only if they are of before Keras 3.14, which had no blocks.
  init?(_ configuration: LayerConfiguration, _ mode: QuantizationMode) throws(FormatError) {
    guard let stated = configuration["quantization_config"] else {
      if mode.kind == .int4, mode.statesBlocks { return nil }
      return
    }
    guard let quantizer = stated["config"]?["activation_quantizer"], !quantizer.isNull else { return nil }
    guard quantizer["class_name"]?.string == "AbsMaxQuantizer", let settings = quantizer["config"] else {
      throw FormatError(
        .unsupported, "its inputs are quantised by \(quantizer["class_name"]?.text() ?? "something"), which is not run",
        at: configuration.label)
    }
    if let range = settings["value_range"], let low = range[0]?.double, let high = range[1]?.double {
      (lowest, highest) = (low, high)
    }
    epsilon = settings["epsilon"]?.double ?? epsilon
  }
}
