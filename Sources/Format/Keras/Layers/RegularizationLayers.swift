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
