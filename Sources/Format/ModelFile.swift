import Glibc

/// A model file of any format this library reads, told apart by its content.
///
/// ```swift
/// let file = try ModelFile.read("digits.keras")
/// let model = try file.model()
/// ```
public struct ModelFile: Sendable {
  /// What a file holds, in its own terms.
  public enum Content: Sendable {
    case keras(KerasModel)
    case onnx(Model)
  }

  /// Where the file lies.
  public let path: String
  /// What it holds.
  public var content: Content

  /// Content that stands for the file at a path, whether or not it was read from there.
  package init(path: String, content: Content) {
    self.path = path
    self.content = content
  }

  /// Reads a file, or a folder that holds an unpacked `.keras` archive. Weights stay in the file until they are used.
  ///
  /// - Parameter limits: bounds on what the file may ask for.
  /// - Throws: `FormatError`; for a file that is no model, it says what the file really is.
  public static func read(_ path: String, limits: ReadLimits = ReadLimits()) throws(FormatError) -> ModelFile {
    do throws(FormatError) {
      return ModelFile(path: path, content: try content(of: path, limits: limits))
    } catch {
      throw error.inFile(path)
    }
  }

  /// The network as a graph of operators, whatever the format.
  ///
  /// - Throws: `FormatError` that names the first layer which has no counterpart.
  public func model() throws(FormatError) -> Model {
    switch content {
    case .keras(let model): try model.lowered()
    case .onnx(let model): model
    }
  }

  /// The same weights with the layers of another file, for a file that holds weights alone.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when either file is not of the kind that this is for.
  public func adopting(architecture: ModelFile) throws(FormatError) -> ModelFile {
    let (weights, layers) = try kerasModels(with: architecture)
    return ModelFile(path: path, content: .keras(try weights.adopting(architecture: layers)))
  }

  /// The same weights with the layers of another file, and what became of each of them; see `WeightExchange.load`.
  public func loading(
    into architecture: ModelFile, allowsPartial: Bool
  ) throws(FormatError) -> (file: ModelFile, report: WeightExchange.Report) {
    let (weights, layers) = try kerasModels(with: architecture)
    let (model, report) = try WeightExchange.load(weights, into: layers, allowsPartial: allowsPartial)
    return (ModelFile(path: path, content: .keras(model)), report)
  }

  private func kerasModels(with architecture: ModelFile) throws(FormatError) -> (
    weights: KerasModel, layers: KerasModel
  ) {
    guard case .keras(let weights) = content, case .keras(let layers) = architecture.content else {
      throw FormatError(.mismatch, "an ONNX model describes its own layers and cannot be given others", file: path)
    }
    return (weights, layers)
  }

  private static func content(of path: String, limits: ReadLimits) throws(FormatError) -> Content {
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      return .keras(try ArchiveReader(limits: limits).folder(path))
    }
    let file = ByteRegion(try MappedFile(path: path))
    switch FileKind(of: file) {
    case .hdf5: return .keras(try KerasReader(limits: limits).hdf5(file, path: path))
    case .zip:
      let zip = try ZipArchive(file, limits: limits)
      guard zip.members.keys.isEmpty || !zip.members.keys.allSatisfy({ $0.hasSuffix(".npy") }) else {
        var model = KerasModel(tensors: try NpzFile.read(zip, limits: limits).elements, path: path, layout: .arrays)
        model.findings += zip.findings
        model.archive = zip
        return .keras(model)
      }
      return .keras(try ArchiveReader(limits: limits).archive(zip))
    case .safetensors:
      return .keras(
        KerasModel(
          tensors: try SafetensorsFile.read(file, limits: limits).tensors.elements, path: path, layout: .safetensors))
    case .json: return .keras(try jsonContent(file, path: path, limits: limits))
    case .onnx: return .onnx(try ONNXFile.read(file, path: path, limits: limits))
    case .other(let description, let advice): throw FormatError(.unrecognized, description, file: path, advice: advice)
    }
  }

  private static func jsonContent(_ file: ByteRegion, path: String, limits: ReadLimits) throws(FormatError)
    -> KerasModel
  {
    var findings: [Finding] = []
    let json = try JSONValue.parse(file, limits: limits, at: path, noting: &findings)
    guard json["weight_map"] != nil || json["class_name"] != nil || json["layers"] != nil else {
      throw FormatError(.unrecognized, "is JSON, but neither a Keras configuration nor an index of weights")
    }
    var model =
      json["weight_map"] != nil
      ? try ArchiveReader(limits: limits).shards(json, path: path)
      : try KerasReader(limits: limits).configuration(json, path: path)
    model.findings.insert(contentsOf: findings, at: 0)
    return model
  }
}

extension ModelFile {
  /// Bytes of the file, of the files in a folder, and of the files that an ONNX model keeps its elements in.
  public var storedByteCount: Int {
    let own = FileSystem.byteCount(ofFileAt: path)
    guard case .onnx(let model) = content else { return own }
    let beside = model.graph.initializers.reduce(0) { sum, initializer in
      initializer.tensor.encoding.placement == .external ? sum + initializer.tensor.byteCount : sum
    }
    return own + beside
  }
}
