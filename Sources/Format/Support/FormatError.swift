/// What went wrong with a file or a model, where, and what the user can do about it.
public struct FormatError: Error, Sendable, Hashable {
  /// The class of a failure, for programs that react to it.
  public enum Kind: Sendable, Hashable {
    /// The file cannot be opened, read or written.
    case io
    /// The bytes are not of a format this library reads; the message says what they are.
    case unrecognized
    /// The file breaks the rules of its own format.
    case malformed
    /// The file ends before its content does.
    case truncated
    /// Something the file refers to is not there.
    case missing
    /// A size, type or shape disagrees with another one.
    case mismatch
    /// Correct, but outside of what this library handles.
    case unsupported
    /// Refused because it could run code or reach outside the file.
    case refused
    /// A size or depth passes the configured limit.
    case limit
  }

  /// The class of the failure.
  public var kind: Kind
  /// What is wrong, as a clause without a full stop.
  public var message: String
  /// The file concerned.
  public var file: String?
  /// The place inside the file: an HDF5 path, a node, a byte offset, a line.
  public var place: String?
  /// What the user can do, as a sentence without a full stop.
  public var advice: String?

  /// An error from its parts.
  public init(_ kind: Kind, _ message: String, file: String? = nil, at place: String? = nil, advice: String? = nil) {
    self.kind = kind
    self.message = message
    self.file = file
    self.place = place
    self.advice = advice
  }

  /// The same error with the file named, unless it names one.
  public func inFile(_ path: String) -> FormatError {
    var copy = self
    copy.file = file ?? path
    return copy
  }
}

extension FormatError: CustomStringConvertible {
  /// One line: the file, what is wrong, where, and what to do.
  public var description: String {
    var text = file.map { "\($0): " } ?? ""
    text += message
    if let place { text += " (\(place))" }
    text += "."
    if let advice { text += " \(advice)." }
    return text.onOneLine
  }
}

extension String {
  /// The text without anything that breaks a line, steers a terminal or turns the direction of writing: breaks and tabs become
  /// spaces, the others `\u{1b}` and the like. Names from files may hold any character.
  package var onOneLine: String {
    // Nearly every text; going through scalars takes seconds for names of many megabytes.
    if utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return self }
    var text = ""
    for scalar in unicodeScalars {
      switch scalar.properties.generalCategory {
      case .lineSeparator, .paragraphSeparator: text += " "
      case .control where scalar.properties.isWhitespace: text += " "
      case _ where scalar.steersTerminal: text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension Unicode.Scalar {
  /// Whether a terminal takes it for a command, or shows what follows in the other direction (Unicode Standard Annex 9), so that it
  /// reads as something else.
  var steersTerminal: Bool { properties.generalCategory == .control || properties.isBidiControl }
}

/// Runs `body`, naming `path` in any `FormatError` that does not name a file yet.
func namingFile<Result>(_ path: String, _ body: () throws(FormatError) -> Result) throws(FormatError) -> Result {
  do { return try body() } catch { throw error.inFile(path) }
}
