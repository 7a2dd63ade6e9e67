import Foundation
import NNFormat

/// A folder that goes away with the object.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "nnfmt-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

enum ONNXTesting {
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../fixtures/onnx")
    .standardized.path()

  static func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

  static func region(_ bytes: [UInt8]) -> ByteRegion { ByteRegion(AlignedBytes(copying: bytes), name: "memory") }

  static func decode(_ bytes: [UInt8]) throws(FormatError) -> Model { try ONNXFile.read(region(bytes), path: nil) }

  /// Every stored property in words, and tensors by their content wherever their bytes lie.
  static func describe(_ value: Any) throws -> String {
    if let tensor = value as? Tensor {
      let content: String
      if case .strings(let strings) = tensor.storage {
        content = "\(strings)"
      } else {
        content = try unsafe tensor.withBytes { bytes in unsafe "\([UInt8](bytes))" }
      }
      return "\(tensor.elementType)\(tensor.shape) \(tensor.name.debugDescription) "
        + "\(tensor.docString.debugDescription) \(tensor.metadata) \(tensor.encoding) \(tensor.unknownFields) \(content)"
    }
    let mirror = Mirror(reflecting: value)
    guard !mirror.children.isEmpty else { return String(reflecting: value) }
    let children = try mirror.children.map { "\($0.label ?? ""): \(try describe($0.value))" }
    return "\(mirror.subjectType)(\(children.joined(separator: ", ")))"
  }

  /// The error of a computation that has to fail.
  static func error(of body: () throws(FormatError) -> some Any) -> FormatError? {
    do {
      _ = try body()
      return nil
    } catch {
      return error
    }
  }
}
