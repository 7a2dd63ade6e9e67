extension JSONValue {
  /// Parses a document that a file holds.
  ///
  /// - Throws: `FormatError` of kind `malformed`, or `limit` when it is too long, nests too deep or has too many values.
  static func parse(_ bytes: [UInt8], limits: ReadLimits) throws(FormatError) -> JSONValue {
    try checkSize(bytes.count, limits)
    return try parse(bytes, maximumDepth: limits.depth, maximumCount: limits.jsonValues)
  }

  /// Parses a document that a file holds as text.
  static func parse(_ text: String, limits: ReadLimits) throws(FormatError) -> JSONValue {
    try checkSize(text.utf8.count, limits)
    return try parse(text, maximumDepth: limits.depth, maximumCount: limits.jsonValues)
  }

  /// Parses a document that is a file, or a member of an archive.
  static func parse(_ region: ByteRegion, limits: ReadLimits) throws(FormatError) -> JSONValue {
    try checkSize(region.count, limits)
    return try parse(try region.bytes(), maximumDepth: limits.depth, maximumCount: limits.jsonValues)
  }

  /// Parses a document of a Keras model.
  ///
  /// - Parameters:
  ///   - place: how findings name the document.
  ///   - findings: where it is said that an object has two entries of one name.
  static func parse(
    _ region: ByteRegion, limits: ReadLimits, at place: String, noting findings: inout [Finding]
  ) throws(FormatError) -> JSONValue {
    try checkSize(region.count, limits)
    let (value, repeatedKey) = try document(
      try region.bytes(), maximumDepth: limits.depth, maximumCount: limits.jsonValues)
    if let repeatedKey {
      let message = "an object has more than one entry \"\(repeatedKey)\"; the last is used"
      findings.append(Finding(.error, "duplicate-key", message, at: place))
    }
    return value
  }

  private static func checkSize(_ count: Int, _ limits: ReadLimits) throws(FormatError) {
    guard count <= limits.jsonBytes else {
      throw FormatError(.limit, "JSON of \(count) bytes, more than \(limits.jsonBytes)")
    }
  }
}
