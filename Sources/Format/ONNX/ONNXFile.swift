import Glibc

/// Reading and writing of `.onnx` files.
public enum ONNXFile {
  /// Where the elements of large initializers are written.
  public enum DataPlacement: Sendable, Hashable {
    /// Into the model, or beside it when the model would pass 2 GiB, which protobuf does not allow.
    case automatic
    /// Into the model.
    case inside
    /// Into a file beside the model, named like it with `.data` behind.
    case beside
    /// Where they are: a tensor that was read from another file goes on referring to it. The model must stay in its folder.
    case kept
  }

  /// Protobuf's own bound on the size of a message.
  static let largestMessage = Int(Int32.max)

  /// Reads a model. Elements stay in the file, and in the files it refers to, until they are used.
  ///
  /// - Parameter path: where the model lies; tensors may refer to files in that folder. `nil` refuses such references.
  /// - Throws: `FormatError` that names the node or tensor concerned, or the byte where the file is damaged.
  public static func read(
    _ file: ByteRegion, path: String?, limits: ReadLimits = ReadLimits()
  ) throws(FormatError) -> Model {
    do throws(FormatError) {
      let folder = ExternalDataFolder(ofModelAt: path)
      return try ONNXDecoder(source: file, externalFiles: folder, limits: limits).model()
    } catch {
      throw error.inFile(file.name)
    }
  }

  /// Writes a model so that the file, and the one beside it, appear whole or not at all.
  ///
  /// - Throws: `FormatError` of kind `limit` when the model passes 2 GiB and its data may not go elsewhere.
  public static func write(
    _ model: Model, to path: String, data: DataPlacement = .automatic
  ) throws(FormatError) {
    do throws(FormatError) {
      switch data {
      case .kept: try write(ONNXEncoder(placement: .kept).encode(model), to: path)
      case .inside: try write(ONNXEncoder(placement: .inside).encode(model), to: path)
      case .beside: try writeBeside(model, to: path)
      case .automatic:
        let message = try ONNXEncoder(placement: .inside).encode(model)
        if message.byteCount > largestMessage { try writeBeside(model, to: path) } else { try write(message, to: path) }
      }
    } catch {
      throw error.inFile(path)
    }
  }

  /// The bytes of a model file. References to other files are kept.
  ///
  /// - Throws: `FormatError` when elements cannot be read or the model passes 2 GiB.
  public static func bytes(of model: Model) throws(FormatError) -> [UInt8] {
    try ONNXEncoder(placement: .kept).encode(model).gathered()
  }

  /// Writes the elements into `path.data` and the model to `path`, so that at every moment there is a model at `path` whose
  /// elements are there, the old ones or the new ones.
  ///
  /// Data that are replaced may be those of the model that is replaced. So the new data get a name of their own first, then a
  /// model that refers to this takes the old one's place; the names that stay follow. A file system without hard links
  /// is left with the moment between two renamings.
  private static func writeBeside(_ model: Model, to path: String) throws(FormatError) {
    let name = Path.name(of: path)
    let layout = ExternalDataLayout(location: name + ".data")
    let message = try ONNXEncoder(placement: .outside(layout)).encode(model)
    guard !layout.tensors.isEmpty else { return try write(message, to: path) }
    let isNew = !FileSystem.exists(path + ".data")
    let data = try AtomicWriter(replacing: path + ".data")
    var position = 0
    for (offset, tensor) in layout.tensors {
      try data.write([UInt8](repeating: 0, count: offset - position))
      try data.write(tensor)
      position = offset + tensor.byteCount
    }
    let file = try written(message, to: path)
    let suffix = ".data.\(getpid())"
    let isLinked = isNew ? false : (try? data.link(to: path + suffix)) != nil
    if isLinked {
      do throws(FormatError) {
        let layout = ExternalDataLayout(location: name + suffix)
        try write(ONNXEncoder(placement: .outside(layout)).encode(model), to: path)
      } catch {
        FileSystem.remove(path + suffix)
        throw error
      }
    }
    do throws(FormatError) {
      try data.commit()
      try file.commit()
    } catch {
      // The new model is complete under the data's first name.
      if isLinked { return }
      if isNew { FileSystem.remove(path + ".data") }
      throw error
    }
    if isLinked { FileSystem.remove(path + suffix) }
  }

  private static func write(_ message: WireWriter, to path: String) throws(FormatError) {
    try written(message, to: path).commit()
  }

  private static func written(_ message: WireWriter, to path: String) throws(FormatError) -> AtomicWriter {
    try message.checkSize()
    let file = try AtomicWriter(replacing: path)
    try message.write(into: file)
    return file
  }
}

extension WireWriter {
  func checkSize() throws(FormatError) {
    guard byteCount <= ONNXFile.largestMessage else {
      throw FormatError(
        .limit, "would take \(byteCount) bytes, and an ONNX file holds at most 2 GiB",
        advice: "Write the weights to a file of their own with --external-data")
    }
  }

  /// Hands out everything written, in order.
  func forEachPart(
    bytes body: ([UInt8]) throws(FormatError) -> Void, payload: (Tensor) throws(FormatError) -> Void
  ) throws(FormatError) {
    var position = 0
    for part in payloads {
      try body(Array(bytes[position..<part.position]))
      try payload(part.tensor)
      position = part.position
    }
    try body(Array(bytes[position...]))
  }

  /// Appends everything to a file; elements go there from where they are.
  func write(into file: borrowing AtomicWriter) throws(FormatError) {
    try forEachPart { (bytes) throws(FormatError) in
      try file.write(bytes)
    } payload: { (tensor) throws(FormatError) in
      try file.write(tensor)
    }
  }

  /// Everything written as one array.
  func gathered() throws(FormatError) -> [UInt8] {
    try checkSize()
    var result: [UInt8] = []
    result.reserveCapacity(byteCount)
    try forEachPart { (bytes) throws(FormatError) in
      result += bytes
    } payload: { (tensor) throws(FormatError) in
      try unsafe tensor.withBytes { bytes in unsafe result.append(contentsOf: bytes) }
    }
    return result
  }
}
