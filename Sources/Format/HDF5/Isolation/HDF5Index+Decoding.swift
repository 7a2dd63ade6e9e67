import OrderedCollections

/// Reads an index that comes from a worker. The file may have taken the worker over, so that every name, type, extent and
/// place is checked as if it came from the file itself.
struct HDF5IndexDecoder {
  private var decoder: MessageDecoder
  private let source: ByteRegion
  private let limits: ReadLimits
  private let elements: HDF5ElementSource?
  private let expansion: ExpansionBudget
  private var objectCount = 0

  /// - Parameters:
  ///   - source: the file that the index is of.
  ///   - elements: what decodes datasets that are not read in place.
  init(_ content: [UInt8], source: ByteRegion, limits: ReadLimits, elements: HDF5ElementSource?) {
    decoder = MessageDecoder(content)
    self.source = source
    self.limits = limits
    self.elements = elements
    expansion = ExpansionBudget(fileByteCount: source.count)
  }

  /// The root group.
  ///
  /// - Throws: `FormatError` for an index that the reader of files cannot have made of this file.
  mutating func root() throws(FormatError) -> HDF5Group {
    let root = try group(path: "/", depth: 0)
    guard decoder.isAtEnd else { throw MessageDecoder.error("bytes behind the index") }
    return root
  }

  private mutating func group(path: String, depth: Int) throws(FormatError) -> HDF5Group {
    guard depth <= limits.depth else { throw MessageDecoder.error("groups nest deeper than \(limits.depth) levels") }
    var group = HDF5Group(path: path)
    (group.attributes, group.stringKinds) = try attributes()
    for _ in 0..<(try decoder.count(ofSize: 24)) {
      objectCount += 1
      guard objectCount <= limits.objectCount else { throw MessageDecoder.error("too many objects") }
      let name = try decoder.text()
      guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), group.children[name] == nil else {
        throw MessageDecoder.error("a name that none can have")
      }
      group.children[name] = try object(path: group.path(of: name), depth: depth)
    }
    return group
  }

  private mutating func object(path: String, depth: Int) throws(FormatError) -> HDF5Object {
    switch EncodedObject(rawValue: try decoder.int()) {
    case .group: return .group(try group(path: path, depth: depth + 1))
    case .dataset: return .dataset(try dataset(path: path))
    case .softLink: return .softLink(target: try decoder.text())
    case .externalLink: return .externalLink(target: try decoder.text())
    case .other: return .other(try decoder.text())
    case nil: throw MessageDecoder.error("an object of no kind")
    }
  }

  private mutating func dataset(path: String) throws(FormatError) -> HDF5Dataset {
    let type = try dataType()
    let shape = try shape()
    let layout = try layout(of: type, shape)
    let (attributes, kinds) = try attributes()
    return HDF5Dataset(
      path: path, type: type, shape: shape, layout: layout, attributes: attributes, stringKinds: kinds, source: source,
      expansion: expansion, elements: elements)
  }

  /// Whether elements that are said to lie in the file are inside of it is checked by who makes a tensor of them, as for files
  /// that are cut short.
  private mutating func layout(of type: HDF5DataType, _ shape: [Int]) throws(FormatError) -> HDF5Dataset.Layout {
    let layout = EncodedLayout(rawValue: try decoder.int())
    let number = try decoder.int()
    guard number >= 0 else { throw MessageDecoder.error("a negative place") }
    switch layout {
    case .contiguous: return .contiguous(offset: number)
    case .unwritten: return .contiguous(offset: nil)
    case .compact: return .compact
    case .chunked: return .chunked(storedBytes: min(number, source.count))
    case .external: return .external
    case .virtual: return .virtual
    case nil: throw MessageDecoder.error("a dataset of no layout")
    }
  }

  private mutating func shape() throws(FormatError) -> [Int] {
    let shape = try decoder.ints()
    guard shape.count <= limits.rank, shape.allSatisfy({ $0 >= 0 }), checkedProduct(shape) != nil else {
      throw MessageDecoder.error("the shape \(shape.prefix(8))")
    }
    return shape
  }

  private mutating func dataType() throws(FormatError) -> HDF5DataType {
    switch EncodedDataType(rawValue: try decoder.int()) {
    case .integer:
      let (bytes, isSigned, isBigEndian) = (try decoder.int(), try decoder.flag(), try decoder.flag())
      guard [1, 2, 4, 8].contains(bytes) else { throw MessageDecoder.error("integers of \(bytes) bytes") }
      return .integer(bytes: bytes, isSigned: isSigned, isBigEndian: isBigEndian)
    case .float:
      let (elementType, isBigEndian) = (try elementType(), try decoder.flag())
      guard [.float16, .bfloat16, .float32, .float64].contains(elementType) else {
        throw MessageDecoder.error("no floating-point type")
      }
      return .float(elementType, isBigEndian: isBigEndian)
    case .bool: return .bool
    case .opaque: return .opaque(bytes: try decoder.size(), tag: try decoder.text())
    case .fixedString: return .fixedString(bytes: try decoder.size())
    case .variableString: return .variableString
    case .other: return .other(try decoder.text())
    case nil: throw MessageDecoder.error("a dataset of no type")
    }
  }

  private mutating func elementType() throws(FormatError) -> ElementType {
    guard let number = Int32(exactly: try decoder.int()), let type = ElementType(rawValue: number), type != .string
    else { throw MessageDecoder.error("elements of no type") }
    return type
  }

  private mutating func attributes() throws(FormatError) -> (
    OrderedDictionary<String, HDF5Attribute>, [String: HDF5StringKind]
  ) {
    var attributes: OrderedDictionary<String, HDF5Attribute> = [:]
    var kinds: [String: HDF5StringKind] = [:]
    for _ in 0..<(try decoder.count(ofSize: 17)) {
      let name = try decoder.text()
      guard attributes[name] == nil else { throw MessageDecoder.error("two attributes of one name") }
      kinds[name] = try stringKind()
      attributes[name] = try attribute()
    }
    return (attributes, kinds)
  }

  private mutating func attribute() throws(FormatError) -> HDF5Attribute {
    switch EncodedAttribute(rawValue: try decoder.int()) {
    case .strings:
      let shape = try shape()
      let count = checkedProduct(shape) ?? 0
      var texts: [String] = []
      // Each text takes bytes of the message, which bounds the loop.
      for _ in 0..<count { texts.append(try decoder.text()) }
      return .strings(texts, shape: shape)
    case .tensor:
      let (elementType, shape) = (try elementType(), try shape())
      return .tensor(
        try Tensor(
          elementType: elementType, shape: shape, storage: .owned(AlignedBytes(copying: try decoder.content()))))
    case .other: return .other(try decoder.text())
    case nil: throw MessageDecoder.error("an attribute of no kind")
    }
  }

  private mutating func stringKind() throws(FormatError) -> HDF5StringKind? {
    guard try decoder.flag() else { return nil }
    let (isVariable, isUTF8, length) = (try decoder.flag(), try decoder.flag(), try decoder.int())
    return HDF5StringKind(isVariable: isVariable, isUTF8: isUTF8, length: length < 0 ? nil : length)
  }
}

extension MessageDecoder {
  /// A number of bytes that an element takes.
  fileprivate mutating func size() throws(FormatError) -> Int {
    let size = try int()
    guard (0...Int(Int32.max)).contains(size) else { throw Self.error("elements of \(size) bytes") }
    return size
  }
}

extension HDF5Index {
  /// Reads an index that somebody else made of a file.
  ///
  /// - Throws: `FormatError` when it contradicts itself or the limits.
  package init(decoding content: [UInt8], of region: ByteRegion, limits: ReadLimits = ReadLimits()) throws(FormatError)
  {
    var decoder = HDF5IndexDecoder(content, source: region, limits: limits, elements: nil)
    self.init(root: try decoder.root())
  }
}
