import OrderedCollections

extension JSONValue {
  /// Parses a document as Python's `json` module writes and reads it (RFC 8259 plus `NaN` and `Infinity`).
  ///
  /// - Parameters:
  ///   - maximumDepth: how deep arrays and objects may nest.
  ///   - maximumCount: how many values there may be, those of arrays and objects counted each.
  /// - Throws: `FormatError` of kind `malformed` or `limit` with the byte offset.
  public static func parse(
    _ bytes: [UInt8], maximumDepth: Int = 512, maximumCount: Int = .max
  ) throws(FormatError) -> JSONValue {
    try document(bytes, maximumDepth: maximumDepth, maximumCount: maximumCount).value
  }

  /// Parses a document, and tells which key some object of it holds twice. The last of such entries counts, as in Python;
  /// other readers may take the first.
  static func document(
    _ bytes: [UInt8], maximumDepth: Int = 512, maximumCount: Int = .max
  ) throws(FormatError) -> (value: JSONValue, repeatedKey: String?) {
    var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth, maximumCount: maximumCount)
    return (try parser.document(), parser.repeatedKey)
  }

  /// Parses a document from text.
  public static func parse(
    _ text: String, maximumDepth: Int = 512, maximumCount: Int = .max
  ) throws(FormatError) -> JSONValue {
    try parse(Array(text.utf8), maximumDepth: maximumDepth, maximumCount: maximumCount)
  }
}

/// A recursive-descent parser over UTF-8 bytes.
private struct JSONParser {
  let bytes: [UInt8]
  let maximumDepth: Int
  let maximumCount: Int
  var position = 0
  /// Values so far.
  var count = 0
  /// The first key that an object holds twice.
  var repeatedKey: String?

  init(bytes: [UInt8], maximumDepth: Int, maximumCount: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
    self.maximumCount = maximumCount
  }

  mutating func document() throws(FormatError) -> JSONValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw unexpected("text after the document") }
    return value
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func unexpected(_ what: String) -> FormatError {
    FormatError(.malformed, "JSON: \(what)", at: "byte \(position)")
  }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ literal: StaticString) -> Bool {
    let text = Array(literal.description.utf8)
    guard bytes.dropFirst(position).starts(with: text) else { return false }
    position += text.count
    return true
  }

  private mutating func value(depth: Int) throws(FormatError) -> JSONValue {
    guard depth <= maximumDepth else {
      throw FormatError(.limit, "JSON nests deeper than \(maximumDepth) levels", at: "byte \(position)")
    }
    count += 1
    guard count <= maximumCount else {
      throw FormatError(.limit, "JSON of more than \(maximumCount) values", at: "byte \(position)")
    }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take("true"): return .bool(true)
    case UInt8(ascii: "f") where take("false"): return .bool(false)
    case UInt8(ascii: "n") where take("null"): return .null
    case UInt8(ascii: "N") where take("NaN"): return .number("NaN")
    case UInt8(ascii: "I") where take("Infinity"): return .number("Infinity")
    case UInt8(ascii: "-") where take("-Infinity"): return .number("-Infinity")
    case nil: throw unexpected("the text ends inside a value")
    case let byte?:
      guard byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else {
        throw unexpected("a value cannot start here")
      }
      return .number(try number())
    }
  }

  private mutating func object(depth: Int) throws(FormatError) -> JSONValue {
    position += 1
    var members: OrderedDictionary<String, JSONValue> = [:]
    skipSpace()
    if current == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw unexpected("a key was expected") }
      let key = try string()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw unexpected("a colon was expected") }
      position += 1
      if members.updateValue(try value(depth: depth + 1), forKey: key) != nil { repeatedKey = repeatedKey ?? key }
      skipSpace()
      if current == UInt8(ascii: ",") {
        position += 1
      } else if current == UInt8(ascii: "}") {
        position += 1
        return .object(members)
      } else {
        throw unexpected("a comma or a closing brace was expected")
      }
    }
  }

  private mutating func array(depth: Int) throws(FormatError) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if current == UInt8(ascii: ",") {
        position += 1
      } else if current == UInt8(ascii: "]") {
        position += 1
        return .array(elements)
      } else {
        throw unexpected("a comma or a closing bracket was expected")
      }
    }
  }

  private mutating func number() throws(FormatError) -> String {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    // A number does not go on behind a zero in front.
    if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
    if current == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits() throws(FormatError) {
    let start = position
    while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    if position == start { throw unexpected("a digit was expected") }
  }

  private mutating func string() throws(FormatError) -> String {
    position += 1
    var text: [UInt8] = []
    var start = position
    while let byte = current {
      position += 1
      guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
      let plain = bytes[start..<position - 1]
      if byte == UInt8(ascii: "\"") {
        return text.isEmpty ? String(decoding: plain, as: UTF8.self) : String(decoding: text + plain, as: UTF8.self)
      }
      text += plain
      text.append(contentsOf: String(try escape()).utf8)
      start = position
    }
    throw unexpected("the text ends inside a string")
  }

  private mutating func escape() throws(FormatError) -> Character {
    guard let byte = current else { throw unexpected("the text ends inside a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return Character(try unicodeEscape())
    default: throw unexpected("an unknown escape")
    }
  }

  /// A `\uXXXX` escape, joined with the next one when the two are a surrogate pair; a lone surrogate becomes U+FFFD.
  private mutating func unicodeEscape() throws(FormatError) -> Unicode.Scalar {
    let first = try fourHexDigits()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800..<0xDC00).contains(first), bytes.dropFirst(position).starts(with: [0x5C, 0x75]) else {
      return "\u{FFFD}"
    }
    let mark = position
    position += 2
    let second = try fourHexDigits()
    guard (0xDC00..<0xE000).contains(second) else {
      position = mark
      return "\u{FFFD}"
    }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
  }

  private mutating func fourHexDigits() throws(FormatError) -> UInt32 {
    let digits = bytes.dropFirst(position).prefix(4).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 4 else { throw unexpected("four hexadecimal digits were expected") }
    position += 4
    return digits.reduce(0) { $0 << 4 | UInt32($1) }
  }
}
