extension Tensor {
  /// The tensor in another real or integer element type; the same one when the type is already right.
  ///
  /// Floating-point results are rounded to nearest, ties to even. The elements are read when they are asked for.
  /// - Throws: `FormatError` of kind `unsupported` for types without a conversion.
  public func converted(to target: ElementType) throws(FormatError) -> Tensor {
    guard target != elementType else { return self }
    guard Self.isConvertible(elementType), Self.isConvertible(target), let byteCount = target.byteCount(of: count)
    else {
      throw FormatError(.unsupported, "\(elementType.name) cannot be converted to \(target.name)")
    }
    let load: @Sendable () throws(FormatError) -> AlignedBytes = { () throws(FormatError) in
      try self.convertedBytes(to: target, byteCount: byteCount)
    }
    return try Tensor(elementType: target, shape: shape, storage: .deferred(byteCount: byteCount, load: load))
  }

  /// All elements as numbers, for types that a double holds; 64-bit integers are rounded.
  public func doubles() throws(FormatError) -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(count)
    try forEachDouble { values.append($0) }
    return values
  }

  /// Calls `body` with each element as a number, in order, without an array of them.
  public func forEachDouble(_ body: (Double) -> Void) throws(FormatError) {
    try unsafe withBytes { (bytes) throws(FormatError) in
      guard let read = unsafe Self.reader(of: elementType) else {
        throw FormatError(.unsupported, "elements of type \(elementType.name) are not plain numbers")
      }
      for index in 0..<count { unsafe body(read(bytes, index)) }
    }
  }

  /// Calls `body` with the elements of two tensors of as many elements in pairs.
  func forEachDouble(beside other: Tensor, _ body: (Double, Double) -> Void) throws(FormatError) {
    try unsafe withBytes { (bytes) throws(FormatError) in
      try unsafe other.withBytes { (others) throws(FormatError) in
        guard let read = unsafe Self.reader(of: elementType), let readOther = unsafe Self.reader(of: other.elementType)
        else {
          throw FormatError(.unsupported, "elements of type \(elementType.name) are not plain numbers")
        }
        for index in 0..<min(count, other.count) { unsafe body(read(bytes, index), readOther(others, index)) }
      }
    }
  }

  private static func isConvertible(_ elementType: ElementType) -> Bool { unsafe reader(of: elementType) != nil }

  private func convertedBytes(to target: ElementType, byteCount: Int) throws(FormatError) -> AlignedBytes {
    try unsafe withBytes { (source) throws(FormatError) in
      guard let read = unsafe Self.reader(of: elementType) else {
        throw FormatError(.unsupported, "elements of type \(elementType.name) are not plain numbers")
      }
      return try unsafe AlignedBytes(count: byteCount) { buffer in
        for index in 0..<count { unsafe Self.store(read(source, index), as: target, in: buffer, at: index) }
      }
    }
  }

  /// Reads one element; every supported type but 64-bit integers fits a double exactly.
  private static func reader(of elementType: ElementType) -> ((UnsafeRawBufferPointer, Int) -> Double)? {
    func load<Scalar: BitwiseCopyable>(
      _: Scalar.Type, _ number: @escaping (Scalar) -> Double
    ) -> (UnsafeRawBufferPointer, Int) -> Double {
      { bytes, index in
        unsafe number(bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Scalar>.stride, as: Scalar.self))
      }
    }
    return switch elementType {
    case .float32: unsafe load(Float.self) { Double($0) }
    case .float64: unsafe load(Double.self) { $0 }
    case .float16: unsafe load(Float16.self) { Double($0) }
    case .bfloat16: unsafe load(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .int8: unsafe load(Int8.self) { Double($0) }
    case .int16: unsafe load(Int16.self) { Double($0) }
    case .int32: unsafe load(Int32.self) { Double($0) }
    case .int64: unsafe load(Int64.self) { Double($0) }
    case .uint8: unsafe load(UInt8.self) { Double($0) }
    case .uint16: unsafe load(UInt16.self) { Double($0) }
    case .uint32: unsafe load(UInt32.self) { Double($0) }
    case .uint64: unsafe load(UInt64.self) { Double($0) }
    case .bool: unsafe load(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .float8e8m0: unsafe load(UInt8.self) { Double(ScaleExponent.decode($0)) }
    case .int4, .int2, .uint4, .uint2:
      { bytes, index in
        let element = unsafe PackedElements.element(index, of: bytes, elementType)
        return elementType == .int4 || elementType == .int2 ? Double(Int8(bitPattern: element)) : Double(element)
      }
    default:
      unsafe SmallFloat.format(of: elementType).map { format in
        { bytes, index in Double(format.values[Int(unsafe PackedElements.element(index, of: bytes, elementType))]) }
      }
    }
  }

  private static func store(
    _ value: Double, as elementType: ElementType, in buffer: UnsafeMutableRawBufferPointer, at index: Int
  ) {
    func write<Scalar: BitwiseCopyable>(_ scalar: Scalar) {
      unsafe buffer.storeBytes(of: scalar, toByteOffset: index * MemoryLayout<Scalar>.stride, as: Scalar.self)
    }
    func writeInteger<Scalar: FixedWidthInteger & BitwiseCopyable>(_: Scalar.Type) {
      write(value.isNaN ? 0 : Scalar(exactly: value.rounded(.towardZero)) ?? (value < 0 ? Scalar.min : Scalar.max))
    }
    switch elementType {
    case .float32: write(Float(value))
    case .float64: write(value)
    case .float16: write(Float16(value))
    case .bfloat16: write(bfloat16(Float(value)))
    case .int8: writeInteger(Int8.self)
    case .int16: writeInteger(Int16.self)
    case .int32: writeInteger(Int32.self)
    case .int64: writeInteger(Int64.self)
    case .uint8: writeInteger(UInt8.self)
    case .uint16: writeInteger(UInt16.self)
    case .uint32: writeInteger(UInt32.self)
    case .uint64: writeInteger(UInt64.self)
    case .bool: write(value == 0 ? UInt8(0) : 1)
    default:
      let element = smallElement(value, elementType)
      unsafe PackedElements.store(element, as: elementType, in: buffer, at: index)
    }
  }

  /// The nearest element of a type of up to 8 bits; what does not fit saturates.
  private static func smallElement(_ value: Double, _ elementType: ElementType) -> UInt8 {
    if elementType == .float8e8m0 { return ScaleExponent.encode(value, .nearest, saturates: true) }
    if let format = SmallFloat.format(of: elementType) { return format.encode(value, saturates: true) }
    let isSigned = elementType == .int4 || elementType == .int2
    let width = elementType.bitWidth ?? 8
    let lowest = isSigned ? -(1 << (width - 1)) : 0
    let whole = value.isNaN ? 0 : Int(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
    return UInt8(truncatingIfNeeded: min(max(whole, lowest), lowest + 1 << width - 1))
  }

  /// The upper half of a float, rounded to nearest, ties to even; NaN stays NaN.
  private static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }
}
