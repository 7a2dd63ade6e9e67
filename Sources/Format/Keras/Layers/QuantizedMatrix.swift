/// Matrices of few bits.
enum QuantizedMatrix {
  /// Signed numbers of four bits, two in a byte, the lower half first. Keras packs pairs of columns; up to 3.13 it packed
  /// pairs of rows, which only the shape tells.
  static func unpacked(_ packed: Tensor, columns: Int, rows: Int? = nil, in call: LayerCall) throws(FormatError)
    -> Tensor
  {
    guard packed.shape.count == 2, columns > 0, columns <= 2 * max(packed.shape[1], 1) else {
      throw call.error(.mismatch, "a matrix of 4-bit numbers has type \(packed.elementType.name)\(packed.shape)")
    }
    if packed.shape[1] == columns / 2 + columns % 2, rows == nil || packed.shape[0] == rows {
      return try signed(packed, axis: 1, extent: columns, in: call)
    }
    guard packed.shape[1] == columns, let rows, packed.shape[0] == rows / 2 + rows % 2 else {
      throw call.error(.mismatch, "a packed matrix of shape \(packed.shape) does not hold \(columns) columns")
    }
    return try signed(packed, axis: 0, extent: rows, in: call)
  }

  /// Signed numbers of four bits from pairs along an axis.
  static func signed(_ packed: Tensor, axis: Int, extent: Int, in call: LayerCall) throws(FormatError) -> Tensor {
    let (halves, shape) = try halves(packed, axis: axis, extent: extent, in: call)
    return Tensor(halves.map { $0 < 8 ? Int8($0) : Int8($0) - 16 }, shape: shape)
  }

  /// The halves of bytes along an axis of an extent, the lower one first.
  private static func halves(_ packed: Tensor, axis: Int, extent: Int, in call: LayerCall) throws(FormatError)
    -> ([UInt8], shape: [Int])
  {
    guard packed.shape.indices.contains(axis), packed.elementType == .int8 || packed.elementType == .uint8,
      extent > 0, packed.shape[axis] == extent / 2 + extent % 2
    else {
      throw call.error(
        .mismatch,
        "\(packed.elementType.name)\(packed.shape) does not hold \(extent) numbers of 4 bits along axis \(axis)")
    }
    let bytes = try bits(of: packed)
    let inner = packed.shape[(axis + 1)...].reduce(1, *)
    let outer = packed.shape[..<axis].reduce(1, *)
    var values: [UInt8] = []
    values.reserveCapacity(outer * extent * inner)
    for block in 0..<outer {
      for place in 0..<extent {
        let start = (block * packed.shape[axis] + place / 2) * inner
        for byte in bytes[start..<start + inner] { values.append(place.isMultiple(of: 2) ? byte & 15 : byte >> 4) }
      }
    }
    var shape = packed.shape
    shape[axis] = extent
    return (values, shape)
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
      let (values, shape) = try halves(packed, axis: 0, extent: units, in: call)
      matrix = Tensor(values, shape: shape)
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
}
