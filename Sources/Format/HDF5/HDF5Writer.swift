import CHDF5

/// Writes an HDF5 file: libhdf5 lays out the structure, then the elements go straight from where they are to their place.
///
/// Nothing in the file depends on time or addresses, so the same content gives the same bytes. Elements are never gathered
/// in memory.
struct HDF5Writer {
  /// A dataset whose place is known and whose elements are still to be written.
  private struct Payload {
    var offset: Int
    var tensor: Tensor
    var path: String
  }

  private var payloads: [Payload] = []

  /// Writes a tree in the place of the file at `path`.
  ///
  /// - Throws: `FormatError`; the old file stays as it was then.
  static func write(_ tree: HDF5Tree, to path: String) throws(FormatError) {
    let file = try AtomicWriter(replacing: path, isNamed: true)
    do throws(FormatError) {
      try write(tree, into: file)
    } catch {
      throw error.inFile(path)
    }
    try file.commit()
  }

  /// Fills an open temporary file.
  static func write(_ tree: HDF5Tree, into file: borrowing AtomicWriter) throws(FormatError) {
    var writer = HDF5Writer()
    try HDF5Library.locked { () throws(FormatError) in
      let handle = try file.withName { (name) throws(FormatError) in
        try HDF5Handle("create the file", at: nil) {
          unsafe H5Fcreate(name, nn_h5f_acc_trunc(), nn_h5p_default(), nn_h5p_default())
        }
      }
      let root = try HDF5Handle("open the root group", at: "/") { unsafe H5Oopen(handle.id, "/", nn_h5p_default()) }
      try writer.fill(root.id, with: tree, path: "")
      try HDF5Library.call("write the file", at: nil) { H5Fflush(handle.id, H5F_SCOPE_GLOBAL) }
    }
    for payload in writer.payloads { try file.write(payload.tensor, at: payload.offset) }
  }

  private mutating func fill(_ group: hid_t, with tree: HDF5Tree, path: String) throws(FormatError) {
    // In the order in which they are read back, so that a copy of the file has its bytes.
    for (name, attribute) in tree.attributes.sorted(by: { Self.precedes($0.key, $1.key) }) {
      try write(attribute, named: name, on: group, path: path)
    }
    for (name, node) in tree.children.sorted(by: { Self.precedes($0.key, $1.key) }) {
      let childPath = "\(path)/\(name)"
      switch node {
      case .group(let child):
        let handle = try HDF5Handle("create a group", at: childPath) {
          unsafe H5Gcreate2(group, name, nn_h5p_default(), nn_h5p_default(), nn_h5p_default())
        }
        try fill(handle.id, with: child, path: childPath)
      case .dataset(let dataset): try write(dataset, named: name, in: group, path: childPath)
      case .softLink(let target):
        try HDF5Library.call("create a link", at: childPath) {
          unsafe H5Lcreate_soft(target, group, name, nn_h5p_default(), nn_h5p_default())
        }
      }
    }
  }

  private static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private mutating func write(
    _ dataset: HDF5DatasetContent, named name: String, in group: hid_t, path: String
  ) throws(FormatError) {
    let tensor = dataset.tensor
    let type = try HDF5Handle.type(storing: tensor.elementType, at: path)
    let space = try HDF5Handle.space(tensor.shape, at: path)
    let creation = try HDF5Handle("describe a dataset", at: path) { H5Pcreate(nn_h5p_dataset_create()) }
    try HDF5Library.call("describe a dataset", at: path) { H5Pset_obj_track_times(creation.id, false) }
    // Space is taken at once and left as it is, since the elements are written behind the library's back.
    try HDF5Library.call("describe a dataset", at: path) { H5Pset_alloc_time(creation.id, H5D_ALLOC_TIME_EARLY) }
    try HDF5Library.call("describe a dataset", at: path) { H5Pset_fill_time(creation.id, H5D_FILL_TIME_NEVER) }
    let handle = try HDF5Handle("create a dataset", at: path) {
      unsafe H5Dcreate2(group, name, type.id, space.id, nn_h5p_default(), creation.id, nn_h5p_default())
    }
    for (name, attribute) in dataset.attributes { try write(attribute, named: name, on: handle.id, path: path) }
    guard tensor.byteCount > 0 else { return }
    let offset = HDF5Library.locked { H5Dget_offset(handle.id) }
    guard offset != nn_haddr_undef(), let place = Int(exactly: offset) else {
      throw FormatError(.io, "HDF5: the library gave the dataset no place", at: path)
    }
    payloads.append(Payload(offset: place, tensor: tensor, path: path))
  }

  private func write(
    _ attribute: HDF5AttributeContent, named name: String, on object: hid_t, path: String
  ) throws(FormatError) {
    let place = "\(path)@\(name)"
    switch attribute {
    case .string(let text, let kind): try write([text], kind, shape: [], named: name, on: object, at: place)
    case .strings(let texts, let kind, let shape):
      try write(texts, kind, shape: shape, named: name, on: object, at: place)
    case .tensor(let tensor):
      let type = try HDF5Handle.type(storing: tensor.elementType, at: place)
      let handle = try create(name, type.id, tensor.shape, on: object, at: place)
      guard tensor.count > 0 else { return }
      _ = try unsafe tensor.withBytes { (bytes) throws(FormatError) in
        try HDF5Library.call("write an attribute", at: place) { unsafe H5Awrite(handle.id, type.id, bytes.baseAddress) }
      }
    }
  }

  private func write(
    _ texts: [String], _ kind: HDF5StringKind, shape: [Int], named name: String, on object: hid_t, at place: String
  ) throws(FormatError) {
    let width = max(texts.map(\.utf8.count).max() ?? 0, kind.length ?? 0, 1)
    let type = try HDF5Handle.stringType(kind, length: width, at: place)
    let handle = try create(name, type.id, shape, on: object, at: place)
    guard !texts.isEmpty else { return }
    if kind.isVariable {
      try unsafe withPointers(to: texts.map { Array($0.utf8CString) }) { (pointers) throws(FormatError) in
        try HDF5Library.call("write an attribute", at: place) {
          unsafe H5Awrite(handle.id, type.id, pointers.baseAddress)
        }
      }
    } else {
      let bytes = texts.flatMap { text in Array(text.utf8) + [UInt8](repeating: 0, count: width - text.utf8.count) }
      try HDF5Library.call("write an attribute", at: place) { unsafe H5Awrite(handle.id, type.id, bytes) }
    }
  }

  private func create(
    _ name: String, _ type: hid_t, _ shape: [Int], on object: hid_t, at place: String
  ) throws(FormatError) -> HDF5Handle {
    let space = try HDF5Handle.space(shape, at: place)
    return try HDF5Handle("create an attribute", at: place) {
      unsafe H5Acreate2(object, name, type, space.id, nn_h5p_default(), nn_h5p_default())
    }
  }

  /// Calls `body` with the addresses of zero-terminated strings.
  private func withPointers(
    to strings: [[CChar]], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) throws(FormatError) -> Void
  ) throws(FormatError) {
    var joined: [CChar] = []
    var starts: [Int] = []
    for string in strings {
      starts.append(joined.count)
      joined += string
    }
    var failure: FormatError?
    unsafe joined.withUnsafeBufferPointer { buffer in
      let pointers = unsafe starts.map { start in unsafe buffer.baseAddress.map { unsafe $0 + start } }
      unsafe pointers.withUnsafeBufferPointer { pointers in
        do throws(FormatError) { try unsafe body(pointers) } catch { failure = error }
      }
    }
    if let failure { throw failure }
  }
}
