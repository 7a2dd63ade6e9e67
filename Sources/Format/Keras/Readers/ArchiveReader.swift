/// Reads `.keras` archives, their unpacked form, and sharded weights.
struct ArchiveReader {
  let limits: ReadLimits
  private var reader: KerasReader { KerasReader(limits: limits) }

  init(limits: ReadLimits) { self.limits = limits }

  /// A zip archive with `config.json` and the weights in HDF5 or NumPy's format.
  func archive(_ zip: ZipArchive) throws(FormatError) -> KerasModel {
    guard zip.members["config.json"] != nil || zip.members["metadata.json"] != nil else {
      let names = zip.members.keys.prefix(4).map { "\"\($0)\"" }.joined(separator: ", ")
      throw FormatError(
        .unrecognized,
        "is a zip archive without config.json (it holds \(names.isEmpty ? "nothing" : names)): not a Keras model",
        file: zip.path)
    }
    var model = KerasModel(path: zip.path, layout: .archive)
    model.findings += zip.findings
    model.archive = zip
    let known = ["metadata.json", "config.json", "model.weights.h5", "model.weights.npz"]
    for member in zip.members.values { note(member, isExpected: known.contains(member.name), of: zip, in: &model) }
    try fill(&model, has: { zip.members[$0] != nil }, read: { (name) throws(FormatError) in try zip.region(name) })
    for (name, member) in zip.members
    where !known.contains(name) && name != ONNXSidecar.member && !name.hasSuffix("/") && !member.leadsOutside
      && !member.isLink
    {
      do throws(FormatError) {
        model.preserved?.members.append(.init(name: name, region: try zip.region(name)))
      } catch {
        model.findings.append(
          Finding(.warning, "unreadable-member", "\(error.message); it is not carried over", at: name))
      }
    }
    return model
  }

  /// Says what is unusual about a member by its name, kind and first bytes.
  private func note(_ member: ZipArchive.Member, isExpected: Bool, of zip: ZipArchive, in model: inout KerasModel) {
    func add(_ severity: Finding.Severity, _ code: String, _ message: String) {
      model.findings.append(Finding(severity, code, message, at: member.name))
    }
    if member.leadsOutside {
      add(.error, "unsafe-member", "its name leads out of the folder that the archive is unpacked into")
    } else if member.isLink {
      add(.error, "linked-member", "it is a symbolic link or a device")
    } else if !isExpected, let start = try? zip.region(member.name).prefix(2), FileKind.isPickle(start) {
      add(.error, "pickled-member", "it is a Python pickle, which can run code when it is loaded and is never opened")
    } else if !isExpected, !member.name.hasPrefix("assets/"), member.name != ONNXSidecar.member {
      add(.note, "extra-member", "the archive has an unexpected member")
    }
  }

  /// A folder with the members of an archive.
  func folder(_ path: String) throws(FormatError) -> KerasModel {
    guard FileSystem.exists("\(path)/config.json") else {
      throw FormatError(.unrecognized, "is a folder without config.json: not an unpacked Keras archive", file: path)
    }
    var model = KerasModel(path: path, layout: .folder)
    try fill(&model, has: { FileSystem.exists("\(path)/\($0)") }) { (name) throws(FormatError) in
      try file(name, of: path)
    }
    return model
  }

  /// A file of a model that lies in several, mapped.
  ///
  /// - Throws: `FormatError` of kind `refused` when it is a link that leads out of the folder.
  private func file(_ name: String, of folder: String) throws(FormatError) -> ByteRegion {
    let path = "\(folder)/\(name)"
    do throws(FormatError) {
      return ByteRegion(try MappedFile(adopting: FileSystem.openFile(name, beneath: folder), path: path))
    } catch  where error.kind == .refused {
      throw FormatError(
        .refused, "is a link out of the folder of the model", file: path,
        advice: "Only if you trust the model: put a copy of that file into its place")
    } catch  where error.kind == .missing {
      throw FormatError(.missing, "cannot be found", file: path)
    }
  }

  /// The files that a `.weights.json` index lists, from its own folder.
  func shards(_ json: JSONValue, path: String) throws(FormatError) -> KerasModel {
    var model = KerasModel(path: path, layout: .shardedWeights)
    var tree = WeightTree(path: "/")
    var names: [String] = []
    for value in (json["weight_map"]?.object ?? [:]).values {
      for name in value.strings ?? value.string.map({ [$0] }) ?? [] where !names.contains(name) { names.append(name) }
    }
    guard !names.isEmpty else { throw FormatError(.malformed, "weight_map names no file", file: path) }
    for name in names.sorted() {
      guard Path.isPlainName(name) else {
        throw FormatError(.refused, "the shard \"\(name)\" is outside of the folder of its index", file: path)
      }
      let region = try file(name, of: Path.folder(of: path))
      tree.merge(try HDF5Index(region, limits: limits).root, limits: limits)
    }
    reader.adoptTree(tree, into: &model)
    try reader.finish(&model)
    return model
  }

  private func fill(
    _ model: inout KerasModel, has: (String) -> Bool, read: (String) throws(FormatError) -> ByteRegion
  ) throws(FormatError) {
    guard has("config.json") else {
      throw FormatError(.missing, "the archive has no config.json", file: model.path)
    }
    model.configuration = try json(read("config.json"), "config.json", noting: &model.findings)
    if has("metadata.json") {
      model.metadata = try json(read("metadata.json"), "metadata.json", noting: &model.findings)
    }
    model.kerasVersion = model.metadata?["keras_version"]?.string
    model.trainingConfiguration = model.configuration?["compile_config"].flatMap { $0.isNull ? nil : $0 }
    if has(ONNXSidecar.member) {
      let bytes = Result { () throws(FormatError) -> Tensor in
        let region = try read(ONNXSidecar.member)
        let storage = try region.tensorStorage(0..<region.count)
        return try Tensor(elementType: .uint8, shape: [region.count], storage: storage)
      }
      model.onnxSidecar = ONNXSidecar(.stored(bytes))
    }
    if has("model.weights.h5") {
      let region = try read("model.weights.h5")
      let root = try HDF5Index(region, limits: limits).root
      reader.noteTrailingBytes(of: region, in: &model)
      reader.adoptTree(WeightTree(root, limits: limits), into: &model)
      model.preserved = PreservedContent(root: root)
    } else if has("model.weights.npz") {
      var weights = NpzWeights(limits: limits)
      reader.adoptTree(try weights.tree(read("model.weights.npz")), into: &model)
      model.findings += weights.findings
    } else {
      model.findings.append(
        Finding(.error, "missing-weights", "the archive has no model.weights.h5", at: model.weightsPlace))
    }
    try reader.finish(&model)
  }

  private func json(
    _ region: ByteRegion, _ name: String, noting findings: inout [Finding]
  ) throws(FormatError) -> JSONValue {
    do throws(FormatError) {
      return try JSONValue.parse(region, limits: limits, at: name, noting: &findings)
    } catch {
      throw FormatError(error.kind, error.message, file: region.name, at: error.place)
    }
  }
}
