import NNFormat
import TestSupport
import Testing

/// Every fixture as a Keras file loads in real Keras without custom objects and computes its numbers.
@Suite struct KerasTests {
  private static func forms(_ row: FixtureRow) -> [FixtureForm] {
    var forms = ["keras", "h5", "weights.h5"].map { FixtureForm(way: .raised, ending: $0) }
    if !row.file.hasSuffix(".onnx") { forms.append(FixtureForm(way: .sidecar, ending: "keras")) }
    return forms
  }

  private static let batch = Result {
    try InteropBatch(PythonPeer(script: "keras_peer.py", arguments: ["keras"]), forms: forms)
  }

  @Test(arguments: Fixtures.rows(.predict)) func computesTheSame(_ row: FixtureRow) throws {
    try Self.batch.get().verify(row, Self.forms(row), exceptions: KerasExceptions.keras)
  }
}

/// Every fixture as a legacy `.h5` loads in tf_keras without custom objects and computes its numbers.
@Suite struct TfKerasTests {
  private static let forms = [FixtureForm(way: .raised, ending: "h5")]

  private static let batch = Result {
    try InteropBatch(PythonPeer(script: "keras_peer.py", arguments: ["tf_keras"])) { _ in forms }
  }

  @Test(arguments: Fixtures.rows(.predict)) func computesTheSame(_ row: FixtureRow) throws {
    try Self.batch.get().verify(row, Self.forms, exceptions: KerasExceptions.tfKeras)
  }
}
