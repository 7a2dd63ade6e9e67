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
    switch (file.content, target) {
    case (.keras(let keras), .onnx):
      let result = try onnx(from: keras)
      try write(result.model, to: path, into: &report)
      report.notes = result.notes
    case (.onnx(let model), .onnx):
      if let operatorSetVersion, model.operatorSetVersion() != operatorSetVersion {
        throw FormatError(
          .unsupported,
          "uses operator set \(model.operatorSetVersion() ?? 0), and ONNX models are not moved to another",
          file: file.path, advice: "Leave --opset away, or convert from the Keras file")
      }
      try write(model, to: path, into: &report)
    case (.keras(let keras), .keras(let layout)):
      try refuseOperatorSet(path)
      let migrated = try migrated(keras, to: layout, path: path)
      try KerasWriter.write(migrated.model, to: path, layout: layout)
      report.notes = migrated.notes
    case (.onnx(let model), .keras(let layout)):
      try refuseOperatorSet(path)
      let result = try keras(from: model, layout: layout, path: file.path)
      let migrated = try migrated(result.model, to: layout, path: path)
      try KerasWriter.write(migrated.model, to: path, layout: layout)
      report.notes = result.notes + migrated.notes
    case (_, .safetensors), (_, .npz):
      try refuseOperatorSet(path)
      let tensors: OrderedDictionary<String, Tensor>
      switch file.content {
      case .keras(let keras): tensors = try WeightExchange.tensors(of: keras)
      case .onnx(let model):
        tensors = OrderedDictionary(
          model.graph.initializers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
      }
      if target == .safetensors {
        try SafetensorsFile.write(SafetensorsFile.Content(tensors: tensors), to: path)
      } else {
        try NpzFile.write(tensors.map { (name: $0.key, tensor: $0.value) }, to: path)
      }
      report.notes = [ConversionNote(.dropped, "layers", "the file holds weights alone")]
    }
    return report
  }

  private func write(_ model: Model, to path: String, into report: inout ConversionReport) throws(FormatError) {
    report.operatorSetVersion = model.operatorSetVersion()
    try ONNXFile.write(model, to: path, data: writesExternalData ? .beside : .automatic)
  }

  /// The model for the generation of Keras that is asked for.
  private func migrated(_ model: KerasModel, to layout: KerasModel.Layout, path: String) throws(FormatError) -> (
    model: KerasModel, notes: [ConversionNote]
  ) {
    switch kerasGeneration {
    case nil: return (model, [])
    case 2:
      guard layout == .legacyModel else {
        throw FormatError(
          .unsupported, "files for Keras 2 are written as HDF5", file: path, advice: "Use .h5 with --keras 2")
      }
      return try Keras2Migration.toKeras2(model)
    case 3: return (try ConfigurationMigration.toKeras3(model), [])
    default:
      throw FormatError(.unsupported, "Keras \(kerasGeneration ?? 0) is not written", advice: "Choose --keras 2 or 3")
    }
  }

  private func refuseOperatorSet(_ path: String) throws(FormatError) {
    if operatorSetVersion != nil || writesExternalData {
      throw FormatError(.unsupported, "operator sets and external data belong to ONNX files", file: path)
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
