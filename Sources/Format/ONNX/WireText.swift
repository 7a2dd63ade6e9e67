/// Text as ONNX files hold it: meant to be UTF-8, but any bytes may come.
///
/// A byte that is not UTF-8 becomes one of the 128 private-use characters from U+10FF80, and a character of that range in
/// the file is treated as bytes that are not UTF-8. So distinct bytes give distinct strings, and every string that was
/// read is written as it was.
enum WireText {
  private static let escapeBase: UInt32 = 0x10_FF00

  /// Whether UTF-8 holds a character of the private range: F4 8F BE 80 to F4 8F BF BF.
  private static func holdsEscape(_ bytes: some Collection<UInt8>) -> Bool {
    var matched = 0
    for byte in bytes {
      switch (matched, byte) {
      case (_, 0xF4): matched = 1
      case (1, 0x8F): matched = 2
      case (2, 0xBE), (2, 0xBF): return true
      default: matched = 0
      }
    }
    return false
  }

  static func decode(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self), !holdsEscape(bytes) { return text }
    var text = ""
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var position = 0
    func escape(_ count: Int) {
      for byte in bytes[position..<position + count] {
        if let scalar = Unicode.Scalar(escapeBase + UInt32(byte)) { text.unicodeScalars.append(scalar) }
      }
      position += count
    }
    while true {
      switch parser.parseScalar(from: &rest) {
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        if scalar.value > escapeBase + 0x7F {
          escape(encoded.count)
        } else {
          text.unicodeScalars.append(scalar)
          position += encoded.count
        }
      case .error(let length): escape(length)
      case .emptyInput: return text
      }
    }
  }

  static func encode(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    guard holdsEscape(bytes) else { return bytes }
    var result: [UInt8] = []
    for scalar in text.unicodeScalars {
      if scalar.value > escapeBase + 0x7F {
        result.append(UInt8(truncatingIfNeeded: scalar.value))
      } else {
        result += Array(String(scalar).utf8)
      }
    }
    return result
  }
}
