import COnnx

/// A message that protobuf-c unpacked, freed with the value.
@safe struct UnpackedMessage<Message>: ~Copyable {
  let pointer: UnsafeMutablePointer<Message>

  /// Unpacks a skeleton or a complete message.
  ///
  /// - Throws: `FormatError` of kind `malformed` when a field is of another type than the schema says.
  @unsafe init(
    _ bytes: [UInt8],
    _ unpack: (UnsafeMutablePointer<ProtobufCAllocator>?, Int, UnsafePointer<UInt8>?) -> UnsafeMutablePointer<Message>?
  ) throws(FormatError) {
    let unpacked = unsafe bytes.withUnsafeBufferPointer { unsafe unpack(nil, $0.count, $0.baseAddress) }
    guard let pointer = unsafe unpacked else {
      throw FormatError(
        .malformed, "protobuf-c cannot unpack it: a field is not of the type that ONNX gives it",
        advice: "The file is damaged or no ONNX file; fetch or save it again")
    }
    unsafe self.pointer = pointer
  }

  deinit {
    unsafe UnsafeMutableRawPointer(pointer).withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) {
      unsafe protobuf_c_message_free_unpacked($0, nil)
    }
  }
}

/// The fields of one unpacked message that are read alike everywhere, with what `UnknownFields` has to remember of them.
struct FieldReader {
  var unknown: UnknownFields

  @unsafe init(_ base: ProtobufCMessage) {
    unknown = UnknownFields()
    for index in 0..<Int(unsafe base.n_unknown_fields) {
      let field = unsafe base.unknown_fields[index]
      unknown.bytes.appendVarint(unsafe UInt64(field.tag) << 3 | UInt64(field.wire_type.rawValue))
      unsafe unknown.bytes.append(contentsOf: UnsafeBufferPointer(start: field.data, count: field.len))
    }
  }

  /// Notes that a field with its default value is present where writing leaves it out, or the other way round.
  mutating func note(_ number: UInt32, present: Bool, stated: Bool = false) {
    if present != stated { unknown.deviations |= 1 << number }
  }

  /// Text. `stated` says that writing would state it even when it is empty.
  mutating func text(
    _ number: UInt32, _ isPresent: protobuf_c_boolean, _ data: ProtobufCBinaryData, stated: Bool = false
  ) -> String {
    let text = unsafe isPresent != 0 ? WireText.decode(data.array) : ""
    if text.isEmpty { note(number, present: isPresent != 0, stated: stated) }
    return text
  }

  /// An integer. `stated` says that writing would state it even when it is zero.
  mutating func int(
    _ number: UInt32, _ isPresent: protobuf_c_boolean, _ value: Int64, stated: Bool = false
  ) -> Int {
    let value = isPresent != 0 ? Int(value) : 0
    if value == 0 { note(number, present: isPresent != 0, stated: stated) }
    return value
  }
}

extension ProtobufCBinaryData {
  @unsafe var array: [UInt8] { unsafe Array(UnsafeBufferPointer(start: data, count: len)) }
}

/// Pointers to the messages of a repeated field.
@unsafe func messages<Message>(
  _ count: Int, _ base: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?
) -> [UnsafeMutablePointer<Message>] {
  unsafe UnsafeBufferPointer(start: base, count: count).compactMap { unsafe $0 }
}

/// The strings of a repeated field.
@unsafe func texts(_ count: Int, _ base: UnsafeMutablePointer<ProtobufCBinaryData>?) -> [String] {
  unsafe UnsafeBufferPointer(start: base, count: count).map { unsafe WireText.decode($0.array) }
}

/// An unpacked message as bytes again.
@unsafe func packed<Message>(_ message: UnsafeMutablePointer<Message>) -> [UInt8] {
  unsafe UnsafeMutableRawPointer(message).withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) { base in
    let size = unsafe protobuf_c_message_get_packed_size(base)
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = unsafe protobuf_c_message_pack(base, buffer.baseAddress)
    }
  }
}

/// Runs `body`, putting `place` in front of the place of its error.
func inPlace<Result>(
  _ place: @autoclosure () -> String, _ body: () throws(FormatError) -> Result
) throws(FormatError) -> Result {
  do { return try body() } catch {
    var error = error
    error.place = error.place.map { "\(place()), \($0)" } ?? place()
    throw error
  }
}
