/// NumPy's arrays of strings: elements of one width, filled up with zeros. `<U5` is five code points of four bytes each,
/// `|S5` five bytes.
struct NpyStrings {
  /// Characters of an element.
  let width: Int
  /// Whether elements are code points, else bytes.
  let isUnicode: Bool
  let isBigEndian: Bool

  private var characterBytes: Int { isUnicode ? 4 : 1 }

  /// How many strings of no width a file may hold, as nothing in it bounds their number.
  private static let emptyLimit = 1 << 20

  /// - Returns: `nil` when a type descriptor is not that of strings, or states no width that fits a file.
  init?(_ descriptor: String) {
    let kind = descriptor.drop { "<>|=".contains($0) }
    guard let letter = kind.first, "USa".contains(letter), let width = Int(kind.dropFirst()),
      width >= 0, width <= Int.max / 4
    else { return nil }
    (self.width, isUnicode, isBigEndian) = (width, letter == "U", descriptor.hasPrefix(">"))
  }

  /// What holds the strings of a tensor: code points, or bytes where some are no UTF-8.
  ///
  /// - Throws: `FormatError` of kind `limit` when the elements would take more than 4 GB.
  init(holding strings: [[UInt8]]) throws(FormatError) {
    let isUnicode = strings.allSatisfy { Self.text($0) != nil }
    let widths = strings.lazy.map { isUnicode ? Self.text($0)?.unicodeScalars.count ?? 0 : $0.count }
    (self.isUnicode, isBigEndian, width) = (isUnicode, false, max(widths.max() ?? 1, 1))
    guard let count = checkedProduct([strings.count, width, characterBytes]), count <= 4 << 30 else {
      throw FormatError(
        .limit, "npy: \(strings.count) strings take \(width) characters each", advice: "Write .csv or a folder instead")
    }
  }

  private static func text(_ bytes: [UInt8]) -> String? { String(validating: bytes, as: UTF8.self) }

  var descriptor: String { isUnicode ? "<U\(width)" : "|S\(width)" }

  /// Reads the strings of a shape from a place in a file.
  ///
  /// - Throws: `FormatError` of kind `truncated`, `limit`, or `malformed` for what is no code point and for bytes behind them.
  func read(_ shape: [Int], isFortranOrder: Bool, at offset: Int, of region: ByteRegion) throws(FormatError) -> Tensor {
    guard let count = checkedProduct(shape), let byteCount = checkedProduct([count, width, characterBytes]),
      width > 0 || count <= Self.emptyLimit
    else {
      throw FormatError(.limit, "npy: shape \(shape) of strings of \(width) characters is negative or too large")
    }
    guard byteCount <= region.count - offset else {
      throw FormatError(
        .truncated, "npy: \(shape) needs \(byteCount) bytes, \(region.count - offset) follow the header")
    }
    try NpyFile.checkEnd(offset + byteCount, of: region)
    let bytes = try region.bytes(offset..<offset + byteCount)
    let stride = width * characterBytes
    var strings: [[UInt8]] = []
    strings.reserveCapacity(count)
    for place in 0..<count { strings.append(try string(bytes[place * stride..<(place + 1) * stride])) }
    if isFortranOrder, shape.count > 1, count > 0 { strings = Self.rearranged(strings, shape) }
    return try Tensor(elementType: .string, shape: shape, storage: .strings(strings))
  }

  /// One element without the zeros at its end.
  private func string(_ bytes: ArraySlice<UInt8>) throws(FormatError) -> [UInt8] {
    guard isUnicode else { return Array(bytes[..<((bytes.lastIndex { $0 != 0 } ?? bytes.startIndex - 1) + 1)]) }
    var text = String.UnicodeScalarView()
    var zeros = 0
    for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: 4) {
      let places = isBigEndian ? Array(start..<start + 4) : (start..<start + 4).reversed()
      let code = places.reduce(0 as UInt32) { $0 << 8 | UInt32(bytes[$1]) }
      if code == 0 {
        zeros += 1
        continue
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw FormatError(.malformed, "npy: \(code) is no Unicode code point")
      }
      for _ in 0..<zeros { text.append("\0") }
      zeros = 0
      text.append(scalar)
    }
    return Array(String(text).utf8)
  }

  /// Elements in C order from such in which the first index runs fastest.
  private static func rearranged(_ strings: [[UInt8]], _ shape: [Int]) -> [[UInt8]] {
    var index = [Int](repeating: 0, count: shape.count)
    return strings.indices.map { _ in
      var from = 0
      for axis in shape.indices.reversed() { from = from * shape[axis] + index[axis] }
      for axis in shape.indices.reversed() {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
      return strings[from]
    }
  }

  /// The elements as they lie in a file.
  func bytes(of strings: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(strings.count * width * characterBytes)
    for string in strings {
      let end = bytes.count + width * characterBytes
      if isUnicode, let text = Self.text(string) {
        for scalar in text.unicodeScalars {
          for shift in [0, 8, 16, 24] { bytes.append(UInt8(scalar.value >> shift & 0xFF)) }
        }
      } else {
        bytes += string
      }
      bytes += repeatElement(0, count: end - bytes.count)
    }
    return bytes
  }
}
