import CFile
import Glibc

extension FileSystem {
  /// Opens a file for reading by a path from a folder, as long as neither the path nor a symbolic link on its way leaves the folder.
  ///
  /// - Parameter inOneStep: whether the kernel follows the path and keeps it in the folder at once, where it can, so that nobody can
  ///   change a link between the check and the opening.
  /// - Returns: A descriptor that the caller closes.
  /// - Throws: `FormatError` of kind `refused` when the path leaves the folder, `missing` when there is no such file, or `io`.
  package static func openFile(
    _ path: String, beneath folder: String, inOneStep: Bool = true
  ) throws(FormatError) -> Int32 {
    guard inOneStep else { return try openResolved(path, beneath: folder) }
    var descriptor = unsafe nn_open_beneath(folder, path)
    // The kernel takes an absolute link for one that leaves the folder, also where it comes back.
    if descriptor < 0, errno == EXDEV {
      descriptor = unsafe nn_open_beneath(folder, try resolved(path, beneath: folder).rest)
    }
    if descriptor >= 0 { return descriptor }
    switch errno {
    case ENOSYS: return try openResolved(path, beneath: folder)
    case EXDEV, ELOOP: throw FormatError(.refused, "leads out of its folder", file: path)
    case ENOENT, ENOTDIR: throw FormatError(.missing, "cannot be found", file: path)
    default: throw .system("cannot open", folder + "/" + path)
    }
  }

  private static func openResolved(_ path: String, beneath folder: String) throws(FormatError) -> Int32 {
    let (base, rest) = try resolved(path, beneath: folder)
    let descriptor = unsafe open(base + rest, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else { throw .system("cannot open", base + rest) }
    return descriptor
  }

  /// A path without symbolic links: the folder with a slash at its end, and what follows.
  private static func resolved(
    _ path: String, beneath folder: String
  ) throws(FormatError) -> (base: String, rest: String) {
    guard let base = canonical(folder), let target = canonical(folder + "/" + path) else {
      throw FormatError(.missing, "cannot be found", file: path)
    }
    let prefix = base == "/" ? base : base + "/"
    guard target.utf8.starts(with: prefix.utf8) else {
      throw FormatError(.refused, "leads out of its folder", file: path)
    }
    return (prefix, String(Substring(target.utf8.dropFirst(prefix.utf8.count))))
  }
}
