import COnnx

/// The elements of a tensor that are listed in the field which its type prescribes.
@safe struct TypedElements {
  /// The field that holds the elements of a type. Types of up to 32 bits without a field of their own share `int32_data`.
  enum Field: UInt32 {
    case float = 4
    case int32 = 5
    case string = 6
    case int64 = 7
    case double = 10
    case uint64 = 11

    init(_ elementType: ElementType) {
      self =
        switch elementType {
        case .float32, .complex64: .float
        case .float64, .complex128: .double
        case .int64: .int64
        case .uint32, .uint64: .uint64
        case .string: .string
        default: .int32
        }
    }
  }

  private let proto: Onnx__TensorProto
  private let elementType: ElementType
  private let field: Field
  /// Entries in the field.
  private let entries: Int

  /// - Throws: `FormatError` of kind `malformed` when a field that is not the type's holds elements.
  @unsafe init(_ proto: Onnx__TensorProto, _ elementType: ElementType) throws(FormatError) {
    unsafe self.proto = unsafe proto
    self.elementType = elementType
    field = Field(elementType)
    let counts: [(Field, Int, String)] = unsafe [
      (.float, proto.n_float_data, "float_data"), (.int32, proto.n_int32_data, "int32_data"),
      (.string, proto.n_string_data, "string_data"), (.int64, proto.n_int64_data, "int64_data"),
      (.double, proto.n_double_data, "double_data"), (.uint64, proto.n_uint64_data, "uint64_data"),
    ]
    var entries = 0
    for (candidate, count, name) in counts where count > 0 {
      guard candidate == field else {
        throw FormatError(.malformed, "it is of type \(elementType.name), but its elements are in \(name)")
      }
      entries = count
    }
    self.entries = entries
  }

  var isEmpty: Bool { entries == 0 }

  /// The dense little-endian form of `count` elements.
  @unsafe func storage(count: Int, _ encoding: inout TensorEncoding) throws(FormatError) -> TensorStorage {
    let expected: Int? =
      switch elementType {
      case .complex64, .complex128: count.multipliedReportingOverflow(by: 2).overflow ? nil : count * 2
      case .float6e2m3, .float6e3m2: count
      case let type where (type.bitWidth ?? 8) < 8: type.byteCount(of: count)
      default: count
      }
    guard entries == expected else {
      throw FormatError(
        .mismatch, "\(expected.map(String.init) ?? "more") elements are needed, \(entries) are stored")
    }
    switch field {
    case .float: return try unsafe .copy(UnsafeBufferPointer(start: proto.float_data, count: entries))
    case .double: return try unsafe .copy(UnsafeBufferPointer(start: proto.double_data, count: entries))
    case .int64: return try unsafe .copy(UnsafeBufferPointer(start: proto.int64_data, count: entries))
    case .string:
      return .strings(unsafe UnsafeBufferPointer(start: proto.string_data, count: entries).map { unsafe $0.array })
    case .uint64:
      let numbers = unsafe UnsafeBufferPointer(start: proto.uint64_data, count: entries)
      guard elementType == .uint32 else { return try unsafe .copy(numbers) }
      return .owned(
        AlignedBytes(
          copying: try unsafe numbers.map { (number) throws(FormatError) in try narrow(number, UInt32.self) }))
    case .int32:
      let numbers = unsafe UnsafeBufferPointer(start: proto.int32_data, count: entries)
      guard elementType != .int32 else { return try unsafe .copy(numbers) }
      return try narrowed(unsafe Array(numbers), &encoding)
    }
  }

  private func narrowed(_ numbers: [Int32], _ encoding: inout TensorEncoding) throws(FormatError) -> TensorStorage {
    let bytes: AlignedBytes
    switch elementType.bitWidth {
    case 16:
      bytes = AlignedBytes(copying: try numbers.map { (number) throws(FormatError) in try bits(number, UInt16.self) })
    case 6:
      bytes = AlignedBytes(
        copying: PackedElements.packed(
          try numbers.map { (number) throws(FormatError) in try bits6(number) }, elementType))
    default:
      let isBool = elementType == .bool
      bytes = AlignedBytes(
        copying: try numbers.map { (number) throws(FormatError) in
          isBool ? (number == 0 ? 0 : 1) : try bits(number, UInt8.self)
        })
    }
    if Self.numbers(of: bytes, elementType, count: numbers.count) != numbers { encoding.statedNumbers = numbers }
    return .owned(bytes)
  }

  private func bits<Bits: FixedWidthInteger & UnsignedInteger>(
    _ number: Int32, _: Bits.Type
  ) throws(FormatError) -> Bits {
    guard number >= -(1 << (Bits.bitWidth - 1)), number < 1 << Bits.bitWidth else { throw outOfRange(number) }
    return Bits(truncatingIfNeeded: number)
  }

  private func bits6(_ number: Int32) throws(FormatError) -> UInt8 {
    guard (0..<64).contains(number) else { throw outOfRange(number) }
    return UInt8(number)
  }

  private func narrow<Narrow: FixedWidthInteger>(_ number: UInt64, _: Narrow.Type) throws(FormatError) -> Narrow {
    guard let narrow = Narrow(exactly: number) else { throw outOfRange(number) }
    return narrow
  }

  private func outOfRange(_ number: some BinaryInteger) -> FormatError {
    FormatError(.malformed, "it holds \(number), which \(elementType.name) cannot")
  }
}

extension TensorStorage {
  /// A copy of an array of the C library.
  @unsafe fileprivate static func copy<Scalar: BitwiseCopyable>(
    _ buffer: UnsafeBufferPointer<Scalar>
  ) throws(FormatError) -> TensorStorage {
    .owned(
      try unsafe AlignedBytes(count: buffer.count * MemoryLayout<Scalar>.stride) {
        unsafe $0.copyMemory(from: UnsafeRawBufferPointer(buffer))
      })
  }
}
