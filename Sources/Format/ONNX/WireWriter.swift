/// Protobuf wire format in the making. Elements of tensors are noted, not copied.
struct WireWriter {
  /// The bytes of a tensor and the place in `bytes` in front of which they go.
  struct Payload {
    var position: Int
    var tensor: Tensor
  }

  private(set) var bytes: [UInt8] = []
  private(set) var payloads: [Payload] = []
  private var payloadBytes = 0

  /// Size of everything written, payloads included.
  var byteCount: Int { bytes.count + payloadBytes }

  /// A varint field: an integer, a boolean or an enumeration.
  mutating func number(_ field: UInt32, _ value: Int64) {
    bytes.appendTag(field, .varint)
    bytes.appendVarint(UInt64(bitPattern: value))
  }

  mutating func float(_ field: UInt32, _ value: Float) {
    bytes.appendTag(field, .fixed32)
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
    }
  }

  mutating func bytes(_ field: UInt32, _ content: [UInt8]) {
    bytes.appendTag(field, .lengthDelimited)
    bytes.appendVarint(UInt64(content.count))
    bytes += content
  }

  mutating func texts(_ field: UInt32, _ texts: [String]) {
    for text in texts { bytes(field, WireText.encode(text)) }
  }

  /// The dense bytes of a tensor as one field.
  mutating func payload(_ field: UInt32, _ tensor: Tensor) {
    let count = tensor.byteCount
    bytes.appendTag(field, .lengthDelimited)
    bytes.appendVarint(UInt64(count))
    payloads.append(Payload(position: bytes.count, tensor: tensor))
    payloadBytes += count
  }

  mutating func message(
    _ field: UInt32, _ body: (inout WireWriter) throws(FormatError) -> Void
  ) throws(FormatError) {
    var inner = WireWriter()
    try body(&inner)
    append(field, inner)
  }

  mutating func message(_ field: UInt32, _ body: (inout WireWriter) -> Void) {
    var inner = WireWriter()
    body(&inner)
    append(field, inner)
  }

  private mutating func append(_ field: UInt32, _ inner: WireWriter) {
    bytes.appendTag(field, .lengthDelimited)
    bytes.appendVarint(UInt64(inner.byteCount))
    payloads += inner.payloads.map { Payload(position: bytes.count + $0.position, tensor: $0.tensor) }
    payloadBytes += inner.payloadBytes
    bytes += inner.bytes
  }

  /// Text that is left out when it is empty, unless `stated` or the file it came from says otherwise.
  mutating func text(_ field: UInt32, _ text: String, _ unknown: UnknownFields, stated: Bool = false) {
    if !text.isEmpty || unknown.states(field, stated) { bytes(field, WireText.encode(text)) }
  }

  /// An integer that is left out when it is zero, unless `stated` or the file it came from says otherwise.
  mutating func int(_ field: UInt32, _ value: Int, _ unknown: UnknownFields, stated: Bool = false) {
    if value != 0 || unknown.states(field, stated) { number(field, Int64(value)) }
  }

  mutating func dictionary(_ field: UInt32, _ dictionary: TextDictionary) {
    for entry in dictionary.entries {
      message(field) {
        $0.text(1, entry.key, entry.unknownFields, stated: true)
        $0.text(2, entry.value, entry.unknownFields, stated: true)
        $0.unknown(entry.unknownFields)
      }
    }
  }

  mutating func unknown(_ unknown: UnknownFields) { bytes += unknown.bytes }
}

extension UnknownFields {
  /// Whether a field that holds its default is written, given that it would be when nothing else is known.
  func states(_ field: UInt32, _ stated: Bool) -> Bool { stated != (deviations & 1 << field != 0) }
}
