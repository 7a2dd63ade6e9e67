/// Files that hold one ONNX `TensorProto`: the `.pb` inputs and outputs of ONNX test data.
public enum TensorFile {
  /// Reads a tensor with its name. Elements stay in the file until they are used.
  ///
  /// - Throws: `FormatError` when the file holds no tensor or a damaged one.
  public static func readPB(
    _ file: ByteRegion, path: String? = nil, limits: ReadLimits = ReadLimits()
  ) throws(FormatError) -> (name: String, tensor: Tensor) {
    do throws(FormatError) {
      let folder = ExternalDataFolder(ofModelAt: path)
      let tensor = try ONNXDecoder(source: file, externalFiles: folder, limits: limits).tensor()
      return (tensor.name, tensor)
    } catch {
      throw error.inFile(file.name)
    }
  }

  /// Reads a tensor from a file.
  public static func readPB(path: String) throws(FormatError) -> (name: String, tensor: Tensor) {
    try readPB(ByteRegion(try MappedFile(path: path)), path: path)
  }

  /// Writes a tensor under a name; the file appears whole or not at all.
  public static func writePB(_ tensor: Tensor, name: String, to path: String) throws(FormatError) {
    do throws(FormatError) {
      let bytes = try bytesPB(of: tensor, name: name)
      let file = try AtomicWriter(replacing: path)
      try file.write(bytes)
      try file.commit()
    } catch {
      throw error.inFile(path)
    }
  }

  /// The bytes of such a file.
  public static func bytesPB(of tensor: Tensor, name: String) throws(FormatError) -> [UInt8] {
    var writer = WireWriter()
    try ONNXEncoder(placement: .inside).write(tensor, name: name, into: &writer)
    return try writer.gathered()
  }
}
