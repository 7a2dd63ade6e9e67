import OrderedCollections

extension HDF5Tree {
  /// The content of a group as it was read, elements left where they are.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for a link into another file, or a type that is not read, so that
  ///   nothing is lost in silence.
  init(preserving group: HDF5Group) throws(FormatError) {
    attributes = try Self.preserved(group.attributes, group.stringKinds, at: group.path)
    for (name, object) in group.children {
      let path = group.path(of: name)
      switch object {
      case .group(let child): children[name] = .group(try HDF5Tree(preserving: child))
      case .dataset(let dataset):
        children[name] = .dataset(
          HDF5DatasetContent(
            tensor: try dataset.tensor(),
            attributes: try Self.preserved(dataset.attributes, dataset.stringKinds, at: path)))
      case .softLink(let target): children[name] = .softLink(target: target)
      case .externalLink(let target):
        throw FormatError(.refused, "a link into the file \"\(target)\" is not written again", at: path)
      case .other(let description):
        throw FormatError(.unsupported, "\(description) cannot be written again", at: path)
      }
    }
  }

  /// Puts other elements into the dataset at an absolute path, whose attributes stay.
  ///
  /// - Returns: Whether there is such a dataset.
  mutating func replace(_ tensor: Tensor, at path: String) -> Bool {
    let parts = Path.parts(of: path)
    guard let last = parts.last, case .dataset(var dataset) = node(at: parts) else { return false }
    dataset.tensor = tensor
    let changed = dataset
    descend(parts.dropLast()) { $0.children[last] = .dataset(changed) }
    return true
  }

  private static func preserved(
    _ attributes: OrderedDictionary<String, HDF5Attribute>, _ kinds: [String: HDF5StringKind], at path: String
  ) throws(FormatError) -> OrderedDictionary<String, HDF5AttributeContent> {
    var result: OrderedDictionary<String, HDF5AttributeContent> = [:]
    for (name, attribute) in attributes {
      switch attribute {
      case .strings(let texts, let shape):
        result[name] = .strings(texts, kinds[name] ?? .variableUTF8, shape: shape)
      case .tensor(let tensor): result[name] = .tensor(tensor)
      case .other(let description):
        throw FormatError(.unsupported, "an attribute of \(description) cannot be written again", at: "\(path)@\(name)")
      }
    }
    return result
  }
}
