import Glibc

/// Questions and small requests to the file system.
public enum FileSystem {
  /// Whether something is at a path.
  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Makes a folder, unless there is one.
  ///
  /// - Throws: `FormatError` of kind `io`.
  public static func makeFolder(_ path: String) throws(FormatError) {
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .system("cannot be made", path) }
  }

  /// Whether a path is a folder.
  public static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The names in a folder, those that begin with a dot left out, in no order.
  ///
  /// - Throws: `FormatError` of kind `io`.
  public static func list(_ path: String) throws(FormatError) -> [String] {
    guard let folder = unsafe opendir(path) else { throw .system("cannot be listed", path) }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  /// Bytes of a file, or of all files directly in a folder.
  package static func byteCount(ofFileAt path: String) -> Int {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return 0 }
    guard status.st_mode & S_IFMT == S_IFDIR, let folder = unsafe opendir(path) else { return Int(status.st_size) }
    defer { unsafe closedir(folder) }
    var total = 0
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard unsafe stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      total += Int(status.st_size)
    }
    return total
  }
}
