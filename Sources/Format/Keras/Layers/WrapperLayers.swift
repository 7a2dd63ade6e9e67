/// `SpectralNormalization`: the layer inside, whose kernel training has divided by its largest singular value.
enum SpectralNormalizationRule: LayerRule {
  static let classNames = ["SpectralNormalization"]
  static let castsInputs = false
  static let repeatsInnerMatrix = true

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    [VariableRule("vector_u", trainable: false, aliases: ["sn_u"])]
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    var input = try call.input()
    if input.elementType?.isFloatingPoint == true {
      input = try lowering.cast(input, to: call.configuration.policy.compute, in: call, suffix: "input")
    }
    let outputs = try lowering.wrapped(call, input: input)
    guard call.configuration.generation >= 3, let type = input.elementType else { return outputs }
    // Keras 3 casts to the type of the input, were it that of indices.
    return try outputs.mapTyped { (output) throws(FormatError) in
      try lowering.cast(output, to: type, in: call, suffix: "output")
    }
  }
}

/// `TimeDistributed`: the layer inside on each step of axis 1.
///
/// The steps join the batch and leave it again; layers that treat all axes but the last alike take them as they are.
enum TimeDistributedRule: LayerRule {
  static let classNames = ["TimeDistributed"]
  static let castsInputs = false

  /// Classes that do the same with an axis more in front.
  private static let stepwise: Set = [
    "Dense", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Dropout", "GaussianNoise", "GaussianDropout",
    "AlphaDropout", "ActivityRegularization", "Identity", "Activation", "Rescaling",
  ]

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let (input, rank) = try call.rankedInput()
    guard rank >= 3, let shape = input.shape, let inner = call.layer.sublayers.first else {
      throw call.error(.mismatch, "it needs a layer, and an input with three axes or more")
    }
    // A layer as an activation may have axes of its own.
    let isPlain = inner.configuration["activation"]?.object == nil
    if stepwise.contains(inner.className), isPlain { return try lowering.wrapped(call, input: input) }
    let extents = shape.dimensions.dropFirst(2).compactMap(\.value)
    guard extents.count == rank - 2 else {
      throw call.error(.unsupported, "an axis behind the steps has no fixed extent")
    }
    let joined = try lowering.add(
      "Reshape", [input, lowering.integers([-1] + extents, "step_shape", in: call)], in: call)
    lowering.masks[joined.name] = lowering.masks[input.name]
    let outputs = try lowering.wrapped(call, input: joined)
    guard let output = outputs.first, outputs.count == 1, let inside = output.shape else {
      throw call.error(.unsupported, "the layer inside does not have one output of a known shape")
    }
    let behind = inside.dimensions.dropFirst().compactMap(\.value)
    guard behind.count == inside.rank - 1 else {
      throw call.error(.unsupported, "an axis of the output inside has no fixed extent")
    }
    if let steps = shape[1].value {
      let target = lowering.integers([-1, steps] + behind, "shape", in: call)
      return [lowering.batched(try lowering.add("Reshape", [output, target], in: call), by: shape[0])]
    }
    let whole = try lowering.add("Shape", [input], in: call)
    let front = try lowering.add(
      "Slice", [whole, lowering.integers([0], "start", in: call), lowering.integers([2], "end", in: call)], in: call)
    let target = try lowering.add(
      "Concat", [front, lowering.integers(behind, "features", in: call)], in: call,
      attributes: [Attribute("axis", .int(0))])
    return [lowering.batched(try lowering.add("Reshape", [output, target], in: call), by: shape[0])]
  }
}

extension Lowering {
  /// The value with the batch that it is known to have, which inference loses where it is joined with another axis.
  fileprivate mutating func batched(_ value: LoweredValue, by batch: Dimension) -> LoweredValue {
    var value = value
    value.type.shape?[0] = batch
    inference.add(value.type, named: value.name)
    return value
  }

  /// Calls the layer inside of a wrapper.
  mutating func wrapped(_ call: LayerCall, input: LoweredValue) throws(FormatError) -> [LoweredValue] {
    guard let inner = call.layer.sublayers.first, call.layer.sublayers.count == 1 else {
      throw call.error(.malformed, "it wraps no layer")
    }
    let innerCall = LayerCall(
      layer: inner, scope: scope(of: inner, in: call.scope), index: call.index, inputs: [input], arguments: nil)
    return try self.call(innerCall, depth: call.depth + 1)
  }
}
