extension Tensor {
  /// Whether type, shape and all bytes are equal. Bytes that cannot be read are equal to none.
  func isSame(as other: Tensor) -> Bool {
    guard elementType == other.elementType, shape == other.shape else { return false }
    let isEqual = try? unsafe withBytes { (left) throws(FormatError) in
      try unsafe other.withBytes { (right) throws(FormatError) in unsafe left.elementsEqual(right) }
    }
    return isEqual ?? false
  }
}
