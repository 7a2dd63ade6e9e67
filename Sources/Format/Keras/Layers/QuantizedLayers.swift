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

  /// The mode of a layer's policy; `nil` when there is none or it is not known.
  init?(_ configuration: LayerConfiguration) {
    guard let text = configuration.policy.quantizationMode else { return nil }
    let parts = text.split(separator: "/").map(String.init)
    guard let kind = parts.first.flatMap(Kind.init(rawValue:)) else { return nil }
    self.kind = kind
    let block = parts.count > 1 ? Int(parts[parts.count - 1]) : nil
    blockSize = block.flatMap { $0 > 0 ? $0 : nil }
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
      let (rounded, inputScale) = try quantized(input, quantizer, in: call)
      let integers = try cast(rounded, to: .int8, in: call, suffix: "integers")
      let sum = try cast(
        add("MatMulInteger", [integers, matrix], in: call), to: compute, in: call, suffix: "sum")
      return try add("Div", [sum, add("Mul", [scale, inputScale], in: call)], in: call)
    }
  }

  /// Values divided by their largest size in a row and rounded to whole numbers, and what they were multiplied by.
  private mutating func quantized(
    _ value: LoweredValue, _ quantizer: ActivationQuantizer, in call: LayerCall
  ) throws(FormatError) -> (LoweredValue, scale: LoweredValue) {
    guard let rank = value.rank else { throw call.error(.unsupported, "the shape of its input is not known") }
    let size = try reduce("ReduceMax", add("Abs", [value], in: call), [rank - 1], true, in: call)
    let bounded = try add("Add", [size, number(quantizer.epsilon, "epsilon", like: value, in: call)], in: call)
    let scale = try add("Div", [number(quantizer.highest, "highest", like: value, in: call), bounded], in: call)
    let rounded = try add("Round", [add("Mul", [value, scale], in: call)], in: call)
    return (try self.bounded(rounded, quantizer.lowest, quantizer.highest, in: call), scale)
  }

  /// A value divided by a scale, rounded to 8 bits with a sign, four of exponent and three of fraction, and back.
  private mutating func float8(_ value: LoweredValue, scale: LoweredValue, in call: LayerCall) throws(FormatError)
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
  /// Files that state none are of before Keras 3.14, which always rounded the inputs.
  init?(_ configuration: LayerConfiguration, _ mode: QuantizationMode) throws(FormatError) {
    guard let stated = configuration["quantization_config"] else { return }
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

/// Matrices of few bits.
enum QuantizedMatrix {
  /// Signed numbers of four bits, two in a byte, the lower half first. Keras packs pairs of columns; up to 3.13 it packed
  /// pairs of rows, which only the shape tells.
  static func unpacked(_ packed: Tensor, columns: Int, rows: Int? = nil, in call: LayerCall) throws(FormatError)
    -> Tensor
  {
    guard packed.shape.count == 2, packed.elementType == .int8 || packed.elementType == .uint8,
      columns > 0, columns <= 2 * max(packed.shape[1], 1)
    else {
      throw call.error(.mismatch, "a matrix of 4-bit numbers has type \(packed.elementType.name)\(packed.shape)")
    }
    let bytes = try bits(of: packed)
    if packed.shape[1] == (columns + 1) / 2, rows == nil || packed.shape[0] == rows {
      return Tensor(
        halves(bytes, rows: packed.shape[0], packedColumns: packed.shape[1], columns: columns).map(signed),
        shape: [packed.shape[0], columns])
    }
    guard packed.shape[1] == columns, let rows, packed.shape[0] == (rows + 1) / 2 else {
      throw call.error(.mismatch, "a packed matrix of shape \(packed.shape) does not hold \(columns) columns")
    }
    var values: [Int8] = []
    values.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let byte = bytes[row / 2 * columns + column]
        values.append(signed(row.isMultiple(of: 2) ? byte & 15 : byte >> 4))
      }
    }
    return Tensor(values, shape: [rows, columns])
  }

  /// `(q - zero) · scale` with scale and zero by group of rows or of columns.
  static func grouped(
    _ matrix: Tensor, scale: Tensor, zero: Tensor, groups: Tensor, alongRows: Bool, in call: LayerCall
  ) throws(FormatError) -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    let places = try groups.doubles().map { Int(exactly: $0) ?? -1 }
    let groupCount = scale.shape.count == 2 ? scale.shape[alongRows ? 0 : 1] : 0
    guard scale.shape.count == 2, zero.shape == scale.shape,
      scale.shape[alongRows ? 1 : 0] == (alongRows ? columns : rows),
      places.count == (alongRows ? rows : columns), places.allSatisfy({ (0..<groupCount).contains($0) })
    else {
      throw call.error(
        .mismatch,
        "scales of shape \(scale.shape) and \(places.count) groups do not fit a matrix of shape \(matrix.shape)")
    }
    let (numbers, scales, zeros) = (try matrix.doubles(), try scale.doubles(), try zero.doubles())
    var values: [Float] = []
    values.reserveCapacity(numbers.count)
    for row in 0..<rows {
      for column in 0..<columns {
        let place = alongRows ? places[row] * columns + column : row * groupCount + places[column]
        values.append(Float(numbers[row * columns + column] - zeros[place]) * Float(scales[place]))
      }
    }
    return Tensor(values, shape: [rows, columns])
  }

  /// The kernel of GPTQ and AWQ: unsigned numbers, outputs before inputs; AWQ also divides each input's row by a number.
  static func transposed(_ call: LayerCall, _ lowering: Lowering, units: Int, bits: Int) throws(FormatError) -> Tensor {
    let packed = try lowering.storedWeight("quantized_kernel", in: call)
    guard packed.shape.count == 2, packed.elementType == .uint8, [4, 8].contains(bits),
      units > 0, units <= 2 * max(packed.shape[0], 1)
    else {
      throw call.error(.unsupported, "a kernel of \(bits)-bit numbers in \(packed.elementType.name) cannot be run")
    }
    var matrix = packed
    if bits == 4 {
      guard packed.shape[0] == (units + 1) / 2 else {
        throw call.error(.mismatch, "a packed kernel of shape \(packed.shape) does not hold \(units) units")
      }
      let (bytes, inputs) = (try Self.bits(of: packed), packed.shape[1])
      var values: [UInt8] = []
      values.reserveCapacity(units * inputs)
      for unit in 0..<units {
        for input in 0..<inputs {
          let byte = bytes[unit / 2 * inputs + input]
          values.append(unit.isMultiple(of: 2) ? byte & 15 : byte >> 4)
        }
      }
      matrix = Tensor(values, shape: [units, inputs])
    }
    guard matrix.shape[0] == units else {
      throw call.error(.mismatch, "a kernel of shape \(matrix.shape) does not hold \(units) units")
    }
    let wide = try grouped(
      matrix, scale: lowering.storedWeight("kernel_scale", in: call),
      zero: lowering.storedWeight("kernel_zero", in: call), groups: lowering.storedWeight("g_idx", in: call),
      alongRows: false, in: call)
    let kernel = try wide.transposed([1, 0])
    guard call.layer.weights["awq_scales"] != nil else { return kernel }
    let scales = try lowering.storedWeight("awq_scales", in: call).doubles()
    guard scales.count == kernel.shape[0] else { throw call.error(.mismatch, "there are \(scales.count) awq_scales") }
    var values: [Float] = try kernel.elements()
    for index in values.indices { values[index] /= Float(scales[index / units]) }
    return Tensor(values, shape: kernel.shape)
  }

  /// The elements as they lie in memory.
  private static func bits(of tensor: Tensor) throws(FormatError) -> [UInt8] {
    if tensor.elementType == .uint8 { return try tensor.elements() }
    return try tensor.elements(as: Int8.self).map { UInt8(bitPattern: $0) }
  }

  private static func halves(_ bytes: [UInt8], rows: Int, packedColumns: Int, columns: Int) -> [UInt8] {
    var values: [UInt8] = []
    values.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let byte = bytes[row * packedColumns + column / 2]
        values.append(column.isMultiple(of: 2) ? byte & 15 : byte >> 4)
      }
    }
    return values
  }

  private static func signed(_ half: UInt8) -> Int8 { half < 8 ? Int8(half) : Int8(half) - 16 }
}
