extension SparseTensor {
  /// The tensor that is stood for, with zeros, or empty strings, where no value is.
  ///
  /// - Throws: `FormatError` of kind `malformed` when indices are out of range or do not fit the values, `limit` when the
  ///   shape is negative or too large.
  public func dense(byteLimit: Int = ReadLimits().runBytes) throws(FormatError) -> Tensor {
    let places = try linearIndices()
    let type = values.elementType
    guard let count = checkedProduct(shape) else { throw FormatError(.limit, "its shape \(shape) is too large") }
    if case .strings(let strings) = values.storage {
      guard count <= byteLimit / 16 else { throw FormatError(.limit, "its shape \(shape) takes too many bytes") }
      var all = [[UInt8]](repeating: [], count: count)
      for (place, string) in zip(places, strings) { all[place] = string }
      return try Tensor(elementType: type, shape: shape, storage: .strings(all))
    }
    guard let byteCount = type.byteCount(of: count), byteCount <= byteLimit else {
      throw FormatError(.limit, "its shape \(shape) takes too many bytes")
    }
    let bytes = try unsafe values.withBytes { (source) throws(FormatError) in
      try unsafe AlignedBytes(count: byteCount) { (target) throws(FormatError) in
        for (index, place) in places.enumerated() {
          if PackedElements.isPacked(type) {
            unsafe PackedElements.store(
              PackedElements.element(index, of: source, type), as: type, in: target, at: place)
          } else {
            let width = (type.bitWidth ?? 8) / 8
            for byte in 0..<width { unsafe target[place * width + byte] = source[index * width + byte] }
          }
        }
      }
    }
    return try Tensor(elementType: type, shape: shape, storage: .owned(bytes))
  }

  /// Where each value stands in row-major order.
  private func linearIndices() throws(FormatError) -> [Int] {
    let numbers = try indices.elements(as: Int64.self)
    let rank = shape.count
    guard let count = checkedProduct(shape), values.shape.count == 1,
      indices.shape == [values.count] || indices.shape == [values.count, rank]
    else {
      throw FormatError(
        .malformed, "indices \(indices.shape) do not place values \(values.shape) in the shape \(shape)")
    }
    if indices.shape.count == 1 {
      return try numbers.map { (number) throws(FormatError) in
        guard number >= 0, number < count else { throw outOfRange(number) }
        return Int(number)
      }
    }
    return try (0..<values.count).map { (row) throws(FormatError) in
      var place = 0
      for (axis, extent) in shape.enumerated() {
        let number = numbers[row * rank + axis]
        guard number >= 0, number < extent else { throw outOfRange(number) }
        place = place * extent + Int(number)
      }
      return place
    }
  }

  private func outOfRange(_ number: Int64) -> FormatError {
    FormatError(.malformed, "the index \(number) is outside of the shape \(shape)")
  }
}
