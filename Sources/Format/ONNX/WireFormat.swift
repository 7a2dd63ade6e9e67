/// How the bytes behind a protobuf tag are laid out.
enum WireType: UInt8 {
  case varint = 0
  case fixed64 = 1
  case lengthDelimited = 2
  case startGroup = 3
  case endGroup = 4
  case fixed32 = 5
}

/// A position in protobuf wire format that never leaves the bytes it was given.
@safe struct WireReader {
  private let bytes: UnsafeRawBufferPointer
  private let fileSize: Int
  private(set) var position = 0
  /// Where the message being read ends. Lengths may not pass it.
  var end: Int

  @unsafe init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.bytes = unsafe bytes
    fileSize = bytes.count
    end = bytes.count
  }

  var isAtEnd: Bool { position == end }

  mutating func varint() throws(FormatError) -> UInt64 {
    var value: UInt64 = 0
    let start = position
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw overrun("a number", from: start) }
      let byte = unsafe bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw FormatError(.malformed, "a number of more than ten bytes", at: "byte \(start)")
  }

  /// A field number and its wire type. Groups, which ONNX never uses, are refused here.
  mutating func tag() throws(FormatError) -> (field: UInt32, type: WireType) {
    let start = position
    let value = try varint()
    // protobuf-c reads at most five bytes of a tag.
    guard position - start <= 5, let tag = UInt32(exactly: value), tag >> 3 != 0,
      let type = WireType(rawValue: UInt8(tag & 7))
    else { throw FormatError(.malformed, "\(value) is no protobuf tag", at: "byte \(start)") }
    guard type != .startGroup, type != .endGroup else {
      throw FormatError(.malformed, "a protobuf group, which ONNX does not use", at: "byte \(start)")
    }
    return (tag >> 3, type)
  }

  /// The length in front of text, bytes or a message; all of it lies before `end`.
  mutating func length() throws(FormatError) -> Int {
    let start = position
    let value = try varint()
    guard value <= UInt64(end - position) else {
      guard end < fileSize else {
        throw FormatError(
          .truncated, "ends at byte \(fileSize), but the field at byte \(start) holds \(value) bytes more",
          advice: "The file is cut short or damaged; fetch or save it again")
      }
      throw FormatError(.malformed, "a field of \(value) bytes passes the end of its message", at: "byte \(start)")
    }
    return Int(value)
  }

  /// Passes over the content of a field.
  mutating func skip(_ type: WireType) throws(FormatError) {
    switch type {
    case .varint: _ = try varint()
    case .fixed64: try advance(8)
    case .fixed32: try advance(4)
    case .lengthDelimited: try advance(try length())
    case .startGroup, .endGroup: throw FormatError(.malformed, "a protobuf group", at: "byte \(position)")
    }
  }

  mutating func advance(_ count: Int) throws(FormatError) {
    guard count <= end - position else { throw overrun("a field", from: position) }
    position += count
  }

  private func overrun(_ what: String, from start: Int) -> FormatError {
    if end < fileSize {
      return FormatError(.malformed, "\(what) passes the end of its message", at: "byte \(start)")
    }
    return FormatError(
      .truncated, "ends inside of \(what)", at: "byte \(start)",
      advice: "The file is cut short or damaged; fetch or save it again")
  }
}

extension [UInt8] {
  /// Appends a protobuf variable-length number.
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  mutating func appendTag(_ field: UInt32, _ type: WireType) {
    appendVarint(UInt64(field) << 3 | UInt64(type.rawValue))
  }
}
