import OrderedCollections

/// Builds a new Keras model of layers, as Keras's functional form does.
///
///     var network = NetworkBuilder(seed: 1)
///     let x = network.input([64])
///     let hidden = try network.add(.dense(32, activation: "relu"), to: x)
///     let model = try network.model(output: try network.add(.dense(10, activation: "softmax"), to: hidden))
public struct NetworkBuilder: Sendable {
  /// What a layer gives.
  public struct Output: Sendable, Hashable {
    let layer: Int
  }

  private var layers: [RaisedLayer] = []
  private var random: SeededRandom
  private var counts: [String: Int] = [:]

  /// A network without layers.
  ///
  /// - Parameter seed: decides the first values of the weights.
  public init(seed: UInt64 = 0) { random = SeededRandom(seed: seed) }

  /// A new input.
  ///
  /// - Parameter shape: that of a row.
  public mutating func input(_ shape: [Int], type: ElementType = .float32, name: String? = nil) -> Output {
    let shape: [Int?] = [nil] + shape
    layers.append(
      RaisedLayer(
        className: "InputLayer", name: name ?? unique("input"), configuration: [:], elementType: type,
        outputShape: shape, inputShape: shape))
    return Output(layer: layers.count - 1)
  }

  /// A layer on what others give.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the shapes do not fit.
  public mutating func add(
    _ layer: LayerSpecification, to inputs: Output..., name: String? = nil
  ) throws(FormatError) -> Output {
    try add(layer, to: inputs, name: name)
  }

  /// The model that gives an output.
  ///
  /// - Throws: `FormatError` when a layer is not understood, which is a mistake of this library.
  public func model(output: Output, name: String = "model") throws(FormatError) -> KerasModel {
    try model(outputs: [output], name: name)
  }

  /// The model that gives several outputs.
  ///
  /// - Throws: `FormatError` when a layer is not understood, which is a mistake of this library.
  public func model(outputs: [Output], name: String = "model") throws(FormatError) -> KerasModel {
    let network = RaisedNetwork(name: name, layers: layers, outputs: outputs.map(\.layer), generation: 3)
    var keras = KerasModel(path: "", layout: .archive)
    keras.kerasVersion = KerasWriter.version
    keras.backend = "tensorflow"
    keras.configuration = network.configuration
    KerasReader().adoptTree(network.tree, into: &keras)
    try KerasReader().finish(&keras)
    return keras
  }

  /// A chain of layers.
  public static func sequential(
    input shape: [Int], _ layers: [LayerSpecification], seed: UInt64 = 0, name: String = "sequential"
  ) throws(FormatError) -> KerasModel {
    var builder = NetworkBuilder(seed: seed)
    let isIndex = if case .embedding? = layers.first { true } else { false }
    var output = builder.input(shape, type: isIndex ? .int32 : .float32)
    for layer in layers { output = try builder.add(layer, to: [output], name: nil) }
    return try builder.model(output: output, name: name)
  }

  private mutating func unique(_ stem: String) -> String {
    let count = counts[stem, default: 0]
    counts[stem] = count + 1
    return count == 0 ? stem : "\(stem)_\(count)"
  }

  /// A layer on what others give.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the shapes do not fit.
  public mutating func add(
    _ specification: LayerSpecification, to inputs: [Output], name: String?
  ) throws(FormatError) -> Output {
    guard let first = inputs.first else { throw FormatError(.mismatch, "a layer needs an input") }
    let shape = layers[first.layer].outputShape
    var made = try layer(specification, inputs.map { layers[$0.layer].outputShape }, shape)
    made.name = name ?? unique(KerasConfigurationParser.snakeCase(made.className))
    made.inputs = inputs.map(\.layer)
    layers.append(made)
    return Output(layer: layers.count - 1)
  }

  private mutating func layer(
    _ specification: LayerSpecification, _ shapes: [[Int?]], _ shape: [Int?]
  ) throws(FormatError) -> RaisedLayer {
    var made = RaisedLayer(
      className: "", name: "", configuration: [:], elementType: .float32, outputShape: shape)
    switch specification {
    case .dense(let units, let activation, let usesBias, let initializer):
      try dense(units, activation, usesBias, initializer, shape, &made)
    case .flatten:
      made.className = "Flatten"
      made.outputShape = [nil, try count(shape)]
    case .dropout(let rate): (made.className, made.configuration) = ("Dropout", ["rate": .double(rate)])
    case .batchNormalization(let momentum, let epsilon):
      made.className = "BatchNormalization"
      made.configuration = ["axis": -1, "momentum": .double(momentum), "epsilon": .double(epsilon)]
      for (name, value) in [("gamma", Float(1)), ("beta", 0), ("moving_mean", 0), ("moving_variance", 1)] {
        made.weights.append((name, Tensor([Float](repeating: value, count: try width(shape)))))
      }
    case .layerNormalization(let epsilon):
      (made.className, made.configuration) = ("LayerNormalization", ["axis": -1, "epsilon": .double(epsilon)])
      for (name, value) in [("gamma", Float(1)), ("beta", 0)] {
        made.weights.append((name, Tensor([Float](repeating: value, count: try width(shape)))))
      }
    case .activation(let name): (made.className, made.configuration) = ("Activation", ["activation": .string(name)])
    case .embedding(let rows, let columns):
      guard let count = checkedProduct([rows, columns]), count < Self.mostWeights else {
        throw FormatError(.limit, "an embedding of \(rows) rows of \(columns) is too large")
      }
      (made.className, made.configuration) = ("Embedding", ["input_dim": .int(rows), "output_dim": .int(columns)])
      made.weights = [("embeddings", WeightInitializer.randomUniform.values([rows, columns], random: &random))]
      made.outputShape = shape + [columns]
    case .reshape(let extents):
      guard try count(shape) == checkedProduct(extents) else {
        throw FormatError(.mismatch, "\(try count(shape)) values a row do not take the shape \(Shape(extents))")
      }
      (made.className, made.configuration) = ("Reshape", ["target_shape": .array(extents.map(JSONValue.int))])
      made.outputShape = [nil] + extents
    case .rescaling(let scale, let offset):
      (made.className, made.configuration) = ("Rescaling", ["scale": .double(scale), "offset": .double(offset)])
    case .add, .multiply, .concatenate: try merge(specification, shapes, &made)
    case .regularized(let inner, let penalty):
      made = try layer(inner, shapes, shape)
      made.configuration["kernel_regularizer"] = [
        "module": "keras.regularizers", "class_name": "L1L2",
        "config": ["l1": .number("\(penalty.l1)"), "l2": .number("\(penalty.l2)")], "registered_name": .null,
      ]
    }
    return made
  }

  /// The elements that a variable stays below.
  private static let mostWeights = 1 << 34

  private mutating func dense(
    _ units: Int, _ activation: String, _ usesBias: Bool, _ initializer: WeightInitializer, _ shape: [Int?],
    _ made: inout RaisedLayer
  ) throws(FormatError) {
    let width = try width(shape)
    guard let count = checkedProduct([width, units]), count < Self.mostWeights else {
      throw FormatError(.limit, "a dense layer of \(width) inputs and \(units) units is too large")
    }
    made.className = "Dense"
    made.configuration = [
      "units": .int(units), "activation": .string(activation), "use_bias": .bool(usesBias),
      "kernel_initializer": .string(initializer.rawValue),
    ]
    made.weights = [("kernel", initializer.values([width, units], random: &random))]
    if usesBias { made.weights.append(("bias", Tensor([Float](repeating: 0, count: units)))) }
    made.outputShape = shape.dropLast() + [units]
  }

  private func merge(
    _ specification: LayerSpecification, _ shapes: [[Int?]], _ made: inout RaisedLayer
  ) throws(FormatError) {
    guard shapes.count > 1 else { throw FormatError(.mismatch, "a layer that joins needs two inputs or more") }
    if specification == .concatenate {
      (made.className, made.configuration) = ("Concatenate", ["axis": -1])
      var total = 0
      for shape in shapes { total += try width(shape) }
      made.outputShape = (shapes.first ?? []).dropLast() + [total]
      return
    }
    guard Set(shapes).count == 1 else { throw FormatError(.mismatch, "inputs of different shapes cannot be joined") }
    made.className = specification == .add ? "Add" : "Multiply"
  }

  private func width(_ shape: [Int?]) throws(FormatError) -> Int {
    guard shape.count > 1, let last = shape.last, let width = last else {
      throw FormatError(.mismatch, "the layer needs rows with a last axis of known extent")
    }
    guard width < Self.mostWeights else { throw FormatError(.limit, "rows with a last axis of \(width) are too large") }
    return width
  }

  private func count(_ shape: [Int?]) throws(FormatError) -> Int {
    let extents = shape.dropFirst().compactMap(\.self)
    guard extents.count == shape.count - 1, let count = checkedProduct(extents) else {
      throw FormatError(.mismatch, "the layer needs rows of known shape")
    }
    return count
  }
}
