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
