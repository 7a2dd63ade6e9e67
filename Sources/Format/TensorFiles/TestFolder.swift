import Glibc

/// A folder of ONNX test data: `model.onnx`, and `test_data_set_0` ... with `input_0.pb` ... and `output_0.pb` ...
/// Tolerances other than the usual ones stand in `data.json`.
///
/// The layout is that of the ONNX project's backend tests.
public struct TestFolder: Sendable, Hashable {
  /// The files of one run.
  public struct DataSet: Sendable, Hashable {
    /// The folder.
    public var path: String
    /// Files of the inputs in order.
    public var inputs: [String]
    /// Files of the expected outputs in order.
    public var outputs: [String]
  }

  /// The folder.
  public let path: String
  /// The data sets by their numbers.
  public let dataSets: [DataSet]

  /// The tolerance that `data.json` states as `rtol` and `atol`; the usual one without that file.
  ///
  /// - Throws: `FormatError` when the file is no JSON object or a bound is no number from 0 on.
  public func tolerance() throws(FormatError) -> TensorTolerance {
    let path = "\(path)/data.json"
    var tolerance = TensorTolerance()
    guard FileSystem.exists(path) else { return tolerance }
    let file = try MappedFile(path: path)
    let json = try JSONValue.parse(file.bytes(0..<file.count), maximumDepth: ReadLimits().depth)
    func bound(_ name: String, _ fallback: Double) throws(FormatError) -> Double {
      guard let stated = json[name] else { return fallback }
      guard let number = stated.double, number >= 0, number.isFinite else {
        throw FormatError(.malformed, "\(name) is no tolerance", file: path)
      }
      return number
    }
    guard json.object != nil else { throw FormatError(.malformed, "is no JSON object", file: path) }
    tolerance.relative = try bound("rtol", tolerance.relative)
    tolerance.absolute = try bound("atol", tolerance.absolute)
    return tolerance
  }

  /// The model.
  public var modelPath: String { "\(path)/model.onnx" }
  /// The last part of the path.
  public var name: String { Path.name(of: path) }

  /// All test folders at or below a path, ordered by path.
  ///
  /// - Throws: `FormatError` of kind `missing` when there are none.
  public static func find(in path: String) throws(FormatError) -> [TestFolder] {
    var path = path
    while path.utf8.count > 1, Path.endsWithSlash(path) { path = String(Substring(path.utf8.dropLast())) }
    let found = find(in: path, depth: 0)
    guard !found.isEmpty else {
      throw FormatError(
        .missing, "holds no test data", file: path,
        advice: "Give a folder with model.onnx and test_data_set_0/, or a folder of such folders")
    }
    return found
  }

  private static func find(in path: String, depth: Int) -> [TestFolder] {
    if FileSystem.exists("\(path)/model.onnx") { return [TestFolder(path)] }
    guard depth < 4 else { return [] }
    return FileSystem.names(in: path).filter { isFolder("\(path)/\($0)") }
      .flatMap { find(in: "\(path)/\($0)", depth: depth + 1) }
  }

  private init(_ path: String) {
    self.path = path
    dataSets = FileSystem.names(in: path).filter { $0.hasPrefix("test_data_set_") }
      .sorted { (Self.number($0), $0) < (Self.number($1), $1) }
      .map { name in
        let folder = "\(path)/\(name)"
        let names = FileSystem.names(in: folder).filter { $0.hasSuffix(".pb") }.sorted {
          (Self.number($0), $0) < (Self.number($1), $1)
        }
        return DataSet(
          path: folder, inputs: names.filter { $0.hasPrefix("input_") }.map { "\(folder)/\($0)" },
          outputs: names.filter { $0.hasPrefix("output_") }.map { "\(folder)/\($0)" })
      }
  }

  /// The digits at the end of a name, its ending left out.
  private static func number(_ name: String) -> Int {
    let stem = name.split(separator: ".").first ?? ""
    return stem.split(separator: "_").last.flatMap { Int($0) } ?? 0
  }

  /// Links are not followed, so that a folder cannot hold itself.
  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

extension FileSystem {
  /// The names in a folder, sorted; empty when it cannot be read.
  static func names(in path: String) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
