/// Writes Keras files of every layout.
///
/// A model in the layout and with the layers it was read with keeps all that its file holds, understood or not; a
/// model that changed, or goes into another layout, is laid out as Keras itself would. Elements are written from where
/// they are, never gathered in memory. The same model gives the same bytes.
public enum KerasWriter {
  /// The version that files of new models name.
  static let version = "3.15.1"

  /// Writes a model in the place of the file at `path`.
  ///
  /// - Parameter layout: the layout; `nil` takes it from the file's extension.
  /// - Throws: `FormatError`: of kind `unsupported` when the layout cannot hold the model. The old file stays then.
  public static func write(
    _ model: KerasModel, to path: String, layout: KerasModel.Layout? = nil
  ) throws(FormatError) {
    var chosen = layout
    if chosen == nil { chosen = try Self.layout(of: path) }
    switch chosen ?? .archive {
    case .legacyModel:
      var tree = try LegacyLayout(model).wholeModel()
      if let carried = try model.onnxSidecar?.bytes(beside: path) {
        tree.children[ONNXSidecar.dataset] = .dataset(HDF5DatasetContent(tensor: carried))
      }
      try HDF5Writer.write(tree, to: path)
    case .legacyWeights: try HDF5Writer.write(try LegacyLayout(model).weightsOnly(), to: path)
    case .weights: try HDF5Writer.write(try TreeLayout(model).tree(for: .weights), to: path)
    case .archive: try ArchiveLayout(model).write(to: path)
    case .configuration: try writeConfiguration(of: model, to: path)
    case .safetensors: try SafetensorsFile.write(.init(tensors: try WeightExchange.tensors(of: model)), to: path)
    case .arrays: try NpzFile.write(try WeightExchange.tensors(of: model).map { ($0.key, $0.value) }, to: path)
    case .shardedWeights, .folder:
      throw FormatError(
        .unsupported, "weights in several files are read, not written", file: path, advice: "Write a .keras file")
    }
  }

  /// The layout that a file of this name is to have.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for an extension that is not Keras's.
  public static func layout(of path: String) throws(FormatError) -> KerasModel.Layout {
    let name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
    if name.hasSuffix(".weights.h5") { return .weights }
    if name.hasSuffix(".weights.json") { return .shardedWeights }
    if name.hasSuffix(".keras") { return .archive }
    if [".h5", ".hdf5", ".hd5"].contains(where: name.hasSuffix) { return .legacyModel }
    if name.hasSuffix(".json") { return .configuration }
    throw FormatError(
      .unsupported, "the extension is not one of Keras's", file: path,
      advice: "Use .keras, .h5, .weights.h5 or .json")
  }

  private static func writeConfiguration(of model: KerasModel, to path: String) throws(FormatError) {
    guard let configuration = model.configuration else {
      throw FormatError(.missing, "the model has no configuration to write", file: model.path)
    }
    let file = try AtomicWriter(replacing: path)
    try file.write(Array(configuration.text().utf8))
    try file.commit()
  }
}
