/// Something about a file that its user should know.
public struct Finding: Sendable, Hashable {
  /// How much it matters.
  public enum Severity: String, Sendable {
    /// The file works, but something is unusual.
    case note
    /// Something is lost, ignored or cannot be run.
    case warning
    /// Something is broken or refused.
    case error
  }

  /// How much it matters.
  public var severity: Severity
  /// A short stable word for programs: `lambda-layer`, `missing-weights` ...
  public var code: String
  /// What was found, as a clause without a full stop.
  public var message: String
  /// The place: a layer, an HDF5 path, a member of an archive.
  public var place: String

  /// A finding from its parts.
  public init(_ severity: Severity, _ code: String, _ message: String, at place: String) {
    self.severity = severity
    self.code = code
    self.message = message
    self.place = place
  }

  /// Bytes behind the end of a file, in which something may be hidden.
  static func trailingBytes(_ count: Int, at place: String) -> Finding {
    Finding(.warning, "trailing-bytes", "\(count) bytes follow the end of the file", at: place)
  }

  /// A finding from an error that did not stop the reader.
  public init(_ error: FormatError, code: String, at place: String) {
    self.init(.error, code, error.message, at: error.place ?? place)
  }
}
