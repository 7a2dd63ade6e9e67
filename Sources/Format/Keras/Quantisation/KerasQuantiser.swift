import OrderedCollections

/// Rounds the weights of Keras layers to the int8 and int4 of Keras 3, in the layouts that Keras itself writes.
package struct KerasQuantiser {
  /// What Keras's `quantize` is asked for.
  package enum Mode: Sendable, Hashable {
    /// 8 bits and a scale for each output; inputs rounded row by row when the network runs, or left as they are.
    case int8(roundsInputs: Bool)
    /// 4 bits, a scale and a zero for each block of rows of each output, or a scale for each output; inputs as they are.
    case int4(blockSize: Int?)

    var bits: Int { if case .int8 = self { 8 } else { 4 } }
    var blockSize: Int? { if case .int4(let size) = self { size } else { nil } }

    /// The scheme of weights in words.
    var text: String {
      switch self {
      case .int8: "int8 per channel"
      case .int4(nil): "int4 per channel"
      case .int4(let size?): "int4 blocks of \(size)"
      }
    }
  }

  /// What became of a layer that has weights to be rounded.
  package struct Row: Sendable {
    /// The layer's name, behind those of the models around it.
    package var name: String
    package var className: String
    /// What the weights have become, in words.
    package var scheme: String
    /// Bits that a weight takes with its share of the scales.
    package var bits: Double
    package var error: ErrorSums?
    package var scales: ClosedRange<Float>?
    /// Why the layer stays as it was.
    package var reason: String?
  }

  private let mode: Mode
  /// Why a layer of a name is to stay as it is.
  private let reason: (String) -> String?
  private var rows: [Row] = []

  /// Rounds the layers of a model; their configurations say so, and training state that belongs to float weights goes.
  ///
  /// - Parameter reason: why the layer of a name is to stay as it is; `nil` to round it.
  /// - Throws: `FormatError` of kind `unsupported` when there is nothing to round, `mismatch` when weights are NaN or infinite.
  package static func quantised(
    _ model: KerasModel, _ mode: Mode, keeping reason: @escaping (String) -> String?
  ) throws(FormatError) -> (model: KerasModel, rows: [Row]) {
    var result = try ConfigurationMigration.toKeras3(model)
    guard let configuration = result.configuration, let root = result.root else {
      throw FormatError(
        .missing, "the file holds weights without layers", file: model.path,
        advice: "Name a file that describes the layers with --architecture")
    }
    var quantiser = KerasQuantiser(mode: mode, reason: reason)
    let (layer, json) = try quantiser.quantised(root, configuration, name: "")
    let rows = quantiser.rows
    guard !rows.isEmpty else {
      throw FormatError(
        .unsupported, "no Dense, EinsumDense or Embedding layer has weights to quantise", file: model.path)
    }
    result.root = layer
    result.configuration = json
    result.optimizer = nil
    result.preserved = nil
    result.onnxSidecar = nil
    result.weightTree = nil
    result.weightGroups = layer.all.filter { !$0.weights.isEmpty }.map {
      KerasWeightGroup(name: $0.name, path: $0.name, weights: Array($0.weights.values))
    }
    return (result, rows)
  }

  private init(mode: Mode, reason: @escaping (String) -> String?) {
    self.mode = mode
    self.reason = reason
  }

  /// A layer or model with its configuration, rounded.
  private mutating func quantised(
    _ layer: KerasLayer, _ json: JSONValue, name: String
  ) throws(FormatError) -> (KerasLayer, JSONValue) {
    guard let configuration = json["config"] else { return (layer, json) }
    if let entries = configuration["layers"]?.array, entries.count == layer.sublayers.count {
      var (result, layers) = (layer, entries)
      for index in entries.indices {
        let sublayer = layer.sublayers[index]
        let path = name.isEmpty ? sublayer.name : "\(name)/\(sublayer.name)"
        (result.sublayers[index], layers[index]) = try quantised(sublayer, entries[index], name: path)
      }
      let changed = configuration.setting("layers", to: .array(layers))
      result.configuration.json = changed
      return (result, json.setting("config", to: changed))
    }
    for inner in layer.all.dropFirst() where KerasLayerCoding.classNames.contains(inner.className) {
      keep(inner, "\(name)/\(inner.name)", "it is inside of a \(layer.className) layer")
    }
    guard KerasLayerCoding.classNames.contains(layer.className), !layer.isOperation else { return (layer, json) }
    if let stays = KerasLayerCoding.refusal(of: layer, mode) ?? reason(name) {
      keep(layer, name, stays)
      return (layer, json)
    }
    return try round(layer, json, configuration, name)
  }

  private mutating func keep(_ layer: KerasLayer, _ name: String, _ reason: String) {
    let policy = layer.configuration.policy
    rows.append(
      Row(
        name: name, className: layer.className, scheme: policy.quantizationMode ?? policy.variable.name,
        bits: layer.precision?.bits ?? Double(policy.variable.bitWidth ?? 0), reason: reason))
  }

  private mutating func round(
    _ layer: KerasLayer, _ json: JSONValue, _ configuration: JSONValue, _ name: String
  ) throws(FormatError) -> (KerasLayer, JSONValue) {
    var result = layer
    let coding: KerasLayerCoding
    do throws(FormatError) {
      coding = try KerasLayerCoding(layer, mode)
    } catch {
      throw FormatError(error.kind, error.message, at: "layer \"\(name)\" (\(layer.className))")
    }
    let policy: JSONValue = [
      "module": "keras.dtype_policies",
      "class_name": mode.bits == 8 ? "QuantizedDTypePolicy" : "Int4DTypePolicy",
      "config": ["mode": .string(modeText), "source_name": .string(layer.configuration.policy.name)],
      "registered_name": .null,
    ]
    result.configuration.json = configuration.setting("dtype", to: policy).setting("quantization_config", to: settings)
    let mode = QuantizationMode(result.configuration)
    let rules = mode?.variables(matrix: coding.matrixName, usesBias: layer.weights["bias"] != nil) ?? []
    let place = layer.weights[coding.matrixName]?.path ?? name
    var weights: OrderedDictionary<String, KerasWeight> = [:]
    for rule in rules {
      if let tensor = coding.variables[rule.name] {
        let path = rule.name == coding.matrixName ? place : "\(place)/\(rule.name)"
        weights[rule.name] = KerasWeight(name: rule.name, path: path, value: .success(tensor))
      } else {
        weights[rule.name] = layer.weights[rule.name]
      }
    }
    result.weights = weights
    rows.append(
      Row(
        name: name, className: layer.className, scheme: self.mode.text, bits: coding.bits, error: coding.error,
        scales: coding.scales))
    return (result, json.setting("config", to: result.configuration.json))
  }

  private var modeText: String {
    switch mode {
    case .int8: "int8"
    case .int4(let size): "int4/\(size ?? -1)"
    }
  }

  /// The object that Keras writes of a quantisation.
  private var settings: JSONValue {
    let quantizer: JSONValue = [
      "module": "keras.quantizers", "class_name": "AbsMaxQuantizer",
      "config": ["value_range": [-127, 127], "epsilon": .double(1e-7), "output_dtype": "int8"],
      "registered_name": .null,
    ]
    var members: OrderedDictionary<String, JSONValue> = ["weight_quantizer": .null]
    switch mode {
    case .int8(let roundsInputs): members["activation_quantizer"] = roundsInputs ? quantizer : .null
    case .int4(let size):
      members["activation_quantizer"] = .null
      members["block_size"] = size.map { .int($0) } ?? .null
    }
    return [
      "module": "keras.quantizers",
      "class_name": mode.bits == 8 ? "Int8QuantizationConfig" : "Int4QuantizationConfig",
      "config": .object(members), "registered_name": .null,
    ]
  }
}
