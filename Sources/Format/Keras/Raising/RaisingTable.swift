/// How operators turn back into a layer: the other direction of a `LayerRule`.
protocol RaisingRule: Sendable {
  /// The operators that a layer of this kind begins with.
  static var operators: Set<String> { get }

  /// Makes a layer, or several, of a node and those behind it that belong to the same layer.
  ///
  /// - Returns: Whether the rule applied; nothing was changed when it did not.
  /// - Throws: `FormatError` that names the node.
  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool
}

/// The table of all rules that turn operators into layers, the more particular ones first.
enum RaisingTable {
  private static let rules: [any RaisingRule.Type] = [
    DenseRule.self, EinsumDenseRule.self, EmbeddingRule.self,
    MaskingRule.self, UnitNormalizationRule.self, RMSNormalizationRule.self, GroupNormalizationRule.self,
    IntegerLookupRule.self, EncodingRaising.self,
    ThresholdRaising.self, CompositeActivationRaising.self, GatedLinearUnitRaising.self, SelectionRaising.self,
    LayerNormalizationForms.self,
    GeluRaising.self, GatedRaising.self, SoftmaxRule.self, ActivationRule.self, ELURule.self, LeakyReLURule.self,
    PReLURule.self, ThresholdedReLURule.self, HardSigmoidRaising.self, ReLURule.self,
    DropoutRule.self, NoiseRule.self,
    BatchNormalizationRule.self, LayerNormalizationRule.self,
    UpSamplingRule.self, ZeroPaddingRule.self, CroppingRule.self, GlobalPoolingRule.self,
    RepeatVectorRule.self, FlattenRule.self, PermuteRule.self, ReshapeRule.self,
    RescalingRule.self, MergeRaising.self, ConcatenateRule.self, DotRule.self,
    OperationRaising.self,
  ]

  /// The rules that a node may begin.
  static func rules(for node: Node) -> [any RaisingRule.Type] {
    if node.domain == LinearModelRaising.domain, LinearModelRaising.operators.contains(node.operatorType) {
      return [LinearModelRaising.self]
    }
    guard isKnown(node) else { return [] }
    return rules.filter { $0.operators.contains(node.operatorType) }
  }

  /// Whether a node is of the standard operators, or the one of `ai.onnx.ml` that layers become.
  static func isKnown(_ node: Node) -> Bool {
    node.domain.isEmpty || node.domain == "ai.onnx"
      || node.domain == Lowering.machineLearning && node.operatorType == "LabelEncoder"
  }
}
