import OrderedCollections

extension KerasModel {
  /// Whether a layer has weights that Keras quantised in a way that `dequantised(like:)` undoes.
  var holdsQuantisedLayers: Bool { root?.all.contains { $0.dequantisedMatrixName != nil } ?? false }

  /// The model with floating-point layers in the place of quantised ones.
  ///
  /// - Parameter other: what configurations say of types is taken from layers of the same names here, where they are not
  ///   quantised.
  /// - Throws: `FormatError` of kind `mismatch` when variables do not fit each other.
  func dequantised(like other: KerasModel?) throws(FormatError) -> KerasModel {
    guard let root else { return self }
    var result = self
    result.root = try root.dequantised(like: other?.root)
    result.preserved = nil
    result.weightTree = nil
    result.weightGroups =
      result.root?.all.filter { !$0.weights.isEmpty }.map {
        KerasWeightGroup(name: $0.name, path: $0.name, weights: Array($0.weights.values))
      } ?? []
    return result
  }
}

extension KerasLayer {
  /// The matrix that is to be dequantised; `nil` when there is none.
  fileprivate var dequantisedMatrixName: String? {
    guard let mode = QuantizationMode(configuration), mode.kind == .int8 || mode.kind == .int4 else { return nil }
    return ["kernel", "embeddings"].first { weights[$0] != nil && weights["\($0)_scale"] != nil }
  }

  fileprivate func dequantised(like other: KerasLayer?) throws(FormatError) -> KerasLayer {
    var result = self
    for index in sublayers.indices {
      let partner = other?.sublayers.first { $0.name == sublayers[index].name }
      result.sublayers[index] = try sublayers[index].dequantised(like: partner)
    }
    guard let name = dequantisedMatrixName, let mode = QuantizationMode(configuration) else { return result }
    let matrix = try KerasLayerCoding.dequantised(self, name, mode, shape: other?.weights[name]?.tensor().shape)
    var weights: OrderedDictionary<String, KerasWeight> = [:]
    for (key, weight) in self.weights where [name, "bias"].contains(key) {
      weights[key] = key == name ? KerasWeight(name: weight.name, path: weight.path, value: .success(matrix)) : weight
    }
    result.weights = weights
    let isFloat = other.map { QuantizationMode($0.configuration) == nil } ?? false
    let policy = isFloat ? other?.configuration.json["dtype"] : .string(configuration.policy.name)
    result.configuration.json = configuration.json.setting("dtype", to: policy)
      .setting("quantization_config", to: isFloat ? other?.configuration.json["quantization_config"] : nil)
    return result
  }
}

extension KerasLayerCoding {
  /// The matrix of a quantised layer in floating point.
  ///
  /// - Parameter shape: that of the matrix before, where it is known; kernels of equations need it.
  static func dequantised(
    _ layer: KerasLayer, _ name: String, _ mode: QuantizationMode, shape: [Int]?
  ) throws(FormatError) -> Tensor {
    func variable(_ name: String) throws(FormatError) -> Tensor {
      guard let tensor = try layer.weights[name]?.tensor() else {
        throw FormatError(.missing, "its \(name) is missing", at: layer.configuration.label)
      }
      return tensor
    }
    let (stored, scale) = (try variable(name), try variable("\(name)_scale"))
    let extents = layer.className == "EinsumDense" ? nil : try matrixShape(of: layer, stored, scale)
    guard let shape = shape ?? extents ?? (mode.kind == .int8 ? stored.shape : nil), let count = checkedProduct(shape)
    else { throw FormatError(.unsupported, "the shape of its kernel is not known", at: layer.configuration.label) }
    let matrix = [
      stored.shape.first ?? 0, max(stored.shape.first ?? 0, 1) == 0 ? 0 : count / max(stored.shape.first ?? 1, 1),
    ]
    let codes = try mode.kind == .int8 ? stored.doubles() : halves(stored, matrix, layer)
    let scales = try scale.doubles()
    let places = try groups(layer, mode, shape: mode.kind == .int8 ? shape : matrix, scale: scale, name)
    guard codes.count == count, places.allSatisfy({ $0 < scales.count }), places.count == count else {
      throw FormatError(.mismatch, "its \(name) and scales do not fit", at: layer.configuration.label)
    }
    let zeros = mode.blockSize == nil ? nil : try variable("\(name)_zero").doubles()
    if let zeros, zeros.count != scales.count {
      throw FormatError(.mismatch, "its scales and zeros do not fit", at: layer.configuration.label)
    }
    let values = codes.indices.map { index -> Float in
      let step = Float(scales[places[index]])
      return zeros.map { Float(codes[index] - $0[places[index]]) * step } ?? Float(codes[index]) / step
    }
    return Tensor(values, shape: shape)
  }

  /// Rows and columns of a matrix by what the layer says.
  private static func matrixShape(
    of layer: KerasLayer, _ stored: Tensor, _ scale: Tensor
  ) throws(FormatError) -> [Int]? {
    guard stored.shape.count == 2 else { return nil }
    let width = try layer.configuration.int(layer.className == "Embedding" ? "output_dim" : "units")
    return width.map { [stored.shape[0], $0] }
  }

  /// Pairs of columns out of their bytes.
  private static func halves(
    _ packed: Tensor, _ shape: [Int], _ layer: KerasLayer
  ) throws(FormatError) -> [Double] {
    let (rows, columns) = (shape[0], shape[1])
    guard packed.elementType == .int8, columns >= 0, packed.shape == [rows, columns / 2 + columns % 2] else {
      throw FormatError(.unsupported, "its numbers of 4 bits are packed by rows", at: layer.configuration.label)
    }
    let bytes: [Int8] = try packed.elements()
    let width = packed.shape[1]
    return (0..<rows * columns).map { index in
      let byte = bytes[index / columns * width + index % columns / 2]
      return Double(index % columns % 2 == 0 ? (byte << 4) >> 4 : byte >> 4)
    }
  }

  /// The place of each element's scale.
  private static func groups(
    _ layer: KerasLayer, _ mode: QuantizationMode, shape: [Int], scale: Tensor, _ name: String
  ) throws(FormatError) -> [Int] {
    let count = shape.reduce(1, *)
    if mode.kind == .int8, layer.className == "EinsumDense" { return try groups(layer, shape, scale) }
    let columns = max(shape.last ?? 1, 1)
    let isTable = layer.className == "Embedding"
    guard let size = mode.blockSize else {
      return (0..<count).map { isTable ? $0 / columns : $0 % columns }
    }
    let blocks = (columns - 1) / size + 1
    return (0..<count).map { index in
      let (row, column) = (index / columns, index % columns)
      return isTable ? row * blocks + column / size : row / size * columns + column
    }
  }

  /// For the kernel of an equation: the scale broadcasts with the output.
  private static func groups(_ layer: KerasLayer, _ shape: [Int], _ scale: Tensor) throws(FormatError) -> [Int] {
    guard let equation = layer.configuration.string("equation").flatMap(EinsumEquationText.init),
      equation.kernel.count == shape.count
    else { throw FormatError(.unsupported, "its equation is not understood", at: layer.configuration.label) }
    let labels = Array(equation.kernel)
    let output = (equation.isElidedInFront ? [Character(".")] : []) + equation.outputLabels
    guard output.count == scale.shape.count else {
      throw FormatError(.mismatch, "its scale of shape \(scale.shape) does not fit", at: layer.configuration.label)
    }
    return (0..<shape.reduce(1, *)).map { element in
      var index = [Int](repeating: 0, count: shape.count)
      var rest = element
      for axis in shape.indices.reversed() { (rest, index[axis]) = (rest / shape[axis], rest % shape[axis]) }
      return zip(output, scale.shape).reduce(0) { place, part in
        let position = labels.firstIndex(of: part.0).map { index[$0] } ?? 0
        return place * part.1 + (part.1 == 1 ? 0 : position)
      }
    }
  }
}
