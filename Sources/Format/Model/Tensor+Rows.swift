extension Tensor {
  /// Some rows: a range of the first axis. Mapped bytes stay mapped.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when there are no such rows.
  public func rows(_ range: Range<Int>) throws(FormatError) -> Tensor {
    guard let rowCount = shape.first, range.lowerBound >= 0, range.upperBound <= rowCount else {
      throw FormatError(.mismatch, "the tensor \(elementType.name)\(shape) has no rows \(range)")
    }
    let rowLength = shape.dropFirst().reduce(1, *)
    let elements = range.lowerBound * rowLength..<range.upperBound * rowLength
    let rowShape = [range.count] + shape.dropFirst()
    if case .strings(let strings) = storage {
      return try Tensor(elementType: elementType, shape: rowShape, storage: .strings(Array(strings[elements])))
    }
    if PackedElements.isPacked(elementType) {
      let own = try packedElements()
      let bytes = AlignedBytes(copying: PackedElements.packed(Array(own[elements]), elementType))
      return try Tensor(elementType: elementType, shape: rowShape, storage: .owned(bytes))
    }
    guard let start = elementType.byteCount(of: elements.lowerBound),
      let end = elementType.byteCount(of: elements.upperBound)
    else { throw FormatError(.mismatch, "the tensor \(elementType.name)\(shape) has no rows \(range)") }
    let bytes = start..<end
    let part: TensorStorage
    if case .mapped(let file, let whole) = storage {
      part = .mapped(file, whole.lowerBound + bytes.lowerBound..<whole.lowerBound + bytes.upperBound)
    } else {
      part = .owned(
        try unsafe withBytes { (source) throws(FormatError) in
          try unsafe AlignedBytes(count: bytes.count) { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[bytes]))
          }
        })
    }
    return try Tensor(elementType: elementType, shape: rowShape, storage: part)
  }

  /// The elements of a type of less than 8 bits, a byte each.
  private func packedElements() throws(FormatError) -> [UInt8] {
    let bytes = try unsafe withBytes { bytes in unsafe [UInt8](bytes) }
    return PackedElements.unpacked(bytes, elementType, count: count)
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
    let rows = parts.reduce(0) { $0 + $1.shape[0] }
    let shape = [rows] + first.shape.dropFirst()
    if first.elementType == .string {
      var strings: [[UInt8]] = []
      for case .strings(let part) in parts.map(\.storage) { strings += part }
      return try Tensor(elementType: .string, shape: shape, storage: .strings(strings))
    }
    if PackedElements.isPacked(first.elementType) {
      var elements: [UInt8] = []
      for part in parts { elements += try part.packedElements() }
      let bytes = AlignedBytes(copying: PackedElements.packed(elements, first.elementType))
      return try Tensor(elementType: first.elementType, shape: shape, storage: .owned(bytes))
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
    return try Tensor(elementType: first.elementType, shape: shape, storage: .owned(bytes))
  }
}
