/// How one or several classes of layers turn into operators.
protocol LayerRule: Sendable {
  /// The Keras class names the rule stands for, old spellings included.
  static var classNames: [String] { get }

  /// The variables that a layer of this configuration has, in creation order.
  static func variables(_ configuration: LayerConfiguration) -> [VariableRule]

  /// Whether the numbered variables of the layer begin with the matrix of the layer inside, which stands there as well.
  static var repeatsInnerMatrix: Bool { get }

  /// Whether inputs are cast to the layer's compute type first, as Keras does for all but integer look-ups.
  static var castsInputs: Bool { get }

  /// Whether the layer computes something else in training.
  static var dependsOnTraining: Bool { get }

  /// Whether a mask changes what the layer computes.
  static var usesMask: Bool { get }

  /// Whether the layer runs with weights that Keras has quantised.
  static func runs(_ mode: QuantizationMode) -> Bool

  /// Whether a mask that comes with the input goes with the output.
  static var passesMask: Bool { get }

  /// Whether the layer makes a mask of its input.
  static func makesMask(_ configuration: LayerConfiguration) -> Bool

  /// Emits the operators of one call of the layer.
  ///
  /// - Returns: The outputs of the call.
  /// - Throws: `FormatError` that names the layer.
  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue]
}

extension LayerRule {
  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] { [] }
  static var repeatsInnerMatrix: Bool { false }
  static var castsInputs: Bool { true }
  static var dependsOnTraining: Bool { false }
  static var usesMask: Bool { false }
  static func runs(_ mode: QuantizationMode) -> Bool { false }
  static var passesMask: Bool { true }
  static func makesMask(_ configuration: LayerConfiguration) -> Bool { false }
}

/// The table of all layers that lower to operators.
enum KerasLayerTable {
  private static let rules: [any LayerRule.Type] = [
    DenseRule.self, EinsumDenseRule.self, EmbeddingRule.self, MaskingRule.self,
    ActivationRule.self, ReLURule.self, LeakyReLURule.self, ELURule.self, PReLURule.self, SoftmaxRule.self,
    ThresholdedReLURule.self,
    DropoutRule.self, NoiseRule.self,
    BatchNormalizationRule.self, LayerNormalizationRule.self, GroupNormalizationRule.self,
    UnitNormalizationRule.self, RMSNormalizationRule.self, NormalizationRule.self, RescalingRule.self,
    CategoryEncodingRule.self, DiscretizationRule.self, IntegerLookupRule.self,
    FlattenRule.self, ReshapeRule.self, PermuteRule.self, RepeatVectorRule.self,
    GlobalPoolingRule.self, ZeroPaddingRule.self, CroppingRule.self, UpSamplingRule.self,
    SumRule.self, SubtractRule.self, MultiplyRule.self, AverageRule.self, MaximumRule.self, MinimumRule.self,
    ConcatenateRule.self, DotRule.self, LegacyMergeRule.self,
    SpectralNormalizationRule.self, TimeDistributedRule.self,
  ]

  private static let byClassName: [String: any LayerRule.Type] = {
    var table: [String: any LayerRule.Type] = [:]
    for rule in rules { for name in rule.classNames { table[name] = rule } }
    return table
  }()

  /// The rule for a layer; `nil` when its class is unknown or the entry is an operation that has no layer's meaning.
  static func rule(for layer: KerasLayer) -> (any LayerRule.Type)? {
    guard layer.isOperation else { return byClassName[layer.className] }
    return TensorFlowFunction.isCall(layer)
      ? TensorFlowFunctionRule.self : KerasOperation.named(layer.className) == nil ? nil : OperationRule.self
  }

  /// The class names that can be run.
  static var classNames: [String] { byClassName.keys.sorted() }
}
