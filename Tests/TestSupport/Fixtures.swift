import NNFormat

/// The files in `fixtures/` and what `manifest.json` says of them.
package enum Fixtures {
  /// The folder, found from where this source file lies.
  package static let folder =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    .joined(separator: "/") + "/fixtures"

  /// The path of a file in the folder.
  package static func path(_ relative: String) -> String { "\(folder)/\(relative)" }

  /// The path of a model file by its name.
  package static func model(_ name: String) -> String { path("models/\(name)") }

  /// Every row of the manifest; empty when it cannot be read, which a test refuses.
  package static let rows: [FixtureRow] = {
    let document = try? JSONValue.parse(ByteRegion(MappedFile(path: path("manifest.json"))).bytes())
    return (document?.array ?? []).compactMap(FixtureRow.init)
  }()

  /// The rows of one expectation.
  package static func rows(_ expectation: FixtureRow.Expectation) -> [FixtureRow] {
    rows.filter { $0.expectation == expectation }
  }
}

/// What the manifest says of one model file.
package struct FixtureRow: Sendable, CustomStringConvertible {
  /// What can be done with the file.
  package enum Expectation: String, Sendable {
    case predict
    case inspect
    case error
    /// It runs, and its inputs or outputs hold strings.
    case text
  }

  package let name: String
  package let file: String
  package let architecture: String?
  package let inputs: String?
  package let outputs: String?
  package let tolerance: Double
  package let expectation: Expectation
  /// Whether what a row of the input gives depends on the rows beside it.
  package let dependsOnBatch: Bool
  package let message: String?
  package let layers: [String]

  package var description: String { name }
  package var path: String { Fixtures.path(file) }

  init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let file = json["file"]?.string,
      let expectation = json["expect"]?.string.flatMap(Expectation.init)
    else { return nil }
    self.name = name
    self.file = file
    self.expectation = expectation
    architecture = json["architecture"]?.string
    inputs = json["inputs"]?.string
    outputs = json["outputs"]?.string
    tolerance = json["tolerance"]?.double ?? 0
    dependsOnBatch = json["batch"]?.string == "whole"
    message = json["message"]?.string
    layers = json["layers"]?.strings ?? []
  }

  /// The file, with the layers of its architecture where the row names one.
  package func read() throws(FormatError) -> ModelFile {
    let file = try ModelFile.read(path)
    guard let architecture else { return file }
    return try file.adopting(architecture: try ModelFile.read(Fixtures.path(architecture)))
  }

  /// The reference inputs for a network's.
  package func referenceInputs(for inputs: [Value]) throws(FormatError) -> [String: Tensor] {
    guard let path = self.inputs else { throw FormatError(.missing, "the row names no inputs", file: name) }
    return try TensorInput.assign([(nil, try TensorInput.read(Fixtures.path(path)))], to: inputs)
  }

  /// The reference outputs.
  package func referenceOutputs() throws(FormatError) -> TensorInput {
    guard let outputs else { throw FormatError(.missing, "the row names no outputs", file: name) }
    return try TensorInput.read(Fixtures.path(outputs))
  }
}

extension Tensor {
  /// A copy of the dense bytes.
  package var denseBytes: [UInt8] {
    get throws(FormatError) { try unsafe withBytes { bytes in unsafe [UInt8](bytes) } }
  }
}
