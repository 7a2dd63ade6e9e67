import CFile
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

  /// Whether two paths lead to one file, which need not be there yet.
  package static func isSame(_ left: String, _ right: String) -> Bool {
    guard let place = resolved(left), let other = resolved(right) else { return left == right }
    return place == other
  }

  /// A path without links. Of what is not there yet, its folder is looked up.
  private static func resolved(_ path: String) -> String? {
    let path = target(of: path)
    if let place = canonical(path) { return place }
    guard let folder = canonical(Path.folder(of: path)) else { return nil }
    return folder + "/" + Path.name(of: path)
  }

  /// The path of what is there, without links.
  static func canonical(_ path: String) -> String? {
    guard let buffer = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(buffer) }
    return unsafe String(validatingCString: buffer)
  }

  /// Where a symbolic link to nothing leads, so that it can be filled; every other path as it is.
  static func target(of path: String) -> String {
    var path = path
    // As many links as the kernel follows.
    for _ in 0..<40 where !exists(path) {
      guard let next = linkTarget(path) else { break }
      path = Path.isAbsolute(next) ? next : "\(Path.folder(of: path))/\(next)"
    }
    return path
  }

  /// What a symbolic link says; `nil` when the path is none.
  static func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
  }

  /// The permissions that new files of this process do not get. Asking by setting another mask would show in files that other
  /// threads make meanwhile.
  static var creationMask: mode_t {
    let file = unsafe open("/proc/self/status", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return usualMask }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(file, &bytes, bytes.count)
    let status = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix("Umask:") }
    return line.flatMap { mode_t($0.dropFirst(6).trimmingPrefix { $0 == "\t" }, radix: 8) } ?? usualMask
  }
  private static let usualMask: mode_t = 0o022

  /// Names an open file, in the place of a file that has the name.
  ///
  /// - Throws: `FormatError` of kind `io`; the other file has its name then.
  static func name(_ descriptor: Int32, _ path: String) throws(FormatError) {
    if unsafe nn_name_file(descriptor, path) == 0 { return }
    guard errno == EEXIST else { throw .system("cannot be written", path) }
    // A name that is taken is taken over by renaming, which never leaves it without a file.
    let temporary = try nameBeside(descriptor, path)
    guard unsafe rename(temporary, path) == 0 else {
      let failure = FormatError.system("cannot be written", path)
      remove(temporary)
      throw failure
    }
  }

  /// Gives an open file a name that no other file has.
  ///
  /// - Parameter path: what the name begins with.
  static func nameBeside(_ descriptor: Int32, _ path: String) throws(FormatError) -> String {
    for number in 0..<1000 {
      let name = "\(path).\(getpid())-\(number)"
      if unsafe nn_name_file(descriptor, name) == 0 { return name }
      if errno != EEXIST { break }
    }
    throw .system("cannot be written", path)
  }

  /// Removes a file, if there is one.
  static func remove(_ path: String) { _ = unsafe unlink(path) }

  /// Brings the names in a folder to the device. Some file systems cannot; the names follow in their own time there.
  static func synchronizeFolder(of path: String) {
    let descriptor = unsafe open(Path.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }

  /// How many names in a folder are names of a file.
  static func nameCount(of file: stat, in folder: String) -> Int {
    guard let directory = unsafe opendir(folder) else { return 0 }
    defer { unsafe _ = closedir(directory) }
    var count = 0
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      var status = stat()
      guard unsafe lstat(folder + "/" + name, &status) == 0 else { continue }
      if status.st_ino == file.st_ino && status.st_dev == file.st_dev { count += 1 }
    }
    return count
  }
}
