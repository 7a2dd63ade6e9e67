import CHDF5
import OrderedCollections

extension HDF5Index {
  /// The first bytes of every HDF5 file, or of the part behind its user block.
  static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Reads the index of an HDF5 file: the tree, all attributes, and where the datasets lie.
  ///
  /// With `limits.isolation` the library runs in a worker, and so it does when elements are decoded later.
  /// - Throws: `FormatError` with the HDF5 path and the library's own message.
  package init(_ region: ByteRegion, limits: ReadLimits = ReadLimits()) throws(FormatError) {
    do throws(FormatError) {
      if let isolation = limits.isolation {
        try self.init(region, limits: limits, isolation)
        return
      }
      let root = try HDF5Library.locked { () throws(FormatError) in
        try HDF5Image.open(region) { (file) throws(FormatError) in
          var reader = HDF5IndexReader(source: region, limits: limits)
          let root = try HDF5Handle("open the root group", at: "/") { unsafe H5Oopen(file, "/", nn_h5p_default()) }
          reader.listedGroups = [UInt64(nn_object_address(root.id))]
          return try reader.group(root.id, path: "/", depth: 0)
        }
      }
      self.init(root: root)
    } catch {
      throw error.inFile(region.name)
    }
  }
}

/// Walks the tree of an open file.
private struct HDF5IndexReader {
  let source: ByteRegion
  let limits: ReadLimits
  let expansion: ExpansionBudget
  var objectCount = 0
  /// Addresses of all groups so far: one that is linked again, perhaps from inside of itself, is not walked again.
  var listedGroups: Set<UInt64> = []

  init(source: ByteRegion, limits: ReadLimits) {
    self.source = source
    self.limits = limits
    expansion = ExpansionBudget(fileByteCount: source.count)
  }

  mutating func group(_ id: hid_t, path: String, depth: Int) throws(FormatError) -> HDF5Group {
    guard depth <= limits.depth else {
      throw FormatError(.limit, "HDF5: groups nest deeper than \(limits.depth) levels", at: path)
    }
    var group = HDF5Group(path: path)
    (group.attributes, group.stringKinds) = try HDF5AttributeReader(limits: limits).attributes(of: id, at: path)
    for name in try names(in: id, at: path) {
      objectCount += 1
      guard objectCount <= limits.objectCount else {
        throw FormatError(.limit, "HDF5: more than \(limits.objectCount) objects", at: path)
      }
      guard group.children[name] == nil else { throw HDF5Library.sameName(name, at: path) }
      group.children[name] = try object(name, in: id, path: group.path(of: name), depth: depth)
    }
    return group
  }

  private func names(in group: hid_t, at path: String) throws(FormatError) -> [String] {
    var names: [String] = []
    try HDF5Library.call("list a group", at: path) {
      unsafe withUnsafeMutablePointer(to: &names) { names in
        unsafe H5Literate(
          group, H5_INDEX_NAME, H5_ITER_INC, nil,
          { _, name, _, context in
            if let name = unsafe name {
              unsafe context?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            }
            return 0
          }, names)
      }
    }
    return names
  }

  private mutating func object(
    _ name: String, in group: hid_t, path: String, depth: Int
  ) throws(FormatError) -> HDF5Object {
    var link = H5L_info_t()
    try HDF5Library.call("read a link", at: path) { unsafe H5Lget_info(group, name, &link, nn_h5p_default()) }
    guard link.type == H5L_TYPE_HARD else { return try linkTarget(name, in: group, link, path: path) }
    let object = try HDF5Handle("open an object", at: path) { unsafe H5Oopen(group, name, nn_h5p_default()) }
    switch HDF5Library.locked({ H5Iget_type(object.id) }) {
    case H5I_GROUP:
      let address = UInt64(unsafe link.u.address)
      guard listedGroups.insert(address).inserted else { return .other(HDF5Object.repeatedGroup) }
      return .group(try self.group(object.id, path: path, depth: depth + 1))
    case H5I_DATASET: return .dataset(try dataset(object.id, path: path))
    case H5I_DATATYPE: return .other("a named type")
    default: return .other("an object of an unknown kind")
    }
  }

  private func linkTarget(
    _ name: String, in group: hid_t, _ link: H5L_info_t, path: String
  ) throws(FormatError) -> HDF5Object {
    let size = unsafe link.u.val_size
    guard size <= limits.attributeBytes else { throw FormatError(.limit, "HDF5: a link of \(size) bytes", at: path) }
    var bytes = [CChar](repeating: 0, count: size + 1)
    try HDF5Library.call("read a link", at: path) { unsafe H5Lget_val(group, name, &bytes, size, nn_h5p_default()) }
    // An external link holds a flag byte, the file name and the path, each ended by a zero.
    let skipped = link.type == H5L_TYPE_EXTERNAL ? 1 : 0
    let target = String(
      decoding: bytes.dropFirst(skipped).prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return switch link.type {
    case H5L_TYPE_SOFT: .softLink(target: target)
    case H5L_TYPE_EXTERNAL: .externalLink(target: target)
    default: .other("a link of an unknown class")
    }
  }

  private func dataset(_ id: hid_t, path: String) throws(FormatError) -> HDF5Dataset {
    let type = try HDF5Handle("read a type", at: path) { H5Dget_type(id) }
    let space = try HDF5Handle("read a shape", at: path) { H5Dget_space(id) }
    let creation = try HDF5Handle("read a layout", at: path) { H5Dget_create_plist(id) }
    let (attributes, kinds) = try HDF5AttributeReader(limits: limits).attributes(of: id, at: path)
    return HDF5Dataset(
      path: path, type: try HDF5DataType(of: type.id, at: path),
      shape: try HDF5Dataset.extents(of: space.id, limits: limits, at: path),
      layout: try layout(of: id, creation: creation.id, path: path),
      attributes: attributes, stringKinds: kinds, source: source,
      expansion: expansion, elements: nil)
  }

  private func layout(of dataset: hid_t, creation: hid_t, path: String) throws(FormatError) -> HDF5Dataset.Layout {
    if try HDF5Library.call("read a layout", at: path, { H5Pget_external_count(creation) }) > 0 { return .external }
    let layout = try HDF5Library.call("read a layout", at: path) { H5Pget_layout(creation).rawValue }
    switch layout {
    case H5D_CONTIGUOUS.rawValue:
      var status = H5D_SPACE_STATUS_ERROR
      try HDF5Library.call("read a layout", at: path) { unsafe H5Dget_space_status(dataset, &status) }
      // Behind a user block the offset of a dataset without bytes is not the undefined one.
      guard status != H5D_SPACE_STATUS_NOT_ALLOCATED else { return .contiguous(offset: nil) }
      let offset = HDF5Library.locked { H5Dget_offset(dataset) }
      return .contiguous(offset: offset == nn_haddr_undef() ? nil : Int(exactly: offset))
    case H5D_COMPACT.rawValue: return .compact
    case H5D_CHUNKED.rawValue:
      return .chunked(storedBytes: Int(clamping: HDF5Library.locked { H5Dget_storage_size(dataset) }))
    default: return .virtual
    }
  }
}

extension HDF5Dataset {
  /// The extents of a dataspace; empty for a scalar.
  ///
  /// - Throws: `FormatError` of kind `limit` when the rank or the number of elements is out of bounds.
  static func extents(of space: hid_t, limits: ReadLimits, at place: String) throws(FormatError) -> [Int] {
    let rank = Int(try HDF5Library.call("read a shape", at: place) { H5Sget_simple_extent_ndims(space) })
    guard rank <= limits.rank else { throw FormatError(.limit, "HDF5: \(rank) axes", at: place) }
    if HDF5Library.locked({ H5Sget_simple_extent_type(space) }) == H5S_NULL { return [0] }
    guard rank > 0 else { return [] }
    var extents = [hsize_t](repeating: 0, count: rank)
    try HDF5Library.call("read a shape", at: place) { unsafe H5Sget_simple_extent_dims(space, &extents, nil) }
    let shape = extents.map { Int(clamping: $0) }
    guard checkedProduct(shape) != nil else {
      throw FormatError(.limit, "HDF5: shape \(shape) has too many elements", at: place)
    }
    return shape
  }
}
