import CHDF5

/// An owned id of the library, given back when the value goes.
///
/// Only ids that the library has just handed out are wrapped, so that closing one can never hit a stranger's.
struct HDF5Handle: ~Copyable {
  let id: hid_t

  /// Takes ownership of the id that `open` returns.
  ///
  /// - Throws: `FormatError` with the library's message when it is negative.
  init(_ action: String, at place: String?, _ open: () -> hid_t) throws(FormatError) {
    id = try HDF5Library.call(action, at: place, open)
  }

  deinit {
    let id = id
    HDF5Library.locked { _ = H5Idec_ref(id) }
  }
}
