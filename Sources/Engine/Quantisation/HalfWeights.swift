import NNFormat

/// Weights in 16 bits.
enum HalfWeights {
  /// The nearest numbers of a type, ties to even; what is too large becomes the largest finite one.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when an element is NaN or infinite.
  static func rounded(_ tensor: Tensor, to type: ElementType) throws(FormatError) -> (Tensor, ErrorSums) {
    let source = try tensor.converted(to: .float32)
    var pages: MappedPages? = MappedPages(of: source)
    var sums = ErrorSums()
    let bytes = try unsafe source.withBytes { (input) throws(FormatError) in
      try unsafe AlignedBytes(count: source.count * 2) { target in
        var start = 0
        while start < source.count {
          let end = min(start + 1 << 20, source.count)
          unsafe round(input, start..<end, type, into: target, &sums)
          pages?.giveBack(readTo: end * 4)
          start = end
        }
      }
    }
    pages = nil
    guard sums.isFinite else { throw FormatError(.mismatch, "it holds NaN or infinite numbers") }
    return (try Tensor(elementType: type, shape: tensor.shape, storage: .owned(bytes)), sums)
  }

  private static func round(
    _ input: UnsafeRawBufferPointer, _ range: Range<Int>, _ type: ElementType,
    into target: UnsafeMutableRawBufferPointer, _ sums: inout ErrorSums
  ) {
    let isBrain = type == .bfloat16
    let limit: Float = isBrain ? Float(bitPattern: 0x7F7F_0000) : 65504
    for index in range {
      let value = unsafe input.loadUnaligned(fromByteOffset: index &* 4, as: Float.self)
      var bounded = value > limit ? limit : value
      bounded = bounded < -limit ? -limit : bounded
      let bits: UInt16
      let back: Float
      if isBrain {
        let pattern = bounded.bitPattern
        bits = UInt16(truncatingIfNeeded: (pattern &+ 0x7FFF &+ (pattern >> 16 & 1)) >> 16)
        back = Float(bitPattern: UInt32(bits) << 16)
      } else {
        let half = Float16(bounded)
        (bits, back) = (half.bitPattern, Float(half))
      }
      sums.add(Double(value), rounded: Double(back))
      if bounded != value { sums.saturated += 1 }
      unsafe target.storeBytes(of: bits, toByteOffset: index &* 2, as: UInt16.self)
    }
  }
}
