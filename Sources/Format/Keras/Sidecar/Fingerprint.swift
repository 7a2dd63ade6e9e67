/// FNV-1a of 128 bits over texts, numbers and elements of tensors.
struct Fingerprint {
  private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

  /// Bytes of a tensor that are read at a time.
  private static let pieceSize = 8 << 20

  /// The fingerprint as 32 hexadecimal digits.
  var digits: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }

  private mutating func add(byte: UInt8) {
    state = (state ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013b
  }

  mutating func add(_ text: String) {
    for byte in text.utf8 { add(byte: byte) }
    // No byte of UTF-8: ends the text.
    add(byte: 0xFF)
  }

  mutating func add(_ number: Int) {
    for shift in stride(from: 0, to: 64, by: 8) { add(byte: UInt8(truncatingIfNeeded: number >> shift)) }
  }

  /// Adds the type and the shape, and the elements unless they are strings. Large mapped tensors do not become resident.
  ///
  /// - Throws: `FormatError` when the elements cannot be read.
  mutating func add(_ tensor: Tensor, withElements: Bool) throws(FormatError) {
    add(Int(tensor.elementType.rawValue))
    add(tensor.shape.count)
    for extent in tensor.shape { add(extent) }
    guard withElements, tensor.elementType != .string else { return }
    let region = try tensor.region(named: tensor.name)
    var start = 0
    while start < region.count {
      let piece = start..<min(start + Self.pieceSize, region.count)
      try unsafe region.withBytes(piece) { bytes in
        for index in 0..<bytes.count { unsafe add(byte: bytes[index]) }
      }
      region.giveBack(piece)
      start = piece.upperBound
    }
  }
}
