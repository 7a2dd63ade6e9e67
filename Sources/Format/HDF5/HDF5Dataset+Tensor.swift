import CHDF5

extension HDF5Dataset {
  /// The dataset as a tensor.
  ///
  /// A contiguous little-endian dataset stays where it is in the mapped file; any other is decoded by the library when
  /// its bytes are first asked for.
  /// - Throws: `FormatError` when elements lie outside of the file, the type is no tensor's, or the declared size is out
  ///   of proportion to what is stored.
  package func tensor(limits: ReadLimits = ReadLimits()) throws(FormatError) -> Tensor {
    do throws(FormatError) {
      return try makeTensor(limits: limits)
    } catch {
      var error = error.inFile(source.name)
      error.place = error.place ?? path
      throw error
    }
  }

  private func makeTensor(limits: ReadLimits) throws(FormatError) -> Tensor {
    guard let elementType = type.elementType, let count = checkedProduct(shape),
      let byteCount = elementType.byteCount(of: count)
    else {
      throw FormatError(.unsupported, "a dataset of \(type.description) is not a weight", at: path)
    }
    switch layout {
    case .external: throw FormatError(.refused, "the dataset keeps its elements in another file", at: path)
    case .virtual: throw FormatError(.refused, "the dataset is a view of other files", at: path)
    case .contiguous(let offset?) where type.isLittleEndian:
      guard offset >= 0, byteCount <= source.count, offset <= source.count - byteCount else {
        throw FormatError(
          .truncated, "the file ends at byte \(source.count), but \(byteCount) bytes at \(offset) are needed", at: path)
      }
      let storage = try source.tensorStorage(offset..<offset + byteCount)
      return try Tensor(elementType: elementType, shape: shape, storage: storage)
    case .contiguous(let offset):
      guard offset == nil || byteCount <= source.count else {
        throw FormatError(
          .truncated, "the file has \(source.count) bytes, but the dataset needs \(byteCount)", at: path)
      }
      fallthrough
    case .compact, .chunked:
      guard limits.allowsExpansion(stored: storedBytes, declared: byteCount) else {
        throw FormatError(
          .limit, "the dataset declares \(byteCount) bytes, but \(storedBytes) are stored", at: path)
      }
      try expansion.grant(byteCount, to: path, limits)
      let load: @Sendable () throws(FormatError) -> AlignedBytes = { () throws(FormatError) in
        try decoded(elementType, byteCount: byteCount)
      }
      return try Tensor(elementType: elementType, shape: shape, storage: .deferred(byteCount: byteCount, load: load))
    }
  }

  private var storedBytes: Int {
    switch layout {
    case .chunked(let storedBytes): storedBytes
    case .contiguous(nil): 0
    default: source.count
    }
  }

  private func decoded(_ elementType: ElementType, byteCount: Int) throws(FormatError) -> AlignedBytes {
    let wanted = HDF5Elements(path: path, elementType: elementType, isLittleEndian: type.isLittleEndian)
    do throws(FormatError) {
      if let elements { return try elements.bytes(of: wanted, byteCount: byteCount) }
      return try unsafe AlignedBytes(count: byteCount) { (buffer) throws(FormatError) in
        try unsafe wanted.read(from: source, into: buffer)
      }
    } catch {
      throw error.inFile(source.name)
    }
  }
}

extension ElementType {
  /// The library's id of the little-endian memory type; `nil` where the library has none.
  var nativeHDF5Type: hid_t? {
    HDF5Library.locked {
      switch self {
      case .int8: nn_h5t_native_int8()
      case .int16: nn_h5t_native_int16()
      case .int32: nn_h5t_native_int32()
      case .int64: nn_h5t_native_int64()
      case .uint8: nn_h5t_native_uint8()
      case .uint16: nn_h5t_native_uint16()
      case .uint32: nn_h5t_native_uint32()
      case .uint64: nn_h5t_native_uint64()
      case .float32: nn_h5t_ieee_f32le()
      case .float64: nn_h5t_ieee_f64le()
      default: nil
      }
    }
  }
}

extension HDF5DataType: CustomStringConvertible {
  package var description: String {
    switch self {
    case .integer(let bytes, let isSigned, _): "\(isSigned ? "" : "unsigned ")\(bytes * 8)-bit integers"
    case .float(let elementType, _): elementType.name
    case .bool: "booleans"
    case .opaque(let bytes, let tag): "\(bytes) opaque bytes" + (tag.isEmpty ? "" : " \"\(tag)\"")
    case .fixedString, .variableString: "strings"
    case .other(let description): description
    }
  }
}
