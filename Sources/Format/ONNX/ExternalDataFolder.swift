import Glibc

/// The folder of a model, which is the only place that its tensors may refer to.
final class ExternalDataFolder {
  /// The folder; `nil` when the model did not come from a file.
  private let folder: String?
  private var files: [String: MappedFile] = [:]

  /// The folder that holds a model file.
  init(ofModelAt path: String?) {
    folder = path.map { Path.folder(of: $0) }
  }

  /// The bytes that the `external_data` entries of a tensor describe, mapped.
  ///
  /// - Throws: `FormatError` of kind `refused` for a place outside of the folder, `missing` when there is no such file,
  ///   `truncated` when the file is too short.
  func storage(_ entries: TextDictionary, byteCount: Int) throws(FormatError) -> TensorStorage {
    guard let location = entries["location"] else {
      throw FormatError(.malformed, "its elements are in another file, but no location is given")
    }
    let offset = try number(entries["offset"]) ?? 0
    if let length = try number(entries["length"]), length != byteCount {
      throw FormatError(.mismatch, "it needs \(byteCount) bytes, but \(length) are given for it in \"\(location)\"")
    }
    let file = try file(at: location)
    guard byteCount <= file.count, offset <= file.count - byteCount else {
      throw FormatError(
        .truncated, "it needs \(byteCount) bytes from byte \(offset) of \"\(location)\", which has \(file.count)")
    }
    return .mapped(file, offset..<offset + byteCount)
  }

  private func number(_ text: String?) throws(FormatError) -> Int? {
    guard let text else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw FormatError(.malformed, "\"\(text)\" is no offset or length of external data")
    }
    return number
  }

  private func file(at location: String) throws(FormatError) -> MappedFile {
    if let file = files[location] { return file }
    guard let folder else {
      throw FormatError(.missing, "its elements are in \"\(location)\", but the model did not come from a file")
    }
    guard !location.isEmpty, !Path.isAbsolute(location), !Path.parts(of: location).contains(".."),
      !location.utf8.contains(0)
    else {
      throw outside(location)
    }
    let descriptor: Int32
    do throws(FormatError) {
      descriptor = try FileSystem.openFile(location, beneath: folder)
    } catch {
      switch error.kind {
      case .refused: throw outside(location)
      case .missing:
        throw FormatError(
          .missing, "its elements are in \"\(location)\", which cannot be found",
          advice: "Put that file into the folder of the model")
      default: throw error
      }
    }
    do throws(FormatError) {
      try check(descriptor, location, in: folder)
    } catch {
      close(descriptor)
      throw error
    }
    let file = try MappedFile(adopting: descriptor, path: folder + "/" + location)
    files[location] = file
    return file
  }

  private func check(_ descriptor: Int32, _ location: String, in folder: String) throws(FormatError) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw FormatError(.refused, "its elements are in \"\(location)\", which is not a regular file")
    }
    // A name inside of the folder may be a second name of a file outside of it. Two names inside are what a writer leaves that
    // was ended while it replaced a model and its data.
    guard status.st_nlink == 1 || FileSystem.nameCount(of: status, in: folder) == Int(status.st_nlink) else {
      throw FormatError(
        .refused, "its elements are in \"\(location)\", which is a hard link and may be a file outside of the folder",
        advice: "Only if you trust the model: put a copy of that file into its place")
    }
  }

  private func outside(_ location: String) -> FormatError {
    FormatError(
      .refused, "its elements are in \"\(location)\", which is outside of the model's folder",
      advice: "Only if you trust the model: copy that file into the folder and correct the location")
  }
}
