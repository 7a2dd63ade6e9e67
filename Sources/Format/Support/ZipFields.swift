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

/// What zip archives keep beside a name: sizes of 64 bits, another spelling of the name.
struct ZipExtra {
  /// Sizes and places of 64 bits in the order of the fields that have no room for them.
  private(set) var large: [Int]?
  /// The name as Info-ZIP's field for Unicode has it.
  private(set) var name: [UInt8]?

  /// Reads fields until their sizes lead past the end, as the usual readers do.
  init(_ bytes: [UInt8]) {
    let fields = ZipFields(bytes: bytes)
    var place = 0
    while let kind = fields.u16(place), let count = fields.u16(place + 2), count <= bytes.count - place - 4 {
      let start = place + 4
      switch kind {
      case 0x0001: large = stride(from: start, through: start + count - 8, by: 8).compactMap(fields.u64)
      // A version and a checksum of the plain name come first.
      case 0x7075 where count > 5: name = Array(bytes[start + 5..<start + count])
      default: break
      }
      place = start + count
    }
  }

  /// The value of a field of 32 bits, which may stand in the extra field instead.
  ///
  /// - Returns: nil when it stands in neither.
  mutating func resolve(_ value: Int) -> Int? {
    guard value == 0xFFFF_FFFF else { return value }
    guard let first = large?.first else { return nil }
    large?.removeFirst()
    return first
  }
}
