/// Lays a model out as a `.keras` archive: `metadata.json`, `config.json`, `model.weights.h5`, all stored, no dates.
struct ArchiveLayout {
  private let model: KerasModel

  init(_ model: KerasModel) { self.model = model }

  func write(to path: String) throws(FormatError) {
    let isKept = model.preserved?.layout == .archive && model.isArchitectureUnchanged
    var model = model
    if !isKept { model = try ConfigurationMigration.toKeras3(model) }
    guard var configuration = model.configuration else {
      throw FormatError(
        .missing, "the file holds weights without layers, and an archive needs both", file: model.path,
        advice: "Name a file that describes the layers with --architecture")
    }
    if let training = model.trainingConfiguration {
      configuration = configuration.setting("compile_config", to: TrainingConfiguration.archiveForm(training))
    } else if model.preserved?.trainingConfiguration != nil {
      configuration = configuration.setting("compile_config", to: nil)
    }
    let tree = try TreeLayout(model).tree(for: .archive)
    let metadata = model.metadata ?? ["keras_version": .string(model.kerasVersion ?? KerasWriter.version)]
    let final = configuration
    let members = isKept ? model.preserved?.members ?? [] : []
    let carried = try model.onnxSidecar?.bytes(beside: path)
    // The weights are laid out in a file of their own first, which goes with the writer.
    let weights = try AtomicWriter(scratchBeside: path)
    do throws(FormatError) { try HDF5Writer.write(tree, into: weights) } catch { throw error.inFile(path) }
    let weightsFile = try MappedFile(path: weights.temporaryPath)
    try ZipWriter.write(to: path) { (archive) throws(FormatError) in
      try archive.add("metadata.json", Array(metadata.text().utf8))
      try archive.add("config.json", Array(final.text().utf8))
      try archive.add("model.weights.h5", ByteRegion(weightsFile))
      if let carried { try archive.add(ONNXSidecar.member, try carried.region(named: ONNXSidecar.member)) }
      for member in members { try archive.add(member.name, member.region) }
    }
  }
}

extension JSONValue {
  /// An object with one member changed, added at the end, or without it; any other value stays what it is.
  func setting(_ key: String, to value: JSONValue?) -> JSONValue {
    guard var members = object else { return self }
    members[key] = value
    return .object(members)
  }
}
