import CHDF5

extension HDF5Handle {
  /// The file type that h5py stores an element type in; bfloat16 becomes two opaque bytes, as Keras does it.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for types that Keras files do not hold.
  static func type(storing elementType: ElementType, at place: String) throws(FormatError) -> HDF5Handle {
    switch elementType {
    case .float16: return try float16(at: place)
    case .bfloat16: return try HDF5Handle("describe a type", at: place) { H5Tcreate(H5T_OPAQUE, 2) }
    case .bool: return try boolean(at: place)
    default:
      guard let native = elementType.nativeHDF5Type else {
        throw FormatError(.unsupported, "HDF5 files of Keras hold no \(elementType.name)", at: place)
      }
      return try HDF5Handle("describe a type", at: place) { H5Tcopy(native) }
    }
  }

  /// A string type; `length` counts for fixed ones.
  static func stringType(_ kind: HDF5StringKind, length: Int, at place: String) throws(FormatError) -> HDF5Handle {
    let type = try HDF5Handle("describe a type", at: place) { H5Tcopy(nn_h5t_c_s1()) }
    try HDF5Library.call("describe a type", at: place) {
      H5Tset_size(type.id, kind.isVariable ? nn_h5t_variable() : length)
    }
    try HDF5Library.call("describe a type", at: place) {
      H5Tset_cset(type.id, kind.isUTF8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII)
    }
    if !kind.isVariable {
      try HDF5Library.call("describe a type", at: place) { H5Tset_strpad(type.id, H5T_STR_NULLPAD) }
    }
    return type
  }

  /// A dataspace; no extents make a scalar.
  static func space(_ shape: [Int], at place: String) throws(FormatError) -> HDF5Handle {
    if shape.isEmpty { return try HDF5Handle("describe a shape", at: place) { H5Screate(H5S_SCALAR) } }
    let extents = shape.map { hsize_t(clamping: $0) }
    return try HDF5Handle("describe a shape", at: place) { unsafe H5Screate_simple(Int32(extents.count), extents, nil) }
  }

  private static func float16(at place: String) throws(FormatError) -> HDF5Handle {
    let type = try HDF5Handle("describe a type", at: place) { H5Tcopy(nn_h5t_ieee_f32le()) }
    // Sign at bit 15, five bits of exponent, ten of mantissa.
    try HDF5Library.call("describe a type", at: place) { H5Tset_fields(type.id, 15, 10, 5, 0, 10) }
    try HDF5Library.call("describe a type", at: place) { H5Tset_size(type.id, 2) }
    try HDF5Library.call("describe a type", at: place) { H5Tset_ebias(type.id, 15) }
    return type
  }

  private static func boolean(at place: String) throws(FormatError) -> HDF5Handle {
    let type = try HDF5Handle("describe a type", at: place) { H5Tenum_create(nn_h5t_native_int8()) }
    for (name, value) in [("FALSE", Int8(0)), ("TRUE", Int8(1))] {
      var value = value
      try HDF5Library.call("describe a type", at: place) { unsafe H5Tenum_insert(type.id, name, &value) }
    }
    return type
  }
}
