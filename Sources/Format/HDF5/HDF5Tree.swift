import OrderedCollections

/// The content of an HDF5 file to be written: a group with attributes and children, in the order they are created.
struct HDF5Tree: Sendable {
  /// What stands under a name.
  indirect enum Node: Sendable {
    case group(HDF5Tree)
    case dataset(HDF5DatasetContent)
    /// A link to another path of the same file.
    case softLink(target: String)
  }

  var attributes: OrderedDictionary<String, HDF5AttributeContent> = [:]
  var children: OrderedDictionary<String, Node> = [:]

  init() {}

  /// Changes the group at a relative path, which is made where it is missing. An empty path is the group itself.
  mutating func descend(_ path: some Sequence<String>, _ change: (inout HDF5Tree) -> Void) {
    var iterator = path.makeIterator()
    guard let first = iterator.next() else { return change(&self) }
    let rest = Array(IteratorSequence(iterator))
    var child = HDF5Tree()
    if case .group(let existing) = children[first] { child = existing }
    child.descend(rest, change)
    children[first] = .group(child)
  }

  /// What stands at a relative path with `/` between the parts.
  func node(at path: some Sequence<String>) -> Node? {
    var current: Node = .group(self)
    for part in path {
      guard case .group(let group) = current, let next = group.children[part] else { return nil }
      current = next
    }
    return current
  }

  /// Puts a dataset at a relative path with `/` between the parts.
  mutating func put(_ dataset: HDF5DatasetContent, at path: String) {
    let parts = Path.parts(of: path)
    guard let last = parts.last else { return }
    descend(parts.dropLast()) { $0.children[last] = .dataset(dataset) }
  }
}

/// A dataset to be written: contiguous, little-endian, without filters, as h5py writes by default.
struct HDF5DatasetContent: Sendable {
  var tensor: Tensor
  var attributes: OrderedDictionary<String, HDF5AttributeContent> = [:]
}

/// How a string is stored.
package struct HDF5StringKind: Sendable, Hashable {
  /// On the file's heap, or in the attribute itself, padded with zeros.
  package var isVariable: Bool
  /// UTF-8, or what HDF5 calls ASCII.
  package var isUTF8: Bool
  /// The bytes that each string of fixed length takes; `nil` takes those of the longest.
  package var length: Int?

  static let variableASCII = HDF5StringKind(isVariable: true, isUTF8: false)
  static let variableUTF8 = HDF5StringKind(isVariable: true, isUTF8: true)
  static let fixedASCII = HDF5StringKind(isVariable: false, isUTF8: false)
}

/// An attribute to be written.
enum HDF5AttributeContent: Sendable {
  case string(String, HDF5StringKind)
  case strings([String], HDF5StringKind, shape: [Int])
  case tensor(Tensor)
}
