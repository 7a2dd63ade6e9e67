/// Paths taken apart by their bytes, as the system does it: a combining mark behind a slash makes one `Character` of both, so that
/// who compares characters finds no slash there.
package enum Path {
  private static let slash = UInt8(ascii: "/")
  private static let backslash = UInt8(ascii: "\\")

  /// The parts between slashes; empty ones are left out.
  package static func parts(of path: String) -> [String] {
    path.utf8.split(separator: slash).map { String(Substring($0)) }
  }

  /// The last part of a path, or all of it when there is none.
  package static func name(of path: String) -> String { parts(of: path).last ?? path }

  /// The folder that holds what is at a path.
  package static func folder(of path: String) -> String {
    guard let last = path.utf8.lastIndex(of: slash) else { return "." }
    return last == path.startIndex ? "/" : String(path[..<last])
  }

  package static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

  /// Whether a path ends with a slash, as those of folders may.
  package static func endsWithSlash(_ path: String) -> Bool { path.utf8.last == slash }

  /// Whether a name is one part of a path, and not one that leads upwards.
  package static func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == slash || $0 == 0 }
  }

  /// Whether a path leads out of the folder that it is taken from, on any system: it is absolute, names a drive, or goes upwards.
  package static func leadsOutside(_ path: String) -> Bool {
    let bytes = path.utf8
    guard let first = bytes.first, first != slash, first != backslash else { return !bytes.isEmpty }
    let isDrive =
      (first | 0x20) >= UInt8(ascii: "a") && (first | 0x20) <= UInt8(ascii: "z")
      && bytes.dropFirst().first == UInt8(ascii: ":")
    return isDrive || bytes.split { $0 == slash || $0 == backslash }.contains { $0.elementsEqual("..".utf8) }
  }
}
