import NNEngine
import NNFormat

/// The layers of a Keras model, as something whose network can be quantised.
struct KerasNetworkQuantiser: NetworkQuantiser {
  let keras: KerasModel
  let model: Model
  let probes: [String]
  private let mode: KerasQuantiser.Mode
  private let names: [String]
  private let selection: LayerSelection
  private var latest: (kept: [Int: String], model: KerasModel, rows: [LayerQuantisation])?

  init(_ keras: KerasModel, _ settings: QuantisationSettings) throws {
    self.keras = keras
    model = try ModelFile(path: keras.path, content: .keras(keras)).model()
    mode = try settings.kerasMode
    // Layers that all stay are listed without being rounded; those that cannot be rounded say why.
    let rows = try KerasQuantiser.quantised(keras, mode) { _ in LayerSelection.reason }.rows
    names = rows.map(\.name)
    let all = keras.root?.all.map(\.name) ?? []
    let selection = try LayerSelection(settings.exclusions, names: names + all)
    self.selection = selection
    if !rows.contains(where: { $0.reason == LayerSelection.reason && !selection.excludes($0.name) }) {
      throw FormatError(.unsupported, LayerSelection.nothingLeft(rows.compactMap(\.reason)), file: keras.path)
    }
    // The last value of a layer has its name, whatever the operators.
    let values = Set(model.graph.nodes.flatMap(\.outputs))
    probes = names.map { name in values.contains(name) ? name : "" }
  }

  /// The quantised layers themselves.
  mutating func quantised(keeping kept: [Int: String]) throws(FormatError) -> (KerasModel, [LayerQuantisation]) {
    if let latest, latest.kept == kept { return (latest.model, latest.rows) }
    let (names, selection) = (names, selection)
    let (model, rows) = try KerasQuantiser.quantised(keras, mode) { name in
      if selection.excludes(name) { return LayerSelection.reason }
      return names.firstIndex(of: name).flatMap { kept[$0] }
    }
    let layers = rows.map(LayerQuantisation.init)
    latest = (kept, model, layers)
    return (model, layers)
  }

  mutating func quantised(
    ranges: [String: ClosedRange<Float>], keeping kept: [Int: String]
  ) throws(EngineError) -> (model: Model, layers: [LayerQuantisation]) {
    do throws(FormatError) {
      let (keras, rows) = try quantised(keeping: kept)
      return (try ModelFile(path: keras.path, content: .keras(keras)).model(), rows)
    } catch {
      throw EngineError(error.kind == .unsupported ? .unsupported : .invalidInput, "\(error)".trimmingStop)
    }
  }
}

extension LayerQuantisation {
  fileprivate init(_ row: KerasQuantiser.Row) {
    self.init(
      name: row.name, operatorType: row.className, scheme: row.scheme, bits: row.bits, reason: row.reason,
      weights: row.error, scales: row.scales)
  }
}

extension QuantisationSettings {
  /// What Keras's layouts have for these settings.
  ///
  /// - Throws: `FormatError` of kind `unsupported` that names the setting without a counterpart.
  fileprivate var kerasMode: KerasQuantiser.Mode {
    get throws(FormatError) {
      func refusal(_ message: String) -> FormatError {
        FormatError(.unsupported, message, advice: "Write an .onnx file")
      }
      guard scheme == .dynamic || scheme == .weightOnly else {
        throw refusal("Keras has no layout for the scheme \(scheme.rawValue)")
      }
      guard form == .qdq else { throw refusal("--format \(form.rawValue) is a form of ONNX files") }
      guard isPerChannel else { throw refusal("Keras's layouts have a scale for each output of a layer") }
      guard !reducesRange else { throw refusal("Keras's layouts have no reduced range") }
      switch weightType {
      case .int8:
        guard isSymmetric != false else { throw refusal("Keras's int8 has no zero points") }
        guard effectiveBlockSize == nil else { throw refusal("Keras's int8 has no blocks") }
        return .int8(roundsInputs: scheme == .dynamic)
      case .int4:
        let size = effectiveBlockSize
        guard isSymmetric == nil || isSymmetric == (size == nil) else {
          throw refusal("Keras's int4 has zero points of its own in blocks, and none without")
        }
        return .int4(blockSize: size)
      default: throw refusal("Keras has no layout for \(weightType.name)")
      }
    }
  }
}
