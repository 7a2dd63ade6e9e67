import Foundation
import TestSupport
import Testing

/// Files for the tests of `create`, `train`, `graft` and `perceptron`.
enum TrainingFiles {
  /// Rows of three classes by name, each about a corner of its own.
  static func table(rows: Int = 60, missing: Int? = nil) -> String {
    var random = SeededNumbers(7)
    var text = "a,b,c,kind\n"
    for row in 0..<rows {
      let label = row % 3
      let cells = (0..<3).map { axis in
        row == missing && axis == 1 ? "" : "\((axis == label ? 2 : 0) + Double(random.below(1000)) / 1000 - 0.5)"
      }
      text += (cells + [["ant", "bee", "cat"][label]]).joined(separator: ",") + "\n"
    }
    return text
  }

  /// A network for the table.
  static func network(_ folder: TemporaryFolder, _ name: String = "net.keras", layers: String? = nil) throws -> String {
    let path = folder.file(name)
    let layers = layers ?? "dense 6 relu, dropout 0.2, dense 3 softmax"
    let result = try Tool.run(["create", path, "--input", "3", "--layers", layers, "--seed", "4"])
    try #require(result.status == 0, "\(result.error)")
    return path
  }

  /// A folder of images with a folder for each of two classes.
  static func images(_ folder: TemporaryFolder, secondClass: [String: [UInt8]]) throws -> String {
    let root = folder.file("images")
    for (name, files) in [("dark", ["a.png": dark]), ("light", secondClass)] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
      for (file, bytes) in files { _ = try folder.write(bytes, to: "images/\(name)/\(file)") }
    }
    return root
  }

  /// PNG files of one grey pixel, black and white.
  static let dark = pixel("GNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
  static let light = pixel("GP4DwABAQEAsTj2FAAAAABJRU5ErkJggg==")

  private static func pixel(_ end: String) -> [UInt8] {
    let start = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4n"
    return Data(base64Encoded: start + end).map(Array.init) ?? []
  }
}
