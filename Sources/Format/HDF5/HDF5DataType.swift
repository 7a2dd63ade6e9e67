import CHDF5

/// The element type of a dataset or attribute, as far as models use it.
package enum HDF5DataType: Sendable, Hashable {
  case integer(bytes: Int, isSigned: Bool, isBigEndian: Bool)
  /// An IEEE number, or one with bfloat16's layout of bits.
  case float(ElementType, isBigEndian: Bool)
  /// An enumeration over bytes with the members FALSE and TRUE, which is how h5py stores booleans.
  case bool
  /// Uninterpreted bytes with a tag; Keras stores bfloat16 this way.
  case opaque(bytes: Int, tag: String)
  case fixedString(bytes: Int)
  case variableString
  case other(String)

  /// Reads the description of a type.
  init(of type: hid_t, at place: String) throws(FormatError) {
    let size = HDF5Library.locked { H5Tget_size(type) }
    let order = HDF5Library.locked { H5Tget_order(type) }
    let isBigEndian = order == H5T_ORDER_BE
    let isPlain = Self.fillsItsBytes(type, size: size) && (isBigEndian || order == H5T_ORDER_LE)
    switch HDF5Library.locked({ H5Tget_class(type) }) {
    case H5T_INTEGER where [1, 2, 4, 8].contains(size) && isPlain:
      let sign = try HDF5Library.call("read a type", at: place) { H5Tget_sign(type).rawValue }
      self = .integer(bytes: size, isSigned: sign != H5T_SGN_NONE.rawValue, isBigEndian: isBigEndian)
    case H5T_FLOAT:
      guard isPlain, let elementType = Self.floatType(type, size: size) else {
        self = .other("a floating-point type of \(size) bytes")
        return
      }
      self = .float(elementType, isBigEndian: isBigEndian)
    case H5T_ENUM: self = Self.isBoolean(type, size: size) ? .bool : .other("an enumeration")
    case H5T_OPAQUE: self = .opaque(bytes: size, tag: Self.tag(of: type))
    case H5T_STRING:
      let isVariable = try HDF5Library.call("read a type", at: place) { H5Tis_variable_str(type) } > 0
      self = isVariable ? .variableString : .fixedString(bytes: size)
    case H5T_COMPOUND: self = .other("a compound type")
    case H5T_REFERENCE: self = .other("a reference")
    case H5T_VLEN: self = .other("a variable-length type")
    case H5T_ARRAY: self = .other("an array type")
    default: self = .other("a type of \(size) bytes")
    }
  }

  /// The element type of tensors over this type; `nil` when there is none.
  package var elementType: ElementType? {
    switch self {
    case .integer(let bytes, let isSigned, _):
      switch bytes {
      case 1: isSigned ? .int8 : .uint8
      case 2: isSigned ? .int16 : .uint16
      case 4: isSigned ? .int32 : .uint32
      default: isSigned ? .int64 : .uint64
      }
    case .float(let elementType, _): elementType
    case .bool: .bool
    // Keras's legacy files hold bfloat16 without any mark but the size.
    case .opaque(bytes: 2, _): .bfloat16
    case .opaque, .fixedString, .variableString, .other: nil
    }
  }

  /// Whether the stored bytes are those of a little-endian machine.
  var isLittleEndian: Bool {
    switch self {
    case .integer(let bytes, _, let isBigEndian): bytes == 1 || !isBigEndian
    case .float(_, let isBigEndian): !isBigEndian
    default: true
    }
  }

  /// Size of one element as it is stored.
  var byteCount: Int? {
    switch self {
    case .fixedString(let bytes), .opaque(let bytes, _): bytes
    default: elementType.flatMap { $0.byteCount(of: 1) }
    }
  }

  private static func floatType(_ type: hid_t, size: Int) -> ElementType? {
    var (sign, exponentPosition, exponentSize, mantissaPosition, mantissaSize) = (0, 0, 0, 0, 0)
    let status = HDF5Library.locked {
      unsafe H5Tget_fields(type, &sign, &exponentPosition, &exponentSize, &mantissaPosition, &mantissaSize)
    }
    // Elsewhere than IEEE 754 has them, the same bits are another number.
    guard status >= 0, mantissaPosition == 0, exponentPosition == mantissaSize, sign == size * 8 - 1,
      exponentSize < size * 8, HDF5Library.locked({ H5Tget_ebias(type) }) == 1 << (exponentSize - 1) - 1,
      HDF5Library.locked({ H5Tget_norm(type) }) == H5T_NORM_IMPLIED
    else { return nil }
    return switch (size, exponentSize, mantissaSize) {
    case (2, 5, 10): .float16
    case (2, 8, 7): .bfloat16
    case (4, 8, 23): .float32
    case (8, 11, 52): .float64
    default: nil
    }
  }

  /// Whether the bits of a number are all of its bytes, none of them padding.
  private static func fillsItsBytes(_ type: hid_t, size: Int) -> Bool {
    HDF5Library.locked { H5Tget_precision(type) == size * 8 && H5Tget_offset(type) == 0 }
  }

  private static func isBoolean(_ type: hid_t, size: Int) -> Bool {
    guard size == 1, HDF5Library.locked({ H5Tget_nmembers(type) }) == 2 else { return false }
    let members = (0..<2).map { index in
      HDF5Library.locked { () -> (name: String, value: UInt8?) in
        guard let text = unsafe H5Tget_member_name(type, UInt32(index)) else { return ("", nil) }
        defer { unsafe H5free_memory(text) }
        var value: UInt8 = 0
        let status = unsafe H5Tget_member_value(type, UInt32(index), &value)
        return (unsafe String(cString: text), status >= 0 ? value : nil)
      }
    }
    return ["FALSE", "TRUE"].enumerated().allSatisfy { value, name in
      members.contains { $0.name == name && $0.value == UInt8(value) }
    }
  }

  private static func tag(of type: hid_t) -> String {
    HDF5Library.locked {
      guard let text = unsafe H5Tget_tag(type) else { return "" }
      defer { unsafe H5free_memory(text) }
      return unsafe String(cString: text)
    }
  }
}
