/// What the two ends of a channel tell each other; the content that belongs to it lies in the shared memory.
struct WorkerMessage {
  /// The first number of a message.
  enum Kind: UInt64 {
    /// Asks for the index.
    case index = 1
    /// Asks for the elements of a dataset.
    case elements = 2
    /// Asks the worker to try to get out of its confinement.
    case escape = 3
    /// Answers with what was asked for.
    case answer = 4
    /// Answers with an error.
    case failure = 5
  }

  /// Bytes of a message.
  static let size = 16

  var kind: Kind
  /// Bytes in the shared memory.
  var count: Int

  init(_ kind: Kind, count: Int) {
    self.kind = kind
    self.count = count
  }

  /// Reads a message that came in; `nil` when it is none.
  init?(_ bytes: [UInt8]) {
    var decoder = MessageDecoder(bytes)
    guard let number = try? decoder.int(), let count = try? decoder.int(), count >= 0,
      let kind = Kind(rawValue: UInt64(truncatingIfNeeded: number))
    else { return nil }
    self.init(kind, count: count)
  }

  var bytes: [UInt8] {
    var encoder = MessageEncoder()
    encoder.put(Int(kind.rawValue))
    encoder.put(count)
    return encoder.bytes
  }
}

/// Puts numbers and texts one behind the other: numbers in eight little-endian bytes, texts and bytes behind their length.
struct MessageEncoder {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ number: Int) {
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  mutating func put(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

  mutating func put(_ content: [UInt8]) {
    put(content.count)
    bytes += content
  }

  mutating func put(_ text: String) { put(Array(text.utf8)) }

  mutating func put(_ numbers: [Int]) {
    put(numbers.count)
    for number in numbers { put(number) }
  }
}

/// Takes apart what `MessageEncoder` made, believing nothing.
struct MessageDecoder {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  /// What is wrong with an answer that no worker of this program gives.
  static func error(_ what: String) -> FormatError {
    FormatError(
      .malformed, "HDF5: the process that reads the file gave an answer that cannot be (\(what))",
      advice: "The file may be made to take over its reader; do not use it")
  }

  mutating func int() throws(FormatError) -> Int {
    guard bytes.count - position >= 8 else { throw Self.error("cut short") }
    var number: UInt64 = 0
    for index in 0..<8 { number |= UInt64(bytes[position + index]) << (8 * UInt64(index)) }
    position += 8
    return Int(truncatingIfNeeded: number)
  }

  /// A number of things that take at least `size` bytes each.
  mutating func count(ofSize size: Int = 1) throws(FormatError) -> Int {
    let count = try int()
    guard count >= 0, count <= (bytes.count - position) / size else { throw Self.error("a count of \(count)") }
    return count
  }

  mutating func flag() throws(FormatError) -> Bool {
    guard position < bytes.count, bytes[position] <= 1 else { throw Self.error("no flag") }
    position += 1
    return bytes[position - 1] == 1
  }

  mutating func content() throws(FormatError) -> [UInt8] {
    let count = try count()
    position += count
    return Array(bytes[position - count..<position])
  }

  mutating func text() throws(FormatError) -> String { String(decoding: try content(), as: UTF8.self) }

  mutating func ints() throws(FormatError) -> [Int] {
    var numbers: [Int] = []
    for _ in 0..<(try count(ofSize: 8)) { numbers.append(try int()) }
    return numbers
  }
}

extension FormatError {
  private static let kinds: [Kind] = [
    .io, .unrecognized, .malformed, .truncated, .missing, .mismatch, .unsupported, .refused, .limit,
  ]

  /// The error as the content of a message; the file's name is the receiver's business.
  var encoded: [UInt8] {
    var encoder = MessageEncoder()
    encoder.put(Self.kinds.firstIndex(of: kind) ?? 0)
    for text in [message, place, advice] {
      encoder.put(text != nil)
      if let text { encoder.put(text) }
    }
    return encoder.bytes
  }

  /// The error that a worker reports.
  static func decoded(_ content: [UInt8]) throws(FormatError) -> FormatError {
    var decoder = MessageDecoder(content)
    let kind = try decoder.int()
    guard kinds.indices.contains(kind) else { throw MessageDecoder.error("an error of kind \(kind)") }
    let (message, place, advice) = (try optional(), try optional(), try optional())
    return FormatError(kinds[kind], message ?? "", at: place, advice: advice)

    func optional() throws(FormatError) -> String? {
      guard try decoder.flag() else { return nil }
      return try decoder.text()
    }
  }
}

extension ReadLimits {
  /// The bounds as numbers, for a worker.
  var encoded: [UInt8] {
    var encoder = MessageEncoder()
    encoder.put([objectCount, depth, attributeBytes, rank])
    return encoder.bytes
  }

  /// The bounds that a worker is given.
  init(encoded content: [UInt8]) throws(FormatError) {
    var decoder = MessageDecoder(content)
    let numbers = try decoder.ints()
    guard numbers.count == 4 else { throw MessageDecoder.error("\(numbers.count) limits") }
    self.init()
    (objectCount, depth, attributeBytes, rank) = (numbers[0], numbers[1], numbers[2], numbers[3])
  }
}
