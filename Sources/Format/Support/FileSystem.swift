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
}
