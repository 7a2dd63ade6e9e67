extension Tensor {
  /// All elements as whole numbers, exactly: 64-bit integers do not pass through a double.
  ///
  /// - Throws: `FormatError` of kind `unsupported` when an element is no whole number in the range of `Int`, or the type is not
  ///   one of plain numbers.
  package func integers() throws(FormatError) -> [Int] {
    switch elementType {
    case .int64: return try elements(as: Int64.self).map { Int($0) }
    case .uint64:
      return try elements(as: UInt64.self).map { (element) throws(FormatError) in
        guard let number = Int(exactly: element) else { throw Self.notWhole("\(element)") }
        return number
      }
    default:
      return try doubles().map { (element) throws(FormatError) in
        guard let number = Int(exactly: element) else { throw Self.notWhole("\(element)") }
        return number
      }
    }
  }

  private static func notWhole(_ text: String) -> FormatError {
    FormatError(.unsupported, "\(text) is no whole number of 64 bits with a sign")
  }
}
