import Glibc
import NNFormat

/// What is known of standard output and standard error.
enum Terminal {
  static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
  static let errorIsTerminal = isatty(STDERR_FILENO) == 1

  /// Columns of the terminal; `nil` when output goes elsewhere, where nothing is cut.
  static let width: Int? = {
    guard outputIsTerminal else { return nil }
    var size = winsize()
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }()

  /// Whether to colour: on a terminal, unless NO_COLOR is set.
  static let isColored = unsafe outputIsTerminal && getenv("NO_COLOR") == nil

  /// Text in a colour, where colours are wanted.
  static func colored(_ text: String, _ color: Color) -> String {
    isColored ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
  }

  enum Color: Int {
    case bold = 1
    case dim = 2
    case red = 31
    case yellow = 33
  }

  /// Writes a line to standard error. Names of files and of what is in them may hold anything.
  static func note(_ text: String) { status(text.onOneLine + "\n") }

  /// Writes text to standard error as it is, in one piece.
  static func status(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  }
}
