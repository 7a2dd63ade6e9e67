import NNFormat

/// What became of one layer.
public struct LayerQuantisation: Sendable {
  /// The layer's name.
  public var name: String
  /// The operator of its node.
  public var operatorType: String
  /// What its weights have become, in words: `int8 per channel`; `float32` when they stay.
  public var scheme: String
  /// Bits that a weight takes, with its share of scales and zero points.
  public var bits: Double
  /// Why the layer stays as it was; `nil` when it does not.
  public var reason: String?
  /// What the weights lost.
  public var weights: ErrorSums?
  /// The smallest and the largest scale of the weights.
  public var scales: ClosedRange<Float>?
  /// What the layer's output loses when it alone is quantised.
  public var output: ErrorSums?
  /// What the layer's output loses when all are.
  public var cumulative: ErrorSums?
  /// What the network's outputs lose when this layer alone is quantised.
  public var sensitivity: Double?
  /// The range that calibration chose for the layer's input, and the share of numbers beyond it.
  public var activation: (range: ClosedRange<Float>, saturation: Double)?

  /// A layer whose outputs have not been measured.
  public init(
    name: String, operatorType: String, scheme: String, bits: Double, reason: String? = nil, weights: ErrorSums? = nil,
    scales: ClosedRange<Float>? = nil
  ) {
    self.name = name
    self.operatorType = operatorType
    self.scheme = scheme
    self.bits = bits
    self.reason = reason
    self.weights = weights
    self.scales = scales
  }

  /// Whether the weights have changed.
  public var isQuantised: Bool { reason == nil }
}
