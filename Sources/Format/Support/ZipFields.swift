/// Numbers in the records of a zip archive, least significant byte first.
struct ZipFields {
  let bytes: [UInt8]

  /// The number of `count` bytes at a place; nil when it passes the end or the largest `Int`.
  func number(at place: Int, bytes count: Int) -> Int? {
    guard place >= 0, count <= 8, place <= bytes.count - count else { return nil }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[place + index]) << (8 * index) }
    return Int(exactly: value)
  }

  func u16(_ place: Int) -> Int? { number(at: place, bytes: 2) }
  func u32(_ place: Int) -> Int? { number(at: place, bytes: 4) }
  func u64(_ place: Int) -> Int? { number(at: place, bytes: 8) }

  /// Whether the record that `signature` names begins at a place.
  func begins(_ signature: ZipSignature, at place: Int = 0) -> Bool {
    number(at: place, bytes: 4) == signature.rawValue
  }
}

/// The four bytes that records begin with.
enum ZipSignature: Int, CaseIterable {
  case header = 0x0403_4B50
  case descriptor = 0x0807_4B50
  case entry = 0x0201_4B50
  case largeEnd = 0x0606_4B50
  case largeEndLocator = 0x0706_4B50
  case end = 0x0605_4B50
}
