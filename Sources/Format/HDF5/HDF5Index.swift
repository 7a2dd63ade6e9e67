import OrderedCollections

/// Everything an HDF5 file says except the elements of its datasets.
///
/// Readers of higher formats work on this index and on the mapped bytes; nothing but the index reader and the decoder of
/// chunked datasets calls the library.
package struct HDF5Index: Sendable {
  package let root: HDF5Group

  init(root: HDF5Group) { self.root = root }
}

/// A group: attributes and named children, children in the order of their names.
package struct HDF5Group: Sendable {
  /// The absolute path, `/` for the root.
  package let path: String
  package internal(set) var attributes: OrderedDictionary<String, HDF5Attribute> = [:]
  /// How the strings among the attributes are stored.
  package internal(set) var stringKinds: [String: HDF5StringKind] = [:]
  package internal(set) var children: OrderedDictionary<String, HDF5Object> = [:]

  /// The path of a child.
  package func path(of name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }

  package func group(_ name: String) -> HDF5Group? { if case .group(let group) = children[name] { group } else { nil } }

  package func dataset(_ name: String) -> HDF5Dataset? {
    if case .dataset(let dataset) = children[name] { dataset } else { nil }
  }

  /// The object at a relative path with `/` between the parts.
  package func object(at path: String) -> HDF5Object? {
    var current: HDF5Object = .group(self)
    for part in Path.parts(of: path) {
      guard case .group(let group) = current, let next = group.children[part] else { return nil }
      current = next
    }
    return current
  }
}

/// What a name in a group leads to.
package indirect enum HDF5Object: Sendable {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
  /// A link to another path of the same file. Never followed.
  case softLink(target: String)
  /// A link into another file. Never followed.
  case externalLink(target: String)
  /// A named type, a link of an unknown class, or a group that was already listed at another path.
  case other(String)

  /// How a group is described that was already listed: it may be one that holds this object.
  static let repeatedGroup = "a group that is listed at another path"
}

/// The value of an attribute.
package enum HDF5Attribute: Sendable {
  /// Strings of any storage kind, with the shape of the array; rank 0 is a single string.
  case strings([String], shape: [Int])
  /// Numbers or booleans.
  case tensor(Tensor)
  /// A type that is not read, described.
  case other(String)

  /// The text of a single string.
  package var string: String? {
    if case .strings(let texts, let shape) = self, shape.isEmpty || texts.count == 1 { texts.first } else { nil }
  }

  /// The elements of a list of strings. An empty list of any type counts: h5py writes it as numbers.
  package var strings: [String]? {
    switch self {
    case .strings(let texts, _): texts
    case .tensor(let tensor) where tensor.count == 0: []
    default: nil
    }
  }

  /// A single whole number.
  package var int: Int? {
    guard case .tensor(let tensor) = self, tensor.count == 1 else { return nil }
    return switch tensor.elementType {
    case .int64: (try? tensor.elements(as: Int64.self))?.first.flatMap { Int(exactly: $0) }
    case .int32: (try? tensor.elements(as: Int32.self))?.first.map { Int($0) }
    default: nil
    }
  }
}

/// A dataset: its type, shape and the place of its bytes.
package struct HDF5Dataset: Sendable {
  /// How the elements lie in the file.
  package enum Layout: Sendable, Hashable {
    /// In one run, at an offset from the start of the image; `nil` when nothing was ever written.
    case contiguous(offset: Int?)
    case compact
    case chunked(storedBytes: Int)
    /// Elements in other files. Never read.
    case external
    /// Elements in other datasets. Never read.
    case virtual
  }

  package let path: String
  package let type: HDF5DataType
  package let shape: [Int]
  package let layout: Layout
  package let attributes: OrderedDictionary<String, HDF5Attribute>
  /// How the strings among the attributes are stored.
  package let stringKinds: [String: HDF5StringKind]
  let source: ByteRegion
  /// What the datasets of the file may decode to.
  let expansion: ExpansionBudget
  /// What decodes elements that are not read in place; `nil` leaves it to this process.
  let elements: HDF5ElementSource?
}
