/// The `.npy` format of NumPy: one array behind a short header (versions 1 to 3 of the format), of numbers or of strings.
public enum NpyFile {
  static let signature: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// What the header of a file says.
  struct Header {
    var descriptor: String
    var isFortranOrder: Bool
    var shape: [Int]
    /// Where the elements begin.
    var dataOffset: Int
  }

  /// Reads an array. Elements in C order and little-endian stay where they lie; others are rearranged.
  ///
  /// - Throws: `FormatError` when the header is damaged, elements are missing, bytes follow them, or the type is no tensor's.
  public static func read(_ region: ByteRegion, limits: ReadLimits = ReadLimits()) throws(FormatError) -> Tensor {
    do throws(FormatError) {
      let header = try header(of: region)
      try limits.check(rank: header.shape.count)
      if let strings = NpyStrings(header.descriptor) {
        return try strings.read(
          header.shape, isFortranOrder: header.isFortranOrder, at: header.dataOffset, of: region)
      }
      let (elementType, isBigEndian) = try elementType(header.descriptor)
      guard let count = checkedProduct(header.shape), let byteCount = elementType.byteCount(of: count) else {
        throw FormatError(.limit, "npy: shape \(header.shape) is negative or too large")
      }
      guard byteCount <= region.count - header.dataOffset else {
        throw FormatError(
          .truncated,
          "npy: \(header.shape) needs \(byteCount) bytes, \(region.count - header.dataOffset) follow the header")
      }
      try checkEnd(header.dataOffset + byteCount, of: region)
      let storage = try region.tensorStorage(header.dataOffset..<header.dataOffset + byteCount)
      let tensor = try Tensor(elementType: elementType, shape: header.shape, storage: storage)
      let isFortran = header.isFortranOrder && header.shape.count > 1
      return isFortran || isBigEndian
        ? try tensor.rearranged(fromFortranOrder: isFortran, swapped: isBigEndian) : tensor
    } catch {
      throw error.inFile(region.name)
    }
  }

  /// Refuses what follows an array: NumPy would leave it unread, and something may be hidden there.
  static func checkEnd(_ end: Int, of region: ByteRegion) throws(FormatError) {
    guard end == region.count else {
      throw FormatError(.malformed, "npy: \(region.count - end) bytes follow the array", at: "byte \(end)")
    }
  }

  /// Parses the magic, the version and the dictionary literal behind them.
  static func header(of region: ByteRegion) throws(FormatError) -> Header {
    let start = region.prefix(12)
    guard start.starts(with: signature), start.count == 12 else {
      throw FormatError(.unrecognized, "is not a .npy file")
    }
    let isLong = start[6] >= 2
    let length = Int(start[8]) | Int(start[9]) << 8 | (isLong ? Int(start[10]) << 16 | Int(start[11]) << 24 : 0)
    let textOffset = isLong ? 12 : 10
    guard length <= region.count - textOffset else { throw FormatError(.truncated, "npy: the header is cut short") }
    let text = String(decoding: try region.bytes(textOffset..<textOffset + length), as: UTF8.self)
    // The header is a Python literal, in which spaces and the kind of quotes do not count.
    let literal = text.filter { !$0.isWhitespace }.replacing("\"", with: "'")
    guard let descriptor = quoted(after: "'descr':", in: literal), let shape = shape(in: literal) else {
      throw FormatError(.malformed, "npy: the header \"\(text.prefix(80))\" lacks a plain type or a shape")
    }
    return Header(
      descriptor: descriptor, isFortranOrder: literal.contains("'fortran_order':True"), shape: shape,
      dataOffset: textOffset + length)
  }

  private static func quoted(after key: String, in text: String) -> String? {
    guard let range = text.firstRange(of: key) else { return nil }
    let rest = text[range.upperBound...]
    guard rest.first == "'" else { return nil }
    return rest.dropFirst().firstIndex(of: "'").map { String(rest[rest.index(after: rest.startIndex)..<$0]) }
  }

  private static func shape(in text: String) -> [Int]? {
    guard let key = text.firstRange(of: "'shape':"),
      let opening = text[key.upperBound...].firstIndex(of: "("),
      let closing = text[opening...].firstIndex(of: ")")
    else { return nil }
    var shape: [Int] = []
    for part in text[text.index(after: opening)..<closing].split(separator: ",") {
      guard let extent = Int(part.last == "L" ? part.dropLast() : part) else { return nil }
      shape.append(extent)
    }
    return shape
  }

  /// The element type of a type descriptor such as `<f4`. Two bytes without a meaning are ml_dtypes' bfloat16.
  static func elementType(_ descriptor: String) throws(FormatError) -> (ElementType, isBigEndian: Bool) {
    let kind = descriptor.drop { "<>|=".contains($0) }
    let elementType: ElementType? =
      switch kind {
      case "f2": .float16
      case "f4": .float32
      case "f8": .float64
      case "i1": .int8
      case "i2": .int16
      case "i4": .int32
      case "i8": .int64
      case "u1": .uint8
      case "u2": .uint16
      case "u4": .uint32
      case "u8": .uint64
      case "b1": .bool
      case "c8": .complex64
      case "c16": .complex128
      case "V2", "bfloat16": .bfloat16
      default: nil
      }
    guard let elementType else {
      let isObject = kind.hasPrefix("O")
      throw FormatError(
        isObject ? .refused : .unsupported,
        isObject
          ? "npy: the array holds pickled objects, which are never unpickled"
          : "npy: elements of type \"\(descriptor)\"")
    }
    return (elementType, descriptor.hasPrefix(">"))
  }

  /// The bytes of a version 1 file with a tensor's elements in C order.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for a type that NumPy has no name for.
  public static func bytes(of tensor: Tensor) throws(FormatError) -> [UInt8] {
    let parts = try parts(of: tensor, named: "")
    return parts.header + (try parts.elements.bytes())
  }

  /// What stands in front of a tensor's elements in a file, and these.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for a type that NumPy has no name for.
  static func parts(of tensor: Tensor, named name: String) throws(FormatError) -> (
    header: [UInt8], elements: ByteRegion
  ) {
    if case .strings(let values) = tensor.storage {
      let strings = try NpyStrings(holding: values)
      let bytes = AlignedBytes(copying: strings.bytes(of: values))
      return (header(strings.descriptor, tensor.shape), ByteRegion(bytes, name: name))
    }
    guard let descriptor = descriptor(of: tensor.elementType) else {
      throw FormatError(.unsupported, "npy: NumPy has no name for \(tensor.elementType.name)")
    }
    return (header(descriptor, tensor.shape), try tensor.region(named: name))
  }

  private static func header(_ descriptor: String, _ shape: [Int]) -> [UInt8] {
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(extents)), }"
    let unpadded = signature.count + 4 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    let length = [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8 & 0xFF)]
    return signature + [1, 0] + length + Array(header.utf8)
  }

  private static func descriptor(of elementType: ElementType) -> String? {
    switch elementType {
    case .float16: "<f2"
    case .float32: "<f4"
    case .float64: "<f8"
    case .int8: "|i1"
    case .int16: "<i2"
    case .int32: "<i4"
    case .int64: "<i8"
    case .uint8: "|u1"
    case .uint16: "<u2"
    case .uint32: "<u4"
    case .uint64: "<u8"
    case .bool: "|b1"
    case .complex64: "<c8"
    case .complex128: "<c16"
    default: nil
    }
  }
}
