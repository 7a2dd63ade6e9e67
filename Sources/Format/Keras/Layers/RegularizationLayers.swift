/// `Dropout` and its spatial forms, which do nothing at inference.
enum DropoutRule: LayerRule {
  static let classNames = ["Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]
  static let dependsOnTraining = true

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let rate = try call.configuration.float("rate", "p", default: 0.5)
    let ratio = lowering.constant(Tensor([rate], shape: []), "ratio", in: call)
    return [try lowering.add("Dropout", [call.input(), ratio], in: call)]
  }
}

/// Noise and penalties that do nothing at inference.
enum NoiseRule: LayerRule {
  static let classNames = ["GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Identity"]
  static let dependsOnTraining = true

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    [try lowering.add("Identity", [call.input()], in: call)]
  }
}

extension DropoutRule: RaisingRule {
  static let operators: Set = ["Dropout"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    if let mask = node.outputs.dropFirst().first, raising.useCount(mask) > 0 {
      throw raising.error(node, "its mask is used")
    }
    let rate = raising.numbers(node, 1)?.first ?? Double(node.float("ratio", default: 0.5))
    raising.emit(
      "Dropout", ["rate": Raising.json([rate])], inputs: [try raising.value(node, 0)], as: node.outputs[0], of: node)
    return true
  }
}

extension NoiseRule: RaisingRule {
  static let operators: Set = ["Identity", "Cast"]

  /// Copies, and casts among floating-point types, vanish; an input that is handed out needs a layer.
  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let value = try raising.value(node, 0)
    let target = node.operatorType == "Cast" ? node.elementType("to", default: .float32) : nil
    let source = raising.elementType(node.inputs[0])
    if let target, source == .bool || !target.isFloatingPoint && !target.isInteger { return false }
    if let target, source.isFloatingPoint, !target.isFloatingPoint {
      // Layers that take indices make whole numbers of them by themselves; other casts to integers change numbers.
      let output = node.outputs[0]
      let users = raising.users(of: output)
      let areIndices = users.allSatisfy { ["Gather", "Unsqueeze", "Equal", "Mod", "OneHot"].contains($0.operatorType) }
      guard target.isInteger, areIndices, raising.useCount(output) == users.count else { return false }
    }
    if let target, target != source, source.isFloatingPoint, target.isFloatingPoint {
      raising.notes.append(ConversionNote(.changed, node.name, "the cast to \(target.name) was left out"))
    }
    raising.values[node.outputs[0]] = value
    return true
  }
}
