extension Tensor {
  /// Whether the elements are real numbers, which `doubles` gives.
  public var holdsNumbers: Bool {
    switch elementType {
    case .string, .complex64, .complex128: false
    default: true
    }
  }

  /// Each element as text: numbers with the digits that tell them from their neighbours in their own type, complex ones
  /// as `1.0-2.0j`, strings as they are.
  ///
  /// - Throws: `FormatError` when elements cannot be read.
  public func texts() throws(FormatError) -> [String] {
    switch elementType {
    case .string:
      guard case .strings(let strings) = storage else {
        throw FormatError(.mismatch, "a string tensor without strings")
      }
      return strings.map { String(decoding: $0, as: UTF8.self) }
    case .int64: return try elements(as: Int64.self).map { "\($0)" }
    case .uint64: return try elements(as: UInt64.self).map { "\($0)" }
    case .float64: return try doubles().map { "\($0)" }
    case .complex64: return try complexTexts(Float.self)
    case .complex128: return try complexTexts(Double.self)
    default:
      let isWhole = elementType.isInteger || elementType == .bool
      return try doubles().map { isWhole ? "\(Int($0))" : "\(Float($0))" }
    }
  }

  private func complexTexts<Part: BinaryFloatingPoint & BitwiseCopyable>(_: Part.Type) throws(FormatError) -> [String] {
    try unsafe withBytes { bytes in
      (0..<count).map { index in
        let offset = index * 2 * MemoryLayout<Part>.stride
        let real = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Part.self)
        let imaginary = unsafe bytes.loadUnaligned(fromByteOffset: offset + MemoryLayout<Part>.stride, as: Part.self)
        return "\(real)\(imaginary.sign == .minus ? "" : "+")\(imaginary)j"
      }
    }
  }
}
