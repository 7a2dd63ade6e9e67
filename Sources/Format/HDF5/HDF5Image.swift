import CHDF5

/// Opens HDF5 bytes where they lie, in a mapped file or in an archive member, without copying them.
///
/// The library's in-memory driver takes a file image; callbacks hand it the existing bytes instead of a copy. The file
/// is opened read-only, so the driver never writes to them.
enum HDF5Image {
  /// The in-memory driver refuses an image whose name is a file: no file can have this one.
  private static let name = "/dev/null/image"

  /// Calls `body` with the id of the opened file, which is closed when `body` returns.
  ///
  /// - Throws: `FormatError` of kind `truncated` when the file is shorter than its superblock says.
  static func open<Result>(
    _ region: ByteRegion, _ body: (hid_t) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    try unsafe region.withBytes { (bytes) throws(FormatError) in
      guard let base = bytes.baseAddress else { throw FormatError(.truncated, "is empty", file: region.name) }
      let image = unsafe UnsafeMutableRawPointer(mutating: base)
      let access = try HDF5Handle("prepare reading", at: nil) { H5Pcreate(nn_h5p_file_access()) }
      try HDF5Library.call("prepare reading", at: nil) { H5Pset_fapl_core(access.id, 1 << 16, false) }
      var callbacks = unsafe H5FD_file_image_callbacks_t(
        image_malloc: { _, _, image in unsafe image },
        image_memcpy: { target, _, _, _, _ in unsafe target },
        image_realloc: { _, _, _, _ in nil },
        image_free: { _, _, _ in 0 },
        udata_copy: { image in unsafe image },
        udata_free: { _ in 0 },
        udata: image)
      try HDF5Library.call("prepare reading", at: nil) { unsafe H5Pset_file_image_callbacks(access.id, &callbacks) }
      try HDF5Library.call("prepare reading", at: nil) { unsafe H5Pset_file_image(access.id, image, bytes.count) }
      let file = try HDF5Handle("open the file", at: nil) { unsafe H5Fopen(name, nn_h5f_acc_rdonly(), access.id) }
      return try body(file.id)
    }
  }
}
