import NNFormat

/// Rewrites a model so that its layers have weights of fewer bits. What comes out are standard operators, or those of
/// `com.microsoft` where the settings ask for them.
public struct ModelQuantiser: NetworkQuantiser {
  /// The model before.
  public let model: Model
  /// The settings in force.
  public let settings: QuantisationSettings
  /// The layers that can be quantised, in the order of the graph, those that stay included.
  public let layers: [QuantisableLayer]
  /// Why layers stay as they are, by name.
  private var reasons: [Int: String] = [:]
  private var weights: [WeightKey: QuantisedWeight] = [:]

  /// Weights in one form.
  struct WeightKey: Hashable {
    let name: String
    let coding: WeightCoding
  }

  /// Finds the layers.
  ///
  /// - Throws: `EngineError` of kind `unsupported` when the settings contradict each other or there is nothing to quantise
  ///   or nothing left by the exclusions, `invalidInput` when an exclusion names nothing.
  public init(_ model: Model, _ settings: QuantisationSettings) throws(EngineError) {
    try settings.validate()
    self.settings = settings
    do throws(FormatError) {
      self.model = try settings.prepared(model)
    } catch {
      throw EngineError(.unsupported, error)
    }
    let names = self.model.graph.nodes.map { $0.name.isEmpty ? $0.outputs.first ?? "" : $0.name }
    let selection = try LayerSelection(settings.exclusions, names: names)
    layers = QuantisableLayer.all(in: self.model)
    for (index, layer) in layers.enumerated() {
      if selection.excludes(layer.name) {
        reasons[index] = LayerSelection.reason
      } else if let reason = settings.refusal(of: layer) {
        reasons[index] = reason
      }
    }
    guard !layers.isEmpty else { throw EngineError(.unsupported, "no layer has constant weights to quantise") }
    guard !candidates.isEmpty else {
      throw EngineError(.unsupported, LayerSelection.nothingLeft(reasons.values))
    }
  }

  /// The layers that are quantised unless they are left out.
  public var candidates: [Int] { layers.indices.filter { reasons[$0] == nil } }

  /// The value that each layer gives.
  public var probes: [String] { layers.map { model.graph.nodes[$0.node].outputs[0] } }

  /// The value whose range a layer's products depend on.
  func activation(of index: Int) -> String? {
    let layer = layers[index]
    guard settings.roundsActivations, reasons[index] == nil, layer.isIntegerProduct else { return nil }
    return model.graph.nodes[layer.node].inputs[0]
  }

  /// Notes the range that calibration chose for the input of each layer.
  public func describeActivations(_ calibration: Calibration?, in rows: inout [LayerQuantisation]) {
    guard let calibration else { return }
    for index in rows.indices where rows[index].isQuantised {
      guard let name = activation(of: index), let range = calibration.ranges[name] else { continue }
      rows[index].activation = (range, calibration.saturation[name] ?? 0)
    }
  }

  /// Rewrites the model.
  ///
  /// - Parameters:
  ///   - ranges: of the values that calibrated products take and give, by name.
  ///   - kept: layers that stay as they are, with the reason.
  /// - Throws: `EngineError` of kind `invalidInput` when weights are NaN or infinite, `invalidGraph` when ranges are missing.
  public mutating func quantised(
    ranges: [String: ClosedRange<Float>], keeping kept: [Int: String]
  ) throws(EngineError) -> (model: Model, layers: [LayerQuantisation]) {
    var rewriter = LayerRewriter(GraphRewrite(model), settings, ranges: ranges)
    var rows: [LayerQuantisation] = []
    var places: [Int: Int] = [:]
    for (index, layer) in layers.enumerated() { places[layer.node] = index }
    for (place, node) in model.graph.nodes.enumerated() {
      guard let index = places[place] else {
        rewriter.rewrite.append(node)
        continue
      }
      let layer = layers[index]
      if let reason = reasons[index] ?? kept[index] {
        rewriter.rewrite.append(node)
        rows.append(.kept(layer, reason))
      } else if settings.isHalf {
        rows.append(try rewriter.halve(layer, node))
      } else {
        let coding = settings.coding(of: layer)
        let weight = try quantisedWeight(layer, coding)
        try rewriter.replace(layer, node, weight)
        rows.append(.quantised(layer, weight, settings.description(of: layer)))
      }
    }
    return (rewriter.rewrite.finished(), rows)
  }

  private mutating func quantisedWeight(
    _ layer: QuantisableLayer, _ coding: WeightCoding
  ) throws(EngineError) -> QuantisedWeight {
    let key = WeightKey(name: layer.weight, coding: coding)
    if let known = weights[key] { return known }
    do throws(FormatError) {
      let weight = try QuantisedWeight(layer.tensor, coding)
      weights[key] = weight
      return weight
    } catch {
      throw EngineError(.invalidInput, "the weights \"\(layer.weight)\": \(error.message)")
    }
  }
}

extension LayerQuantisation {
  static func kept(_ layer: QuantisableLayer, _ reason: String) -> LayerQuantisation {
    let type = layer.tensor.elementType
    return LayerQuantisation(
      name: layer.name, operatorType: layer.operatorType, scheme: type.name, bits: Double(type.bitWidth ?? 0),
      reason: reason)
  }

  static func quantised(_ layer: QuantisableLayer, _ weight: QuantisedWeight, _ scheme: String) -> LayerQuantisation {
    LayerQuantisation(
      name: layer.name, operatorType: layer.operatorType, scheme: scheme, bits: weight.bitsPerElement,
      weights: weight.error, scales: weight.scaleRange)
  }
}

extension QuantisationSettings {
  /// The model at an operator set that has the operators needed, in the format's version that belongs to it.
  func prepared(_ model: Model) throws(FormatError) -> Model {
    let needed =
      switch scheme {
      case .float16, .bfloat16: 13
      case .dynamic: 11
      case .weightOnly: weightType.bitWidth == 4 || effectiveBlockSize != nil ? 21 : 13
      case .calibrated: weightType.bitWidth == 4 || activationType.bitWidth == 16 ? 21 : 13
      }
    var result = model
    if let current = model.operatorSetVersion(), current < needed {
      result = try model.moved(toOperatorSet: max(needed, 13)).model
    }
    if result.irVersion < 4 {
      let constants = Set(result.graph.initializers.map(\.name))
      result.graph.inputs.removeAll { constants.contains($0.name) }
    }
    result.irVersion = max(result.irVersion, needed >= 21 ? 10 : 7)
    return result
  }

  /// Why a layer cannot be quantised in this way; `nil` when it can.
  func refusal(of layer: QuantisableLayer) -> String? {
    let type = layer.tensor.elementType
    if isHalf { return type == .float32 || type == .float64 ? nil : "its weights have 16 bits" }
    if type == .float64 { return "float64 has no quantised form" }
    if roundsActivations, type != .float32 { return "activations of \(type.name) are not rounded" }
    if layer.isShared, layer.axes.outputs != layer.tensor.shape.count - 1, layer.kind == .table, roundsActivations {
      return "its table is also used elsewhere"
    }
    return nil
  }

  /// How the weights of a layer are rounded.
  func coding(of layer: QuantisableLayer) -> WeightCoding {
    let (outputs, inputs) = layer.axes
    let grouping: ScaleGrouping =
      if let size = blockSize(of: layer) { .blocks(axis: inputs, size: size) } else {
        isPerChannel ? .axis(outputs) : .tensor
      }
    var coding = WeightCoding(weightType, isSymmetric: hasSymmetricWeights, grouping: grouping)
    coding.reducesRange = reducesRange
    return coding
  }

  /// The scheme of a layer's weights in words.
  func description(of layer: QuantisableLayer) -> String {
    if let size = blockSize(of: layer) { return "\(weightType.name) blocks of \(size)" }
    return "\(weightType.name) per \(isPerChannel ? "channel" : "tensor")"
  }

  /// The blocks that a layer's weights are cut into; `nil` when there are none.
  func blockSize(of layer: QuantisableLayer) -> Int? {
    guard scheme == .weightOnly else { return nil }
    let whole = Self.wholeBlock(inputs: layer.tensor.shape[layer.axes.inputs])
    // MatMulNBits has blocks always.
    let fallback = form == .qoperator && layer.isIntegerProduct ? whole : nil
    return effectiveBlockSize.map { min($0, whole) } ?? fallback
  }
}
