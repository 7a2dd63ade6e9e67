import NNFormat

/// How a model is to be quantised.
public struct QuantisationSettings: Sendable, Hashable {
  /// What is rounded, and when.
  public enum Scheme: String, Sendable, CaseIterable {
    /// Weights in the file, activations when the network runs, by their range at that time.
    case dynamic
    /// Weights in the file, activations when the network runs, by ranges that calibration found.
    case calibrated = "static"
    /// Weights alone; products are computed in floating point.
    case weightOnly = "weight-only"
    /// Weights stored in 16 bits.
    case float16
    case bfloat16
  }

  /// How quantised products are written.
  public enum Form: String, Sendable, CaseIterable {
    /// Standard operators; between QuantizeLinear and DequantizeLinear where activations are calibrated.
    case qdq
    /// Operators that take quantised numbers; some of them are of the domain `com.microsoft`.
    case qoperator
  }

  /// How the range of activations follows from those seen.
  public enum CalibrationMethod: String, Sendable, CaseIterable {
    /// From the smallest to the largest.
    case minmax
    /// The range whose quantised distribution diverges least from that seen.
    case entropy
    /// So that a share of the numbers is inside.
    case percentile
  }

  /// What is rounded, and when.
  public var scheme: Scheme
  /// int8, uint8, int4 or uint4.
  public var weightType = ElementType.int8
  /// int8, uint8, int16 or uint16, of calibrated activations.
  public var activationType = ElementType.uint8
  /// Whether each output of a layer has a scale of its own.
  public var isPerChannel = true
  /// Whether zero points are in the middle; `nil` for weights of signed types alone.
  public var isSymmetric: Bool?
  /// Whether 8-bit weights use 7 bits.
  public var reducesRange = false
  /// Weights along the inputs that share a scale; 0 for all of a channel, `nil` for what suits the type and the form.
  public var blockSize: Int?
  /// How quantised products are written.
  public var form = Form.qdq
  /// How ranges follow from calibration data.
  public var calibrationMethod = CalibrationMethod.minmax
  /// The share of numbers, in per cent, that `percentile` keeps inside.
  public var percentile = 99.99
  /// How many rows of the calibration data are used; `nil` for all.
  public var sampleCount: Int?
  /// Layers that stay as they are: names, or regular expressions that match whole names.
  public var exclusions: [String] = []
  /// What rows are drawn by when there are more than are used.
  public var seed: UInt64 = 1

  /// A scheme with what suits it.
  public init(_ scheme: Scheme) { self.scheme = scheme }

  /// The blocks that weights are cut into, before they are bounded by a layer's inputs; `nil` when there are none.
  public var effectiveBlockSize: Int? {
    guard scheme == .weightOnly else { return nil }
    let fallback = weightType.bitWidth == 4 || form == .qoperator ? 32 : nil
    return blockSize.map { $0 > 0 ? $0 : nil } ?? fallback
  }

  /// The block that holds all weights of an output, of a size that `MatMulNBits` takes: a power of 2 from 16.
  static func wholeBlock(inputs: Int) -> Int {
    var size = 16
    while size < inputs { size *= 2 }
    return size
  }

  /// Whether the zero point of weights is fixed.
  public var hasSymmetricWeights: Bool { isSymmetric ?? (weightType == .int8 || weightType == .int4) }

  /// Whether activations are rounded to whole numbers.
  public var roundsActivations: Bool { scheme == .dynamic || scheme == .calibrated }

  /// Whether weights become floating-point numbers of 16 bits.
  public var isHalf: Bool { scheme == .float16 || scheme == .bfloat16 }

  /// Refuses settings that contradict each other or that no standard operator computes.
  ///
  /// - Throws: `EngineError` of kind `unsupported`.
  public func validate() throws(EngineError) {
    if isHalf { return }
    if scheme == .dynamic, weightType.bitWidth == 4 {
      throw refusal("products of quantised activations take 8-bit weights, not \(weightType.name)")
    }
    if scheme == .dynamic, activationType != .uint8 {
      throw refusal("DynamicQuantizeLinear rounds activations to uint8, not \(activationType.name)")
    }
    if scheme == .calibrated, form == .qoperator, weightType.bitWidth == 4 || activationType.bitWidth == 16 {
      throw refusal("QLinearMatMul takes 8-bit numbers; use the form qdq")
    }
    // ONNX Runtime has no kernel for this pair, neither of QGemm nor of QLinearMatMul.
    if scheme == .calibrated, form == .qoperator, weightType == .uint8, activationType == .int8 {
      throw refusal("QLinearMatMul and QGemm take no uint8 weights beside int8 activations; use the form qdq")
    }
    if let blockSize, blockSize > 0, scheme != .weightOnly {
      throw refusal("blocks of weights go with the scheme weight-only")
    }
    if scheme == .weightOnly, form == .qoperator {
      if !(weightType == .uint4 || weightType == .uint8) && !hasSymmetricWeights {
        throw refusal("MatMulNBits has unsigned weights; choose uint4 or uint8 for zero points of their own")
      }
      if let size = effectiveBlockSize, size < 16 || size & (size - 1) != 0 {
        throw refusal("the block size of MatMulNBits is a power of 2 from 16")
      }
    }
  }

  private func refusal(_ message: String) -> EngineError { EngineError(.unsupported, message) }

  /// Every setting that is in force, by the name of its option.
  public var inForce: [(name: String, value: String)] {
    var rows = [("scheme", scheme.rawValue)]
    if !isHalf {
      rows.append(("weight-type", weightType.name))
      if roundsActivations { rows.append(("activation-type", activationType.name)) }
      if scheme == .weightOnly { rows.append(("block-size", String(effectiveBlockSize ?? 0))) }
      rows.append(("per-channel", isPerChannel ? "yes" : "no"))
      let activations = isSymmetric == true && scheme == .calibrated
      rows.append(
        ("symmetric", hasSymmetricWeights ? (activations ? "weights and activations" : "weights") : "no"))
      rows.append(("reduce-range", reducesRange ? "yes" : "no"))
      rows.append(("format", form.rawValue))
    }
    if scheme == .calibrated {
      rows.append(("calibration-method", calibrationMethod.rawValue))
      if calibrationMethod == .percentile { rows.append(("percentile", "\(percentile)")) }
      rows.append(("samples", sampleCount.map(String.init) ?? "all"))
      rows.append(("seed", String(seed)))
    }
    rows.append(("exclude", exclusions.isEmpty ? "nothing" : exclusions.joined(separator: ", ")))
    return rows
  }
}
