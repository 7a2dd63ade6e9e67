/// A tensor as whole numbers of few bits, with what they stand for and how much was lost.
public struct QuantisedWeight: Sendable {
  /// The codes, in the tensor's shape.
  public let codes: Tensor
  /// The scales as float32, one a group.
  public let scale: Tensor
  /// The codes of zero in the scales' shape; `nil` when they are all 0.
  public let zeroPoint: Tensor?
  /// What was lost.
  public let error: ErrorSums
  /// The smallest and the largest scale, by size.
  public let scaleRange: ClosedRange<Float>

  /// Bits that an element takes, with its share of the scales and zero points.
  public var bitsPerElement: Double {
    let bytes = codes.byteCount + scale.byteCount + (zeroPoint?.byteCount ?? 0)
    return codes.count == 0 ? 0 : Double(bytes) * 8 / Double(codes.count)
  }

  /// Rounds a tensor of floating-point numbers. Elements are read in the order they lie in; those of a mapped file are given
  /// back as they have been read.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when an element is NaN or infinite.
  public init(_ tensor: Tensor, _ coding: WeightCoding) throws(FormatError) {
    guard tensor.elementType.isFloatingPoint, !tensor.shape.isEmpty, tensor.count > 0 else {
      throw FormatError(.unsupported, "\(tensor.elementType.name)\(tensor.shape) cannot be quantised")
    }
    let source = try tensor.converted(to: .float32)
    let result = try unsafe source.withBytes { (bytes) throws(FormatError) in
      var encoder = WeightEncoder(coding, shape: source.shape, pages: MappedPages(of: source))
      unsafe encoder.measure(bytes)
      try encoder.chooseParameters()
      let codes = try unsafe encoder.encode(bytes)
      return (codes, encoder)
    }
    let encoder = result.1
    guard encoder.error.isFinite else { throw WeightEncoder.notFinite }
    let isShared = coding.bits == 4 && coding.isPacked
    let stored = isShared ? coding.elementType : coding.isSigned ? ElementType.int8 : .uint8
    codes = try Tensor(elementType: stored, shape: tensor.shape, storage: .owned(result.0))
    let shape = coding.grouping.scaleShape(tensor.shape)
    scale = Tensor(encoder.stored, shape: shape)
    let zeros = encoder.zeros
    if zeros.allSatisfy({ $0 == 0 }) {
      zeroPoint = nil
    } else {
      let bytes = zeros.map { UInt8(truncatingIfNeeded: Int($0)) }
      let packed = isShared ? PackedElements.packed(bytes, coding.elementType) : bytes
      zeroPoint = try Tensor(elementType: stored, shape: shape, storage: .owned(AlignedBytes(copying: packed)))
    }
    error = encoder.error
    let sizes = encoder.stored.map(\.magnitude)
    let least = sizes.min() ?? 1
    scaleRange = least...max(sizes.max() ?? 1, least)
  }
}
