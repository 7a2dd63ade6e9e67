import COnnx

/// Where the bytes of one `raw_data` field lie in a file.
///
/// In a skeleton this reference, 16 bytes, stands in place of every `raw_data`, small ones included, so that it cannot be
/// taken for real content.
struct PayloadReference {
  static let byteCount = 16
  var range: Range<Int>

  init(_ range: Range<Int>) { self.range = range }

  init?(encoded: [UInt8]) {
    guard encoded.count == Self.byteCount else { return nil }
    func number(_ bytes: ArraySlice<UInt8>) -> Int? {
      Int(exactly: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
    guard let start = number(encoded[..<8]), let end = number(encoded[8...]), start <= end else { return nil }
    range = start..<end
  }

  var encoded: [UInt8] {
    [range.lowerBound, range.upperBound].flatMap { number in
      (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
  }
}

/// Walks a protobuf message and makes the skeleton of it: the same message with a reference in place of each `raw_data`,
/// so that unpacking it never touches weights.
///
/// The walk follows the descriptors of the generated code, keeps its own stack, and checks every tag and length.
@safe struct PayloadScanner {
  @unsafe private struct Frame {
    let descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    /// The content of the message.
    let content: Range<Int>
    let parentEnd: Int
    /// The edit that rewrites the length in front of the message.
    let edit: Int
    /// How much longer the content is in the skeleton.
    var growth = 0
  }

  /// New bytes for a part of the file.
  private struct Edit {
    var range: Range<Int>
    var replacement: [UInt8]?
  }

  private let bytes: UnsafeRawBufferPointer
  private let depth: Int
  private var reader: WireReader
  private var frames: [Frame] = unsafe []
  private var edits: [Edit] = []

  /// The skeleton of the message in `bytes`.
  ///
  /// - Throws: `FormatError` with the byte offset of what breaks the wire format or nests deeper than `depth`.
  static func skeleton(
    of bytes: UnsafeRawBufferPointer, descriptor: UnsafePointer<ProtobufCMessageDescriptor>, depth: Int
  ) throws(FormatError) -> [UInt8] {
    var scanner = unsafe PayloadScanner(bytes, depth: depth)
    try unsafe scanner.scan(descriptor)
    return scanner.assemble()
  }

  private init(_ bytes: UnsafeRawBufferPointer, depth: Int) {
    unsafe self.bytes = unsafe bytes
    self.depth = depth
    reader = unsafe WireReader(bytes)
  }

  private mutating func scan(_ root: UnsafePointer<ProtobufCMessageDescriptor>) throws(FormatError) {
    let tensorDescriptor = unsafe Descriptors.tensor
    unsafe frames.append(Frame(descriptor: root, content: 0..<bytes.count, parentEnd: bytes.count, edit: -1))
    while let frame = unsafe frames.last {
      if reader.isAtEnd {
        leave()
        continue
      }
      let (number, type) = try reader.tag()
      guard type == .lengthDelimited,
        let field = unsafe protobuf_c_message_descriptor_get_field(frame.descriptor, number)
      else {
        try reader.skip(type)
        continue
      }
      let prefixStart = reader.position
      let length = try reader.length()
      let content = reader.position..<reader.position + length
      if unsafe field.pointee.type == PROTOBUF_C_TYPE_MESSAGE, let inner = unsafe field.pointee.descriptor {
        guard unsafe frames.count < depth else {
          throw FormatError(.limit, "messages nest deeper than \(depth)", at: "byte \(prefixStart)")
        }
        edits.append(Edit(range: prefixStart..<content.lowerBound))
        unsafe frames.append(
          Frame(
            descriptor: inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self), content: content,
            parentEnd: reader.end, edit: edits.count - 1))
        reader.end = content.upperBound
      } else {
        try reader.advance(length)
        if unsafe frame.descriptor == tensorDescriptor, number == 9 { replace(prefixStart, content) }
      }
    }
  }

  private mutating func replace(_ start: Int, _ content: Range<Int>) {
    let replacement = [UInt8(PayloadReference.byteCount)] + PayloadReference(content).encoded
    edits.append(Edit(range: start..<content.upperBound, replacement: replacement))
    unsafe frames[frames.count - 1].growth += replacement.count - (content.upperBound - start)
  }

  private mutating func leave() {
    let frame = unsafe frames.removeLast()
    reader.end = unsafe frame.parentEnd
    guard unsafe !frames.isEmpty else { return }
    let (edit, growth, content) = unsafe (frame.edit, frame.growth, frame.content)
    if growth == 0 {
      if edit == edits.count - 1 { edits.removeLast() }
      return
    }
    var prefix: [UInt8] = []
    prefix.appendVarint(UInt64(content.count + growth))
    unsafe frames[frames.count - 1].growth += growth + prefix.count - edits[edit].range.count
    edits[edit].replacement = prefix
  }

  private func assemble() -> [UInt8] {
    var skeleton: [UInt8] = []
    var position = 0
    for edit in edits {
      guard let replacement = edit.replacement else { continue }
      unsafe skeleton.append(contentsOf: bytes[position..<edit.range.lowerBound])
      skeleton += replacement
      position = edit.range.upperBound
    }
    unsafe skeleton.append(contentsOf: bytes[position...])
    return skeleton
  }
}

/// The descriptors of the generated code. They are constants of the C library and live for ever; the imported global
/// would be a copy with another address.
enum Descriptors {
  @unsafe static var model: UnsafePointer<ProtobufCMessageDescriptor> {
    var message = unsafe Onnx__ModelProto()
    unsafe onnx__model_proto__init(&message)
    return unsafe message.base.descriptor
  }

  @unsafe static var tensor: UnsafePointer<ProtobufCMessageDescriptor> {
    var message = unsafe Onnx__TensorProto()
    unsafe onnx__tensor_proto__init(&message)
    return unsafe message.base.descriptor
  }
}
