import NNFormat
import TestSupport
import Testing

/// A Keras file and the ONNX file made of it are one model: `diff` compares what the ONNX file carries.
@Suite struct CarriedModelTests {
  @Test(arguments: Fixtures.rows(.predict)) func nothingTellsThemApart(_ row: FixtureRow) throws {
    let folder = try TemporaryFolder()
    let original = try row.read()
    guard case .keras = original.content else { return }
    _ = try Conversion().convert(original, to: folder.file("model.onnx"))
    let onnx = try ModelFile.read(folder.file("model.onnx"))
    for (left, right) in [(original, onnx), (onnx, original)] {
      let comparison = try ModelComparison(left, right)
      let found = comparison.differences.map { "\($0.place): \($0.left ?? "-") -> \($0.right ?? "-")" }
      #expect(found.isEmpty)
      #expect(comparison.tensors.compared == comparison.tensors.identical)
    }
  }
}
