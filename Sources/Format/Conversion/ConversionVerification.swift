/// Whether a file that was written holds what was to be converted.
public struct ConversionVerification: Sendable {
  /// How many tensors were compared.
  public private(set) var tensorCount = 0
  /// What differs, with its place, one clause each.
  public private(set) var differences: [String] = []

  /// Compares what was read back with what conversion makes of the source, and with the source itself where both can be
  /// compared layer by layer or node by node.
  ///
  /// - Throws: `FormatError` when weights cannot be read.
  public init(of source: ModelFile, _ conversion: Conversion, result: ModelFile) throws(FormatError) {
    let expected = try conversion.converted(source, for: result.path).file
    add(try ModelComparison(expected, result))
    guard Self.isComparable(source, result, conversion) else { return }
    add(try ModelComparison(source, result))
  }

  private mutating func add(_ comparison: ModelComparison) {
    tensorCount = max(tensorCount, comparison.tensors.compared)
    for difference in comparison.differences {
      let text = "\(difference.place): \(difference.left ?? "nothing") became \(difference.right ?? "nothing")"
      if !differences.contains(text) { differences.append(text) }
    }
  }

  /// A graph that was raised to layers, or moved to another operator set, may have another structure.
  private static func isComparable(_ source: ModelFile, _ result: ModelFile, _ conversion: Conversion) -> Bool {
    switch (source.content, result.content) {
    case (.keras, .keras): return true
    case (.onnx, .onnx): return conversion.operatorSetVersion == nil
    case (.keras(let keras), .onnx(let model)), (.onnx(let model), .keras(let keras)):
      if case .intact = KerasSidecar.read(model, path: source.path) { return true }
      if case .intact = ONNXSidecar.read(keras) { return conversion.operatorSetVersion == nil }
      return false
    }
  }
}
