import NNFormat

/// How elements lie in memory inside of the engine: each at an address of its own.
///
/// Elements of less than 8 bits take a byte each, integers with their sign, floats as their bits. A string is the
/// address of its bytes, a `StringElement`. Everything else lies as in a tensor. Packing and strings' bytes are met at
/// the border alone, in `CarriedElements`.
extension ElementType {
  /// Bytes of one element: 1, 2, 4, 8 or 16.
  package var carriedWidth: Int { bitWidth.map { max($0 / 8, 1) } ?? MemoryLayout<StringElement>.size }

  /// Bytes of `count` elements.
  ///
  /// - Returns: `nil` when `count` is negative or the size overflows.
  package func carriedByteCount(of count: Int) -> Int? {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: carriedWidth)
    return overflow || count < 0 ? nil : bytes
  }

  /// The type whose Swift form reads carried elements: `int8` for `int4` and `int2`, `uint8` for `uint4`, `uint2`, `bool`
  /// and the bits of small floats, `uint16` for the bits of 16-bit floats; every other type is its own.
  package var carrier: ElementType {
    switch self {
    case .int4, .int2: .int8
    case .uint4, .uint2, .bool: .uint8
    case .float16, .bfloat16: .uint16
    default: isFloatingPoint && carriedWidth == 1 ? .uint8 : self
    }
  }
}
