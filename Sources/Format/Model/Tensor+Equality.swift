import Glibc

extension Tensor {
  /// Bytes that are compared at a time.
  private static let pieceSize = 8 << 20

  /// Whether two tensors have one type and shape and hold the same bits, or the same strings.
  ///
  /// Large mapped tensors do not become resident.
  /// - Throws: `FormatError` when elements cannot be read.
  public func hasSameElements(as other: Tensor) throws(FormatError) -> Bool {
    guard elementType == other.elementType, shape == other.shape else { return false }
    if case .strings(let own) = storage, case .strings(let others) = other.storage { return own == others }
    let (left, right) = (try region(named: name), try other.region(named: other.name))
    guard left.count == right.count else { return false }
    var start = 0
    while start < left.count {
      let piece = start..<min(start + Self.pieceSize, left.count)
      let isSame = try unsafe left.withBytes(piece) { (own) throws(FormatError) -> Bool in
        try unsafe right.withBytes(piece) { (others) throws(FormatError) -> Bool in
          guard let first = own.baseAddress, let second = others.baseAddress else { return true }
          return unsafe memcmp(first, second, own.count) == 0
        }
      }
      guard isSame else { return false }
      left.giveBack(piece)
      right.giveBack(piece)
      start = piece.upperBound
    }
    return true
  }
}
