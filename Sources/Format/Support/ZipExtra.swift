/// What zip archives keep beside a name: sizes of 64 bits, other spellings of the name.
struct ZipExtra {
  /// Sizes and places of 64 bits, in the order of the fields that have no room for them; nil where one passes the largest `Int`.
  private var large: ArraySlice<Int?> = []
  /// The fields of 64 bits, of which readers take the first or the last.
  private(set) var largeFieldCount = 0
  /// The names in Info-ZIP's fields for Unicode.
  private(set) var names: [[UInt8]] = []
  /// Whether the last field passes the end. Before a member's data that is padding, as which some writers use the field.
  let isCut: Bool

  init(_ bytes: [UInt8]) {
    let fields = ZipFields(bytes: bytes)
    var place = 0
    while let kind = fields.u16(place), let count = fields.u16(place + 2), count <= bytes.count - place - 4 {
      let start = place + 4
      switch kind {
      case 0x0001:
        largeFieldCount += 1
        large = stride(from: start, through: start + count - 8, by: 8).map(fields.u64)[...]
      // A version and a checksum of the plain name come first.
      case 0x7075 where count > 5: names.append(Array(bytes[start + 5..<start + count]))
      default: break
      }
      place = start + count
    }
    isCut = bytes.count - place >= 4
  }

  /// The value of a field of 32 bits, which may stand in the extra field instead.
  ///
  /// - Returns: nil when it stands in neither.
  mutating func resolve(_ value: Int) -> Int? {
    guard value == 0xFFFF_FFFF else { return value }
    return large.popFirst() ?? nil
  }
}
