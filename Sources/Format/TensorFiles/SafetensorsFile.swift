import OrderedCollections

/// The safetensors format: eight bytes of length, a JSON header, then the elements of all tensors without gaps.
///
/// Format: <https://github.com/huggingface/safetensors#format>.
public enum SafetensorsFile {
  /// What a file holds: tensors by name in the header's order, and the texts under `__metadata__`.
  public struct Content: Sendable {
    /// The tensors by name.
    public var tensors: OrderedDictionary<String, Tensor>
    /// Texts for programs and people.
    public var metadata: OrderedDictionary<String, String>

    /// Content from its parts.
    public init(tensors: OrderedDictionary<String, Tensor>, metadata: OrderedDictionary<String, String> = [:]) {
      self.tensors = tensors
      self.metadata = metadata
    }
  }

  /// The most bytes that a header may have, as in the reference implementation.
  static let headerLimit = 100_000_000

  /// Whether a file begins like one: the length of a header that lies in the file, and an opening brace.
  static func matches(_ region: ByteRegion) -> Bool {
    let start = region.prefix(9)
    guard start.count == 9, start[8] == UInt8(ascii: "{") else { return false }
    let length = start[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return length <= headerLimit
  }

  /// Reads a file; the elements stay where they lie.
  ///
  /// - Throws: `FormatError` of kind `malformed` for a header that breaks the rules: names must be unique, and tensors follow
  ///   each other without gap or overlap, cover the whole file, and have the bytes that their type and shape need.
  public static func read(
    _ region: ByteRegion, limits: ReadLimits = ReadLimits()
  ) throws(FormatError) -> Content {
    try namingFile(region.name) { () throws(FormatError) in
      let header = try header(of: region, limits)
      var content = Content(tensors: [:])
      var ranges: [(name: String, range: Range<Int>)] = []
      let start = 8 + header.byteCount
      for (name, entry) in header.entries {
        if name == "__metadata__" {
          for (key, value) in entry.object ?? [:] { content.metadata[key] = value.string ?? value.text() }
          continue
        }
        try limits.check(rank: entry["shape"]?.array?.count ?? 0, at: name)
        let (tensor, range) = try tensor(entry, name: name, in: region, from: start)
        content.tensors[name] = tensor
        ranges.append((name, range))
      }
      try checkContiguous(ranges, count: region.count - start)
      return content
    }
  }

  /// Writes tensors in order in the place of the file at `path`, from where they are.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for an element type that the format has no name for.
  public static func write(_ content: Content, to path: String) throws(FormatError) {
    var header: OrderedDictionary<String, JSONValue> = [:]
    if !content.metadata.isEmpty { header["__metadata__"] = .object(content.metadata.mapValues { .string($0) }) }
    var offset = 0
    for (name, tensor) in content.tensors {
      guard let typeName = typeNames.first(where: { $0.value == tensor.elementType })?.key else {
        throw FormatError(.unsupported, "safetensors has no name for \(tensor.elementType.name)", file: path, at: name)
      }
      header[name] = [
        "dtype": .string(typeName), "shape": .array(tensor.shape.map { .int($0) }),
        "data_offsets": [.int(offset), .int(offset + tensor.byteCount)],
      ]
      offset += tensor.byteCount
    }
    var text = Array(JSONValue.object(header).text().utf8)
    // Spaces bring the first tensor to a multiple of eight bytes.
    text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    let file = try AtomicWriter(replacing: path)
    try file.write((0..<8).map { UInt8(truncatingIfNeeded: text.count >> ($0 * 8)) })
    try file.write(text)
    for tensor in content.tensors.values { try file.write(tensor) }
    try file.commit()
  }

  private static func header(of region: ByteRegion, _ limits: ReadLimits) throws(FormatError) -> (
    entries: OrderedDictionary<String, JSONValue>, byteCount: Int
  ) {
    guard region.count >= 8 else { throw FormatError(.truncated, "safetensors: the file is shorter than its header") }
    let length = try region.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= headerLimit else {
      throw FormatError(.limit, "safetensors: a header of \(length) bytes", at: "byte 0")
    }
    let byteCount = Int(length)
    guard byteCount <= region.count - 8 else {
      throw FormatError(
        .truncated, "safetensors: the header has \(byteCount) bytes, but only \(region.count - 8) follow", at: "byte 0")
    }
    let (json, repeatedKey): (JSONValue, String?)
    do throws(FormatError) {
      (json, repeatedKey) = try JSONValue.document(try region.bytes(8..<8 + byteCount), maximumDepth: limits.depth)
    } catch {
      throw FormatError(.malformed, "safetensors: the header is not JSON: \(error.message)", at: error.place)
    }
    if let repeatedKey {
      throw FormatError(.malformed, "safetensors: the header has more than one entry of this name", at: repeatedKey)
    }
    guard let entries = json.object else { throw FormatError(.malformed, "safetensors: the header is not an object") }
    return (entries, byteCount)
  }

  private static func tensor(
    _ entry: JSONValue, name: String, in region: ByteRegion, from start: Int
  ) throws(FormatError) -> (Tensor, Range<Int>) {
    guard let typeName = entry["dtype"]?.string, let shape = entry["shape"]?.ints,
      let offsets = entry["data_offsets"]?.ints,
      offsets.count == 2
    else { throw FormatError(.malformed, "safetensors: the entry lacks dtype, shape or data_offsets", at: name) }
    guard let elementType = typeNames[typeName] else {
      throw FormatError(.unsupported, "safetensors: elements of type \"\(typeName)\"", at: name)
    }
    let available = region.count - start
    guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= available else {
      throw FormatError(
        .malformed, "safetensors: bytes \(offsets[0]) to \(offsets[1]) are not in the file, which has \(available)",
        at: name)
    }
    guard let count = checkedProduct(shape), let needed = elementType.byteCount(of: count) else {
      throw FormatError(.limit, "safetensors: shape \(shape) is negative or too large", at: name)
    }
    let range = offsets[0]..<offsets[1]
    guard needed == range.count else {
      throw FormatError(
        .malformed, "safetensors: \(elementType.name)\(shape) needs \(needed) bytes, but has \(range.count)", at: name)
    }
    let storage = try region.tensorStorage(start + range.lowerBound..<start + range.upperBound)
    return (try Tensor(elementType: elementType, shape: shape, storage: storage), range)
  }

  private static func checkContiguous(_ ranges: [(name: String, range: Range<Int>)], count: Int) throws(FormatError) {
    var end = 0
    for (name, range) in ranges.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard range.lowerBound == end else {
        let fault = range.lowerBound < end ? "overlaps another tensor" : "leaves a gap in front of it"
        throw FormatError(.malformed, "safetensors: the tensor at byte \(range.lowerBound) \(fault)", at: name)
      }
      end = range.upperBound
    }
    guard end == count else {
      throw FormatError(.malformed, "safetensors: the tensors end at byte \(end), the file at \(count)")
    }
  }

  private static let typeNames: OrderedDictionary<String, ElementType> = [
    "F32": .float32, "F64": .float64, "F16": .float16, "BF16": .bfloat16, "I8": .int8, "I16": .int16, "I32": .int32,
    "I64": .int64, "U8": .uint8, "U16": .uint16, "U32": .uint32, "U64": .uint64, "BOOL": .bool,
    "F8_E4M3": .float8e4m3fn, "F8_E5M2": .float8e5m2, "C64": .complex64,
  ]
}
