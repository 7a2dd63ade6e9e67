import OrderedCollections

extension Raising {
  /// The layer output that an input of a node is.
  func value(_ node: Node, _ index: Int) throws(FormatError) -> RaisedValue {
    guard node.inputs.indices.contains(index), let value = values[node.inputs[index]] else {
      let cause = node.inputs.indices.contains(index) ? failures[node.inputs[index]] : nil
      throw cause ?? unknown(node, index)
    }
    return value
  }

  private func unknown(_ node: Node, _ index: Int) -> FormatError {
    error(node, "input \(index) is neither the output of a layer nor a weight")
  }

  /// The constant that an input of a node is.
  func constant(_ node: Node, _ index: Int) -> Tensor? {
    node.inputs.indices.contains(index) ? constants[node.inputs[index]] : nil
  }

  /// The elements of a small constant input as numbers.
  func numbers(_ node: Node, _ index: Int) -> [Double]? {
    guard let tensor = constant(node, index), tensor.count <= 1 << 16 else { return nil }
    return try? tensor.doubles()
  }

  /// The elements of a small constant input as whole numbers; `nil` when one is none.
  func integers(_ node: Node, _ index: Int) -> [Int]? {
    guard let tensor = constant(node, index), tensor.count <= 1 << 16 else { return nil }
    return try? tensor.integers()
  }

  /// The shape of a value as far as inference knows it.
  func shape(_ name: String) -> Shape? { inference[name]?.shape }

  /// The type that a value has; float32 when it is not known.
  func elementType(_ name: String) -> ElementType { inference[name]?.elementType ?? .float32 }

  /// Adds a layer that computes `output` from other layers.
  ///
  /// - Parameter weightName: the initializer that the layer's name may be taken from.
  mutating func emit(
    _ className: String, _ configuration: OrderedDictionary<String, JSONValue>,
    weights: [(name: String, tensor: Tensor)] = [], inputs: [RaisedValue], as output: String, of node: Node,
    weightName: String? = nil
  ) {
    // Inference knows nothing of what a rule puts between a node's inputs and its outputs.
    let inner = inference[output]?.elementType ?? elementType(node.outputs.first ?? output)
    let name = uniqueName(
      Self.layerName(ofWeight: weightName) ?? (node.name.isEmpty ? "" : node.name),
      fallback: KerasConfigurationParser.snakeCase(className))
    layers.append(
      RaisedLayer(
        className: className, name: name, configuration: configuration, weights: weights, inputs: inputs.map(\.layer),
        elementType: weights.first?.tensor.elementType ?? (inner.isFloatingPoint ? inner : .float32)))
    let steps = inputs.lazy.compactMap(\.steps).first
    layers[layers.count - 1].steps = steps
    layers[layers.count - 1].outputShape =
      [nil] + (steps.map { [$0.value] } ?? []) + (shape(output)?.dimensions ?? []).dropFirst().map(\.value)
    values[output] = RaisedValue(
      layer: layers.count - 1, isCollapsed: inputs.contains { $0.isCollapsed }, steps: steps)
  }

  /// Applies an activation function by name: as that of the layer in front, when nothing else uses the layer's output,
  /// or as a layer of its own.
  ///
  /// - Parameter uses: how many uses of the input the function itself makes.
  mutating func activate(
    _ function: String, _ input: String, uses: Int = 1, as output: String, of node: Node
  ) throws(FormatError) {
    guard let value = values[input] else { throw error(node, "its input is not the output of a layer") }
    if takesActivation(input, uses: uses) {
      layers[value.layer].configuration["activation"] = .string(function)
      values[output] = value
    } else {
      emit("Activation", ["activation": .string(function)], inputs: [value], as: output, of: node)
    }
  }

  /// Whether a value is the output of a layer that may yet get an activation function, and that nothing else uses.
  func takesActivation(_ input: String, uses: Int = 1) -> Bool {
    guard let value = values[input], useCount(input) == uses else { return false }
    let layer = layers[value.layer]
    return ["Dense", "EinsumDense"].contains(layer.className) && layer.configuration["activation"] == "linear"
  }

  /// `scale · x + offset`, joined with a scaling in front of it that nothing else uses.
  mutating func rescale(
    _ value: RaisedValue, uses: Int = 1, scale: [Double] = [1], offset: [Double] = [0], as output: String, of node: Node
  ) {
    let layer = layers[value.layer]
    if scale == [1], layer.className == "Rescaling", layer.configuration["offset"] == Self.json([0]), uses == 1 {
      layers[value.layer].configuration["offset"] = Self.json(offset)
      values[output] = value
      return
    }
    emit("Rescaling", ["scale": Self.json(scale), "offset": Self.json(offset)], inputs: [value], as: output, of: node)
  }

  /// A number, or a list of them for the last axis.
  static func json(_ numbers: [Double]) -> JSONValue {
    // A float's own shortest text, which a double would lengthen.
    let texts = numbers.map { Double(Float($0)) == $0 ? JSONValue.number("\(Float($0))") : .number("\($0)") }
    return texts.count == 1 ? texts[0] : .array(texts)
  }

  /// A name that Keras of every generation takes and no layer has yet.
  mutating func uniqueName(_ wanted: String, fallback: String) -> String {
    let legal = Self.legalName(wanted)
    let base = legal.isEmpty ? fallback : legal
    var name = base
    while !takenNames.insert(name).inserted {
      lastNumbers[base, default: 0] += 1
      name = "\(base)_\(lastNumbers[base, default: 0])"
    }
    if !wanted.isEmpty, name != wanted { notes.append(ConversionNote(.renamed, wanted, Self.renaming(to: name))) }
    return name
  }

  /// The name with all but letters, digits, `_`, `.` and `-` replaced: TensorFlow takes no others in every place.
  static func legalName(_ name: String) -> String {
    let trimmed = name.drop { $0 == "/" || $0 == ":" }
    let legal = String(trimmed.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) ? $0 : "_" })
    guard let first = legal.first else { return "" }
    return first.isLetter || first.isNumber ? legal : "layer" + legal
  }

  /// The layer that the name of a weight speaks of: `fc1` for `fc1.weight`, `dense` for `model/dense/MatMul/ReadVariableOp:0`.
  static func layerName(ofWeight name: String?) -> String? {
    guard let name else { return nil }
    let parts = name.split { $0 == "/" || $0 == ":" }.map(String.init)
    if let position = parts.firstIndex(where: { $0.hasPrefix("ReadVariableOp") }) {
      let operators: Set = ["MatMul", "BiasAdd", "Cast", "Tensordot", "batchnorm", "mul", "add"]
      return parts[..<position].last { !operators.contains($0) && Int($0) == nil }
    }
    let variables: Set = ["kernel", "weight", "embeddings", "gamma", "alpha"]
    for mark in ["/", "."] {
      let parts = name.split(separator: mark[mark.startIndex])
      if let last = parts.last, parts.count > 1, variables.contains(String(last)) {
        return parts.dropLast().joined(separator: mark)
      }
    }
    return nil
  }
}
