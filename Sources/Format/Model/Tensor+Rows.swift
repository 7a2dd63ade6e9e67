extension Tensor {
  /// Some rows: a range of the first axis. Mapped bytes stay mapped.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when there are no such rows, or their bytes cannot be told apart.
  public func rows(_ range: Range<Int>) throws(FormatError) -> Tensor {
    guard let rowCount = shape.first, range.lowerBound >= 0, range.upperBound <= rowCount,
      let rowBytes = elementType.byteCount(of: shape.dropFirst().reduce(1, *)), (elementType.bitWidth ?? 0) >= 8
    else { throw FormatError(.mismatch, "the tensor \(elementType.name)\(shape) has no rows \(range)") }
    let bytes = range.lowerBound * rowBytes..<range.upperBound * rowBytes
    let part: TensorStorage
    if case .mapped(let file, let whole) = storage {
      part = .mapped(file, whole.lowerBound + bytes.lowerBound..<whole.lowerBound + bytes.upperBound)
    } else {
      part = .owned(
        try unsafe withBytes { (source) throws(FormatError) in
          unsafe AlignedBytes(count: bytes.count) { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[bytes]))
          }
        })
    }
    return try Tensor(elementType: elementType, shape: [range.count] + shape.dropFirst(), storage: part)
  }

  /// Tensors joined along their first axis.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the others' types or remaining axes differ.
  public static func joined(_ parts: [Tensor]) throws(FormatError) -> Tensor {
    guard let first = parts.first, !first.shape.isEmpty else {
      throw FormatError(.mismatch, "tensors without rows cannot be joined")
    }
    guard parts.allSatisfy({ $0.elementType == first.elementType && $0.shape.dropFirst() == first.shape.dropFirst() })
    else {
      throw FormatError(.mismatch, "tensors of different shapes or types cannot be joined")
    }
    let total = parts.reduce(0) { $0 + $1.byteCount }
    let bytes = try unsafe AlignedBytes(count: total) { (target) throws(FormatError) in
      var offset = 0
      for part in parts {
        try unsafe part.withBytes { (source) throws(FormatError) in
          unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + source.count]).copyMemory(
            from: source)
          offset += source.count
        }
      }
    }
    let rows = parts.reduce(0) { $0 + $1.shape[0] }
    return try Tensor(elementType: first.elementType, shape: [rows] + first.shape.dropFirst(), storage: .owned(bytes))
  }
}
