import Glibc

extension Tensor {
  /// Whether two tensors have one type and shape and hold the same bits, or the same strings.
  ///
  /// - Throws: `FormatError` when elements cannot be read.
  public func hasSameElements(as other: Tensor) throws(FormatError) -> Bool {
    guard elementType == other.elementType, shape == other.shape else { return false }
    if case .strings(let own) = storage, case .strings(let others) = other.storage { return own == others }
    return try unsafe withBytes { (own) throws(FormatError) -> Bool in
      try unsafe other.withBytes { (others) throws(FormatError) -> Bool in
        guard own.count == others.count else { return false }
        guard let first = own.baseAddress, let second = others.baseAddress else { return true }
        return unsafe memcmp(first, second, own.count) == 0
      }
    }
  }
}
