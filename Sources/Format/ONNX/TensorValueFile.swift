/// Files that hold one value of an ONNX graph: a `TensorProto`, `SequenceProto` or `OptionalProto`.
///
/// The messages cannot be told apart by their bytes, so a reader has to know the type.
public enum TensorValueFile {
  /// Reads a value of a type, with its name. Elements stay in the file until they are used.
  ///
  /// - Throws: `FormatError` when the file holds no such value, `unsupported` for maps and sparse tensors.
  public static func readPB(path: String, type: ValueType) throws(FormatError) -> (name: String, value: TensorValue) {
    let file = ByteRegion(try MappedFile(path: path))
    do throws(FormatError) {
      if case .tensor = type {
        let (name, tensor) = try TensorFile.readPB(file, path: path)
        return (name, .tensor(tensor))
      }
      let message = try Message(file)
      return (message.name, try value(in: message, type, depth: 0))
    } catch {
      throw error.inFile(path)
    }
  }

  /// The field in which sequences and optionals hold a value of a type.
  private static func field(_ type: ValueType) throws(FormatError) -> UInt32 {
    switch type {
    case .tensor: 3
    case .sequence: 5
    case .optional: 7
    case .sparseTensor, .map: throw FormatError(.unsupported, "values of type \(type) are not read")
    }
  }

  private static func value(
    in message: Message, _ type: ValueType, depth: Int
  ) throws(FormatError) -> TensorValue {
    guard depth < ReadLimits().depth else { throw FormatError(.limit, "the value nests too deep") }
    func inner(_ region: ByteRegion, _ type: ValueType) throws(FormatError) -> TensorValue {
      if case .tensor = type { return .tensor(try TensorFile.readPB(region).tensor) }
      return try value(in: Message(region), type, depth: depth + 1)
    }
    switch type {
    case .sequence(let element):
      let parts = message.parts[try field(element)] ?? []
      return .sequence(try parts.map { (part) throws(FormatError) in try inner(part, element) })
    case .optional(let element):
      guard let part = message.parts[try field(element)]?.first else { return .optional(nil) }
      return .optional(try inner(part, element))
    case .tensor, .sparseTensor, .map: throw FormatError(.unsupported, "values of type \(type) are not read here")
    }
  }

  /// The parts of a message by field, as far as they have a length in front.
  private struct Message {
    var parts: [UInt32: [ByteRegion]] = [:]

    var name: String {
      guard let bytes = try? parts[1]?.first?.bytes() else { return "" }
      return String(decoding: bytes, as: UTF8.self)
    }

    init(_ region: ByteRegion) throws(FormatError) {
      let ranges = try unsafe region.withBytes { (bytes) throws(FormatError) in
        var reader = unsafe WireReader(bytes)
        var ranges: [(field: UInt32, range: Range<Int>)] = []
        while !reader.isAtEnd {
          let (field, type) = try reader.tag()
          guard type == .lengthDelimited else {
            try reader.skip(type)
            continue
          }
          let length = try reader.length()
          ranges.append((field, reader.position..<reader.position + length))
          try reader.advance(length)
        }
        return ranges
      }
      for (field, range) in ranges { parts[field, default: []].append(try region.slice(range)) }
    }
  }
}
