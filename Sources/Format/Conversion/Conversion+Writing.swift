import OrderedCollections

extension Conversion {
  /// Converts a file and writes the result, whole or not at all, in the format that the target's ending names. Weights go
  /// from file to file in pieces.
  ///
  /// - Throws: `FormatError` that names the layer, node or weight which the target cannot hold.
  public func convert(_ file: ModelFile, to path: String) throws(FormatError) -> ConversionReport {
    let target = try ConversionTarget(path: path)
    var report = ConversionReport(
      source: file.path, sourceFormat: file.formatName, target: path, targetFormat: target.name)
    let result = try converted(file, for: path)
    report.notes = result.notes
    switch (result.file.content, target) {
    case (.onnx(let model), _):
      report.operatorSetVersion = model.operatorSetVersion()
      try ONNXFile.write(model, to: path, data: writesExternalData ? .beside : .automatic)
    case (.keras(let keras), .safetensors):
      try SafetensorsFile.write(SafetensorsFile.Content(tensors: try keras.tensorsByPath), to: path)
    case (.keras(let keras), .npz):
      try NpzFile.write(try keras.tensorsByPath.map { (name: $0.key, tensor: $0.value) }, to: path)
    case (.keras(let keras), .keras(let layout)): try KerasWriter.write(keras, to: path, layout: layout)
    case (.keras, .onnx): break
    }
    return report
  }

  /// What is to be written to a path, in its format's own terms.
  ///
  /// Keras models are laid out for another generation of Keras, where the layout needs it, when they are written.
  /// - Throws: `FormatError` that names the layer, node or weight which the target cannot hold.
  public func converted(
    _ file: ModelFile, for path: String
  ) throws(FormatError) -> (file: ModelFile, notes: [ConversionNote]) {
    let target = try ConversionTarget(path: path)
    if target == .onnx, kerasGeneration != nil {
      throw FormatError(.unsupported, "an ONNX file is for no generation of Keras", file: path)
    }
    if target != .onnx, operatorSetVersion != nil || writesExternalData {
      throw FormatError(.unsupported, "operator sets and external data belong to ONNX files", file: path)
    }
    func result(_ content: ModelFile.Content, _ notes: [ConversionNote]) -> (ModelFile, [ConversionNote]) {
      (ModelFile(path: path, content: content), notes)
    }
    if case .onnx(let model) = file.content {
      do throws(FormatError) { try ModelValidator.throwIfTangled(model) } catch { throw error.inFile(file.path) }
    }
    switch (file.content, target) {
    case (.keras(let keras), .onnx):
      let (model, notes) = try onnx(from: keras)
      return result(.onnx(model), notes)
    case (.onnx(let model), .onnx):
      let (moved, notes) = try onnx(from: model, path: file.path)
      return result(.onnx(moved), notes)
    case (.keras(let keras), .keras(let layout)):
      try keras.checkForWeights()
      let migrated = try migrated(keras, to: layout, path: path)
      return result(.keras(migrated.model), migrated.notes + Self.losses(of: keras, in: layout))
    case (.onnx(let model), .keras(let layout)):
      let (keras, notes) = try keras(from: model, layout: layout, path: file.path)
      let migrated = try migrated(keras, to: layout, path: path)
      return result(.keras(migrated.model), notes + migrated.notes)
    case (.keras(let keras), .safetensors), (.keras(let keras), .npz):
      let tensors = try WeightExchange.tensors(of: keras)
      let content = KerasModel(tensors: tensors.elements, path: path, layout: target.weightLayout)
      return result(.keras(content), Self.bare + Self.losses(of: keras, in: target.weightLayout))
    case (.onnx(let model), .safetensors), (.onnx(let model), .npz):
      let tensors = OrderedDictionary(model.graph.initializers.map { ($0.name, $0.tensor) }) { first, _ in first }
      return result(.keras(KerasModel(tensors: tensors.elements, path: path, layout: target.weightLayout)), Self.bare)
    }
  }

  /// What a layout has no place for, or what Keras does not read from it.
  private static func losses(of model: KerasModel, in layout: KerasModel.Layout) -> [ConversionNote] {
    var notes: [ConversionNote] = []
    let count = model.weights.count(where: \.isOfMetric)
    if count > 0, ![.archive, .weights].contains(layout) {
      notes.append(ConversionNote(.dropped, "metrics", "the layout has no place for their \(count) variables"))
    }
    if layout == .legacyModel, model.layout != .legacyModel, model.root?.all.contains(where: \.isOperation) == true {
      notes.append(
        ConversionNote(
          .changed, "operations", "Keras writes operations between layers into .h5, but does not load them"))
    }
    return notes
  }

  /// The model for the generation of Keras that is asked for.
  private func migrated(_ model: KerasModel, to layout: KerasModel.Layout, path: String) throws(FormatError) -> (
    model: KerasModel, notes: [ConversionNote]
  ) {
    let becomesArchive = layout == .archive && model.preserved?.layout != .archive
    if kerasGeneration.map({ $0 == 3 }) ?? becomesArchive, model.callsTensorFlowFunctions {
      return try model.withOperations(layout: layout)
    }
    switch kerasGeneration {
    case nil where becomesArchive && model.generation < 3:
      return (try ConfigurationMigration.toKeras3(model), [Self.broughtUpToDate])
    case nil: return (model, [])
    case 2:
      guard layout == .legacyModel else {
        throw FormatError(
          .unsupported, "files for Keras 2 are written as HDF5", file: path, advice: "Use .h5 with --keras 2")
      }
      return try Keras2Migration.toKeras2(model)
    case 3: return (try ConfigurationMigration.toKeras3(model), model.generation < 3 ? [Self.broughtUpToDate] : [])
    default:
      throw FormatError(.unsupported, "Keras \(kerasGeneration ?? 0) is not written", advice: "Choose --keras 2 or 3")
    }
  }

  private static let broughtUpToDate = ConversionNote(.changed, "configuration", "it is written as Keras 3 has it")
  private static let bare = [ConversionNote(.dropped, "layers", "the file holds weights alone")]

  /// An ONNX model at the operator set that is asked for.
  private func onnx(from model: Model, path: String) throws(FormatError) -> (Model, [ConversionNote]) {
    guard let operatorSetVersion else { return (model, []) }
    do throws(FormatError) {
      var (moved, notes) = try model.moved(toOperatorSet: operatorSetVersion)
      try KerasSidecar.renew(in: &moved, madeOf: model, path: path)
      return (moved, notes)
    } catch {
      throw error.inFile(path)
    }
  }
}

extension ConversionTarget {
  /// How a file of weights by name is described.
  fileprivate var weightLayout: KerasModel.Layout { self == .npz ? .arrays : .safetensors }
}

extension KerasModel {
  /// The weights of a file of tensors by name.
  fileprivate var tensorsByPath: OrderedDictionary<String, Tensor> {
    get throws(FormatError) {
      var tensors: OrderedDictionary<String, Tensor> = [:]
      for weight in weights { tensors[weight.path] = try weight.tensor() }
      return tensors
    }
  }
}

extension ModelFile {
  /// The format as reports name it.
  public var formatName: String {
    switch content {
    case .keras(let model): model.layout.rawValue
    case .onnx: "ONNX"
    }
  }
}
