import NNFormat
import TestSupport
import Testing

/// Every fixture as a Keras file loads in real Keras without custom objects and computes its numbers.
@Suite struct KerasTests {
  private static func forms(_ row: FixtureRow) -> [FixtureForm] {
    var forms = ["keras", "h5", "weights.h5"].map { FixtureForm(way: .raised, ending: $0) }
    if !row.file.hasSuffix(".onnx"), !row.isArchiveOfKeras2 { forms.append(.restored) }
    return forms
  }

  private static let batch = Result {
    try InteropBatch(PythonPeer(script: "keras_peer.py", arguments: ["keras"]), forms: forms)
  }

  @Test(arguments: Fixtures.rows(.predict)) func computesTheSame(_ row: FixtureRow) throws {
    try Self.batch.get().verify(row, Self.forms(row), exceptions: KerasExceptions.keras)
  }
}

/// Every fixture as a legacy `.h5` loads in tf_keras without custom objects and computes its numbers, and so do tf_keras's
/// own archives that went through ONNX: they stay archives of Keras 2.
@Suite struct TfKerasTests {
  private static func forms(_ row: FixtureRow) -> [FixtureForm] {
    [FixtureForm(way: .raised, ending: "h5")] + (row.isArchiveOfKeras2 ? [.restored] : [])
  }

  private static let batch = Result {
    try InteropBatch(PythonPeer(script: "keras_peer.py", arguments: ["tf_keras"]), forms: forms)
  }

  @Test(arguments: Fixtures.rows(.predict)) func computesTheSame(_ row: FixtureRow) throws {
    try Self.batch.get().verify(row, Self.forms(row), exceptions: KerasExceptions.tfKeras)
  }
}

extension FixtureForm {
  /// Through ONNX and back to what it was.
  fileprivate static let restored = FixtureForm(way: .sidecar, ending: "keras")
}

extension FixtureRow {
  fileprivate var isArchiveOfKeras2: Bool { name.hasPrefix("tf_") && file.hasSuffix(".keras") }
}
