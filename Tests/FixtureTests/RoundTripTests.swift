import NNFormat
import TestSupport
import Testing

/// What goes through another format and comes back is what it was: `diff` finds nothing.
@Suite struct RoundTripTests {
  private static let kerasRows = Fixtures.rows(.predict).filter { !$0.file.hasSuffix(".onnx") }

  /// h5 → onnx → h5, keras → onnx → keras.
  @Test(arguments: kerasRows) func kerasThroughONNX(_ row: FixtureRow) throws {
    let folder = try TemporaryFolder()
    let ending = try ending(row)
    let (middle, back) = (folder.file("middle.onnx"), folder.file("back.\(ending)"))
    _ = try Conversion().convert(try row.read(), to: middle)
    _ = try Conversion().convert(try ModelFile.read(middle), to: back)
    var returned = try ModelFile.read(back)
    if ending == "weights.h5" { returned = try returned.adopting(architecture: try row.read()) }
    try expectEqual(try row.read(), returned)
  }

  /// onnx → keras → onnx, with the layout that the ONNX file came from in between.
  @Test(arguments: kerasRows) func onnxThroughKeras(_ row: FixtureRow) throws {
    let folder = try TemporaryFolder()
    let ending = try ending(row) == "h5" ? "h5" : "keras"
    let (first, middle, back) = (folder.file("first.onnx"), folder.file("middle.\(ending)"), folder.file("back.onnx"))
    // Other layouts and writers of one become the layout that is written, before anything is compared.
    _ = try Conversion().convert(try row.read(), to: middle)
    _ = try Conversion().convert(try ModelFile.read(middle), to: first)
    _ = try Conversion().convert(try ModelFile.read(first), to: middle)
    _ = try Conversion().convert(try ModelFile.read(middle), to: back)
    try expectEqual(try ModelFile.read(first), try ModelFile.read(back))
  }

  /// The same format in and out.
  @Test(arguments: Fixtures.rows(.predict)) func onnxThroughONNX(_ row: FixtureRow) throws {
    let folder = try TemporaryFolder()
    _ = try Conversion().convert(try row.read(), to: folder.file("first.onnx"))
    _ = try Conversion().convert(try ModelFile.read(folder.file("first.onnx")), to: folder.file("second.onnx"))
    try expectEqual(
      try ModelFile.read(folder.file("first.onnx")), try ModelFile.read(folder.file("second.onnx")))
  }

  /// The ending of the layout that a Keras fixture has, or of the one that takes its place.
  private func ending(_ row: FixtureRow) throws -> String {
    guard case .keras(let keras) = try row.read().content else { return "onnx" }
    switch keras.layout {
    case .legacyModel, .legacyWeights: return "h5"
    case .weights: return "weights.h5"
    default: return "keras"
    }
  }

  private func expectEqual(_ left: ModelFile, _ right: ModelFile) throws {
    let comparison = try ModelComparison(left, right)
    #expect(
      comparison.isEqual,
      "\(comparison.differences.prefix(3).map { "\($0.place): \($0.left ?? "-") / \($0.right ?? "-")" })")
  }
}
