/// Reads a Keras file of any layout into a `KerasModel`.
package struct KerasReader {
  let limits: ReadLimits

  package init(limits: ReadLimits = ReadLimits()) { self.limits = limits }

  /// Reads an HDF5 file, told apart by what its root holds.
  func hdf5(_ region: ByteRegion, path: String) throws(FormatError) -> KerasModel {
    let root = try HDF5Index(region, limits: limits).root
    var model: KerasModel
    if root.attributes["model_config"] != nil || root.group("model_weights") != nil {
      model = try LegacyReader(limits: limits).wholeModel(root, path: path)
    } else if LegacyReader.holdsLayerNames(root) {
      model = LegacyReader(limits: limits).weightsOnly(root, path: path)
    } else if WeightTree.isPlausible(root) {
      model = KerasModel(path: path, layout: .weights)
      adoptTree(WeightTree(root, limits: limits), into: &model)
    } else {
      throw Self.notKeras(root, path: path)
    }
    model.preserved = PreservedContent(root: root)
    noteTrailingBytes(of: region, in: &model)
    try finish(&model)
    return model
  }

  /// Reads the JSON of a model's configuration, which has no weights.
  package func configuration(_ json: JSONValue, path: String) throws(FormatError) -> KerasModel {
    var model = KerasModel(path: path, layout: .configuration)
    // A file of `to_json` names its version; an archive's configuration does not.
    model.kerasVersion = json["keras_version"]?.string
    model.backend = json["backend"]?.string
    model.configuration = json
    model.trainingConfiguration = json["compile_config"].flatMap { $0.isNull ? nil : $0 }
    try finish(&model)
    return model
  }

  /// Parses the configuration, binds the weights to the layers and notes what the user should know.
  package func finish(_ model: inout KerasModel) throws(FormatError) {
    if let configuration = model.configuration {
      let parser = KerasConfigurationParser(generation: model.generation, limits: limits)
      do throws(FormatError) {
        model.root = try parser.model(configuration)
      } catch {
        throw error.inFile(model.path)
      }
    }
    try model.bindWeights()
    model.noteFindings()
    if let root = model.preserved?.root {
      model.findings += root.linkFindings(except: Set(model.findings.map(\.place)))
    }
    var preserved = model.preserved ?? PreservedContent(root: nil)
    preserved.note(model)
    model.preserved = preserved
  }

  /// Takes over the groups, and the optimizer's state, of a `.weights.h5` tree.
  package func adoptTree(_ tree: WeightTree, into model: inout KerasModel) {
    model.weightGroups = tree.groups(excluding: "optimizer")
    if let optimizer = tree.children["optimizer"] {
      let variables = optimizer.groups().flatMap(\.weights)
      if !variables.isEmpty {
        model.optimizer = KerasOptimizerState(name: optimizer.layerName ?? "optimizer", variables: variables)
      }
    }
    model.weightTree = tree
  }

  /// Notes what follows the end that an HDF5 file states.
  func noteTrailingBytes(of region: ByteRegion, in model: inout KerasModel) {
    let count = HDF5Superblock.trailingByteCount(of: region)
    if count > 0 { model.findings.append(.trailingBytes(count, at: region.name)) }
  }

  private static func notKeras(_ root: HDF5Group, path: String) -> FormatError {
    let names = root.children.keys.prefix(4).map { "\"\($0)\"" }.joined(separator: ", ")
    let isEmpty = root.children.isEmpty && root.attributes.isEmpty
    let content = isEmpty ? "nothing" : "no layers" + (names.isEmpty ? "" : ", but \(names)")
    return FormatError(
      .unrecognized, "is an HDF5 file that holds \(content): not a Keras model", file: path, at: "/",
      advice: isEmpty ? "The program that wrote it may have been stopped; save the model again" : nil)
  }
}
