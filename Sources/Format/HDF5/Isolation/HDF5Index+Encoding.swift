import OrderedCollections

/// The form in which a worker hands an index over.
extension HDF5Index {
  /// The index as the content of a message.
  package var encoded: [UInt8] {
    var encoder = MessageEncoder()
    encoder.put(root)
    return encoder.bytes
  }
}

/// What a child of a group is, as its first number.
enum EncodedObject: Int {
  case group
  case dataset
  case softLink
  case externalLink
  case other
}

/// What the value of an attribute is.
enum EncodedAttribute: Int {
  case strings
  case tensor
  case other
}

/// What the type of a dataset is.
enum EncodedDataType: Int {
  case integer
  case float
  case bool
  case opaque
  case fixedString
  case variableString
  case other
}

/// How the elements of a dataset lie.
enum EncodedLayout: Int {
  case contiguous
  case unwritten
  case compact
  case chunked
  case external
  case virtual
}

extension MessageEncoder {
  fileprivate mutating func put(_ group: HDF5Group) {
    put(group.attributes, group.stringKinds)
    put(group.children.count)
    for (name, object) in group.children {
      put(name)
      switch object {
      case .group(let group):
        put(EncodedObject.group.rawValue)
        put(group)
      case .dataset(let dataset):
        put(EncodedObject.dataset.rawValue)
        put(dataset)
      case .softLink(let target):
        put(EncodedObject.softLink.rawValue)
        put(target)
      case .externalLink(let target):
        put(EncodedObject.externalLink.rawValue)
        put(target)
      case .other(let description):
        put(EncodedObject.other.rawValue)
        put(description)
      }
    }
  }

  private mutating func put(_ dataset: HDF5Dataset) {
    put(dataset.type)
    put(dataset.shape)
    let (layout, number): (EncodedLayout, Int) =
      switch dataset.layout {
      case .contiguous(let offset?): (.contiguous, offset)
      case .contiguous(nil): (.unwritten, 0)
      case .compact: (.compact, 0)
      case .chunked(let storedBytes): (.chunked, storedBytes)
      case .external: (.external, 0)
      case .virtual: (.virtual, 0)
      }
    put(layout.rawValue)
    put(number)
    put(dataset.attributes, dataset.stringKinds)
  }

  private mutating func put(_ type: HDF5DataType) {
    switch type {
    case .integer(let bytes, let isSigned, let isBigEndian):
      put(EncodedDataType.integer.rawValue)
      put(bytes)
      put(isSigned)
      put(isBigEndian)
    case .float(let elementType, let isBigEndian):
      put(EncodedDataType.float.rawValue)
      put(Int(elementType.rawValue))
      put(isBigEndian)
    case .bool: put(EncodedDataType.bool.rawValue)
    case .opaque(let bytes, let tag):
      put(EncodedDataType.opaque.rawValue)
      put(bytes)
      put(tag)
    case .fixedString(let bytes):
      put(EncodedDataType.fixedString.rawValue)
      put(bytes)
    case .variableString: put(EncodedDataType.variableString.rawValue)
    case .other(let description):
      put(EncodedDataType.other.rawValue)
      put(description)
    }
  }

  private mutating func put(
    _ attributes: OrderedDictionary<String, HDF5Attribute>, _ kinds: [String: HDF5StringKind]
  ) {
    put(attributes.count)
    for (name, attribute) in attributes {
      put(name)
      put(kinds[name])
      switch attribute {
      case .strings(let texts, let shape):
        put(EncodedAttribute.strings.rawValue)
        put(shape)
        for text in texts { put(text) }
      case .tensor(let tensor):
        put(EncodedAttribute.tensor.rawValue)
        put(Int(tensor.elementType.rawValue))
        put(tensor.shape)
        // The reader of attributes keeps their elements in memory, so that nothing can fail here.
        put((try? unsafe tensor.withBytes { bytes in unsafe [UInt8](bytes) }) ?? [])
      case .other(let description):
        put(EncodedAttribute.other.rawValue)
        put(description)
      }
    }
  }

  private mutating func put(_ kind: HDF5StringKind?) {
    put(kind != nil)
    guard let kind else { return }
    put(kind.isVariable)
    put(kind.isUTF8)
    put(kind.length ?? -1)
  }
}
