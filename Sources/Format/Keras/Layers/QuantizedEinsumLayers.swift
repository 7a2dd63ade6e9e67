/// The labels of an equation's axes as numbers, with `...` spelled out for an input of a certain rank.
struct EinsumLabels {
  let input: [Int]
  let kernel: [Int]
  let output: [Int]
  /// How many axes `...` stands for.
  let elided: Int

  /// - Returns: `nil` when the equation has more labels than the input axes, or names a label twice on a side.
  init?(_ equation: EinsumEquationText, rank: Int) {
    func labels(_ side: String) -> [Int] { side.unicodeScalars.filter { $0 != "." }.map { Int($0.value) } }
    let named = (labels(equation.input), labels(equation.output))
    elided = rank - named.0.count
    guard elided == 0 || elided > 0 && equation.input.contains(".") else { return nil }
    let rest = (0..<elided).map { -1 - $0 }
    func spelled(_ side: String, _ labels: [Int]) -> [Int] {
      side.hasPrefix("...") ? rest + labels : side.hasSuffix("...") ? labels + rest : labels
    }
    (input, output) = (spelled(equation.input, named.0), spelled(equation.output, named.1))
    kernel = labels(equation.kernel)
    let isPlain = [input, kernel, output].allSatisfy { Set($0).count == $0.count }
    guard isPlain, kernel.allSatisfy({ input.contains($0) || output.contains($0) }),
      output.allSatisfy({ input.contains($0) || kernel.contains($0) })
    else { return nil }
  }

  /// The labels over which inputs are summed.
  var summed: [Int] { input.filter { !output.contains($0) } }
  var summedPlaces: [Int] { input.indices.filter { !output.contains(input[$0]) } }
  /// The labels of the kernel over which it is summed, and those that stay.
  var rows: [Int] { kernel.filter { !output.contains($0) } }
  var columns: [Int] { kernel.filter { output.contains($0) } }

  /// Whether it is the product of a matrix of the input's rows and one of the kernel: no label but the summed ones is in
  /// both, and all labels of the input are in the kernel or the output.
  var isMatrixProduct: Bool {
    !rows.isEmpty && !columns.isEmpty && Set(summed) == Set(rows) && !columns.contains(where: input.contains)
      && summed.count < input.count
  }
}

extension Lowering {
  /// The product of a quantised `EinsumDense` as Keras computes it, without the bias.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the variables do not fit.
  mutating func quantizedEinsum(
    _ input: LoweredValue, rank: Int, _ equation: EinsumEquationText, _ mode: QuantizationMode, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    guard let axes = EinsumLabels(equation, rank: rank) else {
      throw call.error(.mismatch, "an input of \(rank) axes does not fit the equation \"\(equation.text)\"")
    }
    let compute = call.configuration.policy.compute
    switch mode.kind {
    case .float8:
      let rounded = try float8(input, scale: weight("inputs_scale", in: call), in: call)
      let kernel = try float8(weight("kernel", in: call), scale: weight("kernel_scale", in: call), in: call)
      return try einsum(rounded, kernel, equation, in: call)
    case .gptq, .awq:
      let units = try storedWeight("kernel_scale", in: call).shape.first ?? 0
      let matrix = try QuantizedMatrix.transposed(
        call, self, units: units, bits: mode.kind == .awq ? 4 : mode.bits ?? 4)
      let kernel = try shaped(matrix, axes, input, in: call).converted(to: compute)
      return try einsum(input, constant(kernel, "kernel", in: call), equation, in: call)
    case .int4 where mode.blockSize != nil:
      let scale = try storedWeight("kernel_scale", in: call)
      let matrix = try QuantizedMatrix.grouped(
        QuantizedMatrix.unpacked(storedWeight("kernel", in: call), columns: scale.shape.last ?? 0, in: call),
        scale: scale, zero: storedWeight("kernel_zero", in: call), groups: storedWeight("g_idx", in: call),
        alongRows: true, in: call)
      let kernel = try shaped(matrix, axes, input, in: call).converted(to: compute)
      return try einsum(input, constant(kernel, "kernel", in: call), equation, in: call)
    case .int4:
      let stored = try storedWeight("kernel", in: call)
      let scale = try storedWeight("kernel_scale", in: call)
      if scale.shape.count == 1, stored.shape.count == 2, stored.shape[1] == (scale.shape[0] + 1) / 2 {
        return try scaledEinsum(input, axes, equation, mode, in: call)
      }
      let shape = try kernelShape(axes, input, in: call)
      let packedAxis = axes.kernel.firstIndex { !axes.output.contains($0) } ?? 0
      let kernel = try QuantizedMatrix.signed(stored, axis: packedAxis, extent: shape[packedAxis], in: call)
      return try integerEinsum(input, constant(kernel, "kernel", in: call), axes, equation, mode, in: call)
    case .int8:
      let kernel = try storedWeight("kernel", in: call)
      let value = constant(kernel, "kernel", in: call)
      carry("kernel", as: value, in: call)
      return try integerEinsum(input, value, axes, equation, mode, in: call)
    }
  }
}

extension Lowering {
  /// With a matrix of 4-bit numbers that has a scale for each column: Keras makes the kernel of it first.
  private mutating func scaledEinsum(
    _ input: LoweredValue, _ axes: EinsumLabels, _ equation: EinsumEquationText, _ mode: QuantizationMode,
    in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let scale = try weight("kernel_scale", in: call)
    let matrix = try QuantizedMatrix.unpacked(
      storedWeight("kernel", in: call), columns: scale.shape?.dimensions.last?.value ?? 0, in: call)
    let shape = try shaped(matrix, axes, input, in: call).shape
    let wide = try cast(
      constant(matrix, "kernel", in: call), to: call.configuration.policy.compute, in: call, suffix: "kernel/cast")
    let kernel = try add(
      "Reshape", [add("Div", [wide, scale], in: call), integers(shape, "kernel_shape", in: call)], in: call)
    guard let quantizer = try ActivationQuantizer(call.configuration, mode) else {
      return try einsum(input, kernel, equation, in: call)
    }
    let (rounded, inputScale) = try quantized(input, quantizer, axes: axes.summedPlaces, in: call)
    return try add("Div", [einsum(rounded, kernel, equation, in: call), aligned(inputScale, axes, in: call)], in: call)
  }

  /// With a kernel of whole numbers and a scale that broadcasts with the product.
  private mutating func integerEinsum(
    _ input: LoweredValue, _ kernel: LoweredValue, _ axes: EinsumLabels, _ equation: EinsumEquationText,
    _ mode: QuantizationMode, in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    guard kernel.rank == axes.kernel.count, kernel.elementType == .int8 else {
      throw call.error(
        .mismatch, "its kernel of shape \(kernel.shape?.extents ?? []) does not fit the equation \"\(equation.text)\"")
    }
    let compute = call.configuration.policy.compute
    let scale = try weight("kernel_scale", in: call)
    guard let quantizer = try ActivationQuantizer(call.configuration, mode) else {
      let wide = try cast(kernel, to: compute, in: call, suffix: "kernel/cast")
      return try add("Div", [einsum(input, wide, equation, in: call), scale], in: call)
    }
    let (rounded, inputScale) = try quantized(input, quantizer, axes: axes.summedPlaces, in: call)
    let sum = try cast(
      integerProduct(rounded, kernel, axes, equation, in: call), to: compute, in: call, suffix: "sum")
    return try add("Div", [sum, add("Mul", [aligned(inputScale, axes, in: call), scale], in: call)], in: call)
  }

  /// Sums of products of whole numbers, as one product of matrices where the equation lets it.
  private mutating func integerProduct(
    _ rounded: LoweredValue, _ kernel: LoweredValue, _ axes: EinsumLabels, _ equation: EinsumEquationText,
    in call: LayerCall
  ) throws(FormatError) -> LoweredValue {
    let extents = kernel.shape?.dimensions.compactMap(\.value) ?? []
    guard axes.isMatrixProduct, extents.count == axes.kernel.count, extents.allSatisfy({ $0 > 0 }) else {
      let wide = try cast(rounded, to: .float32, in: call, suffix: "wide")
      return try einsum(wide, cast(kernel, to: .float32, in: call, suffix: "kernel/cast"), equation, in: call)
    }
    func extent(_ labels: [Int]) -> [Int] {
      labels.compactMap { label in axes.kernel.firstIndex(of: label).map { extents[$0] } }
    }
    let rest = axes.input.filter(axes.output.contains)
    let (rows, columns) = (extent(axes.rows), extent(axes.columns))
    let copied = Array(repeating: 0, count: rest.count)
    var left = try cast(rounded, to: .int8, in: call, suffix: "integers")
    left = try ordered(left, axes.input, as: rest + axes.rows, in: call)
    if rows.count > 1 {
      let shape = integers(copied + [rows.reduce(1, *)], "row_shape", in: call)
      left = try add("Reshape", [left, shape], in: call)
    }
    var right = try ordered(kernel, axes.kernel, as: axes.rows + axes.columns, in: call)
    if extents.count > 2 {
      let shape = integers([rows.reduce(1, *), columns.reduce(1, *)], "matrix_shape", in: call)
      right = try add("Reshape", [right, shape], in: call)
    }
    var product = try add("MatMulInteger", [left, right], in: call)
    if columns.count > 1 {
      product = try add("Reshape", [product, integers(copied + columns, "column_shape", in: call)], in: call)
    }
    return try ordered(product, rest + axes.columns, as: axes.output, in: call)
  }

  /// The axes of a value in another order of their labels.
  private mutating func ordered(_ value: LoweredValue, _ labels: [Int], as wanted: [Int], in call: LayerCall)
    throws(FormatError) -> LoweredValue
  {
    if labels == wanted { return value }
    return try transpose(value, wanted.compactMap { labels.firstIndex(of: $0) }, in: call)
  }

  /// What inputs were multiplied by, in a shape that broadcasts with the output.
  private mutating func aligned(_ scale: LoweredValue, _ axes: EinsumLabels, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    let isAligned =
      axes.input.map { axes.output.contains($0) ? $0 : 0 } == axes.output.map { axes.input.contains($0) ? $0 : 0 }
    if isAligned { return scale }
    var value = scale
    if !axes.summed.isEmpty {
      value = try add("Squeeze", [value, integers(axes.summedPlaces, "summed_axes", in: call)], in: call)
    }
    value = try ordered(
      value, axes.input.filter(axes.output.contains), as: axes.output.filter(axes.input.contains), in: call)
    let new = axes.output.indices.filter { !axes.input.contains(axes.output[$0]) }
    return try new.isEmpty ? value : add("Unsqueeze", [value, integers(new, "new_axes", in: call)], in: call)
  }

  /// A matrix in the shape of the kernel.
  private func shaped(_ matrix: Tensor, _ axes: EinsumLabels, _ input: LoweredValue, in call: LayerCall)
    throws(FormatError) -> Tensor
  {
    let shape = try kernelShape(axes, input, in: call)
    do throws(FormatError) {
      return try matrix.reshaped(to: shape)
    } catch {
      throw call.error(.mismatch, "a matrix of shape \(matrix.shape) is no kernel of shape \(shape)")
    }
  }

  /// The shape of the kernel by the configuration: the extents that the layer states for its outputs, and those of the
  /// input for the labels over which it is summed.
  private func kernelShape(_ axes: EinsumLabels, _ input: LoweredValue, in call: LayerCall) throws(FormatError) -> [Int]
  {
    let json = call.configuration["output_shape"]
    let stated = json?.int.map { [$0] } ?? json?.array?.map(\.int) ?? []
    // Without axes in front that `...` stands for, the first label of the output is that of the batch.
    let isElidedInFront = axes.elided > 0 && (axes.output.first ?? 0) < 0
    let labels = axes.output.filter { $0 >= 0 }.dropFirst(isElidedInFront ? 0 : 1)
    var shape: [Int] = []
    for label in axes.kernel {
      let statedExtent = zip(labels, stated).first { $0.0 == label }?.1
      let extent = statedExtent ?? axes.input.firstIndex(of: label).flatMap { input.shape?.dimensions[$0].value }
      guard let extent, extent > 0 else {
        throw call.error(.malformed, "its configuration states no shape of its kernel")
      }
      shape.append(extent)
    }
    return shape
  }
}
