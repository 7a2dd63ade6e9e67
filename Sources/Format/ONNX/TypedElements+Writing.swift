extension TypedElements {
  /// The numbers of `int32_data` that stand for dense bytes: signed types keep their sign, all others are unsigned.
  static func numbers(of bytes: AlignedBytes, _ elementType: ElementType, count: Int) -> [Int32] {
    unsafe bytes.withBytes { (bytes) -> [Int32] in unsafe numbers(of: bytes, elementType, count: count) }
  }

  @unsafe static func numbers(of bytes: UnsafeRawBufferPointer, _ elementType: ElementType, count: Int) -> [Int32] {
    switch elementType {
    case .int32: unsafe load(Int32.self, from: bytes).map { $0 }
    case .int16: unsafe load(Int16.self, from: bytes).map(Int32.init)
    case .int8: unsafe load(Int8.self, from: bytes).map(Int32.init)
    case .float6e2m3, .float6e3m2:
      PackedElements.unpacked(unsafe [UInt8](bytes), elementType, count: count).map(Int32.init)
    case let type where type.bitWidth == 16: unsafe load(UInt16.self, from: bytes).map(Int32.init)
    default: unsafe bytes.map(Int32.init)
    }
  }

  /// The elements of a tensor as the content of its typed field, for types whose dense bytes are not that content.
  @unsafe static func packedNumbers(_ tensor: Tensor, _ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var packed: [UInt8] = []
    switch tensor.elementType {
    case .int64: for number in unsafe load(Int64.self, from: bytes) { packed.appendVarint(UInt64(bitPattern: number)) }
    case .uint64: for number in unsafe load(UInt64.self, from: bytes) { packed.appendVarint(number) }
    case .uint32: for number in unsafe load(UInt32.self, from: bytes) { packed.appendVarint(UInt64(number)) }
    default:
      let numbers =
        unsafe tensor.encoding.statedNumbers ?? numbers(of: bytes, tensor.elementType, count: tensor.count)
      for number in numbers { packed.appendVarint(UInt64(bitPattern: Int64(number))) }
    }
    return packed
  }

  @unsafe private static func load<Scalar: BitwiseCopyable>(
    _: Scalar.Type, from bytes: UnsafeRawBufferPointer
  ) -> some Sequence<Scalar> {
    let stride = MemoryLayout<Scalar>.stride
    return (0..<bytes.count / stride).lazy.map {
      unsafe bytes.loadUnaligned(fromByteOffset: $0 * stride, as: Scalar.self)
    }
  }
}
