import CHDF5
import OrderedCollections

/// Reads the attributes of an open object.
struct HDF5AttributeReader {
  let limits: ReadLimits

  /// The values, and how those that are strings are stored.
  func attributes(of object: hid_t, at path: String) throws(FormatError) -> (
    OrderedDictionary<String, HDF5Attribute>, [String: HDF5StringKind]
  ) {
    var names: [String] = []
    try HDF5Library.call("list the attributes", at: path) {
      unsafe withUnsafeMutablePointer(to: &names) { names in
        unsafe H5Aiterate2(
          object, H5_INDEX_NAME, H5_ITER_INC, nil,
          { _, name, _, context in
            if let name = unsafe name {
              unsafe context?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            }
            return 0
          }, names)
      }
    }
    var attributes: OrderedDictionary<String, HDF5Attribute> = [:]
    var kinds: [String: HDF5StringKind] = [:]
    for name in names {
      guard attributes[name] == nil else { throw HDF5Library.sameName(name, at: path) }
      attributes[name] = try attribute(name, of: object, at: "\(path)@\(name)", kind: &kinds[name])
    }
    return (attributes, kinds)
  }

  private func attribute(
    _ name: String, of object: hid_t, at place: String, kind: inout HDF5StringKind?
  ) throws(FormatError) -> HDF5Attribute {
    let attribute = try HDF5Handle("open an attribute", at: place) { unsafe H5Aopen(object, name, nn_h5p_default()) }
    let type = try HDF5Handle("read a type", at: place) { H5Aget_type(attribute.id) }
    let space = try HDF5Handle("read a shape", at: place) { H5Aget_space(attribute.id) }
    let shape = try HDF5Dataset.extents(of: space.id, limits: limits, at: place)
    let dataType = try HDF5DataType(of: type.id, at: place)
    let count = checkedProduct(shape) ?? 0
    let elementBytes = max(HDF5Library.locked { H5Tget_size(type.id) }, 1)
    guard count <= limits.attributeBytes / elementBytes else {
      throw FormatError(.limit, "HDF5: an attribute of \(count) x \(elementBytes) bytes", at: place)
    }
    switch dataType {
    case .variableString:
      kind = HDF5StringKind(isVariable: true, isUTF8: Self.isUTF8(type.id))
      return .strings(try variableStrings(attribute.id, type.id, space.id, count: count, at: place), shape: shape)
    case .fixedString(let bytes):
      kind = HDF5StringKind(isVariable: false, isUTF8: Self.isUTF8(type.id), length: bytes)
      return .strings(try fixedStrings(attribute.id, type.id, count: count, size: bytes, at: place), shape: shape)
    case .integer, .float, .bool:
      guard let elementType = dataType.elementType else { return .other("numbers of a type that is not read") }
      let memoryType = elementType.nativeHDF5Type ?? type.id
      let bytes = try read(
        attribute.id, as: memoryType, byteCount: count * (elementType.byteCount(of: 1) ?? 0), at: place)
      return .tensor(try Tensor(elementType: elementType, shape: shape, storage: .owned(bytes)))
    case .opaque(let bytes, let tag): return .other("\(count) x \(bytes) opaque bytes \"\(tag)\"")
    case .other(let description): return .other(description)
    }
  }

  private static func isUTF8(_ type: hid_t) -> Bool { HDF5Library.locked { H5Tget_cset(type) == H5T_CSET_UTF8 } }

  private func read(_ attribute: hid_t, as type: hid_t, byteCount: Int, at place: String) throws(FormatError)
    -> AlignedBytes
  {
    try unsafe AlignedBytes(count: byteCount) { (buffer) throws(FormatError) in
      guard byteCount > 0 else { return }
      try HDF5Library.call("read an attribute", at: place) { unsafe H5Aread(attribute, type, buffer.baseAddress) }
    }
  }

  private func variableStrings(
    _ attribute: hid_t, _ type: hid_t, _ space: hid_t, count: Int, at place: String
  ) throws(FormatError) -> [String] {
    guard count > 0 else { return [] }
    var pointers = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try HDF5Library.call("read an attribute", at: place) { unsafe H5Aread(attribute, type, &pointers) }
    defer { HDF5Library.locked { _ = unsafe H5Dvlen_reclaim(type, space, nn_h5p_default(), &pointers) } }
    return unsafe pointers.map { pointer in
      unsafe pointer.map { unsafe String(cString: $0) } ?? ""
    }
  }

  /// Fixed-length strings end at their first zero byte; space padding is cut too.
  private func fixedStrings(
    _ attribute: hid_t, _ type: hid_t, count: Int, size: Int, at place: String
  ) throws(FormatError) -> [String] {
    guard count > 0, size > 0 else { return Array(repeating: "", count: count) }
    let isSpacePadded = HDF5Library.locked { H5Tget_strpad(type) } == H5T_STR_SPACEPAD
    let bytes = try unsafe read(attribute, as: type, byteCount: count * size, at: place).withBytes {
      (buffer) throws(FormatError) in unsafe [UInt8](buffer)
    }
    return (0..<count).map { index in
      var text = bytes[index * size..<(index + 1) * size].prefix { $0 != 0 }
      while isSpacePadded, text.last == 0x20 { text.removeLast() }
      return String(decoding: text, as: UTF8.self)
    }
  }
}
