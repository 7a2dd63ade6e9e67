/// What a path's ending says is to be written there.
public enum ConversionTarget: Sendable, Hashable {
  case onnx
  /// A Keras layout with the layers in it, or Keras 3's weights alone.
  case keras(KerasModel.Layout)
  /// Weights alone by name.
  case safetensors
  case npz

  /// The target of a path.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for any other ending.
  public init(path: String) throws(FormatError) {
    let name = path.lowercased()
    if name.hasSuffix(".weights.h5") {
      self = .keras(.weights)
    } else if name.hasSuffix(".h5") || name.hasSuffix(".hdf5") {
      self = .keras(.legacyModel)
    } else if name.hasSuffix(".keras") {
      self = .keras(.archive)
    } else if name.hasSuffix(".onnx") {
      self = .onnx
    } else if name.hasSuffix(".safetensors") {
      self = .safetensors
    } else if name.hasSuffix(".npz") {
      self = .npz
    } else {
      throw FormatError(
        .unsupported, "the ending names no format", file: path,
        advice: "Use .h5, .keras, .weights.h5, .onnx, .safetensors or .npz")
    }
  }

  /// Whether nothing but weights is written.
  public var isWeightsOnly: Bool {
    switch self {
    case .keras(.weights), .safetensors, .npz: true
    default: false
    }
  }

  /// The format as reports name it.
  public var name: String {
    switch self {
    case .onnx: "ONNX"
    case .keras(let layout): layout.rawValue
    case .safetensors: "safetensors"
    case .npz: "NumPy archive"
    }
  }
}
