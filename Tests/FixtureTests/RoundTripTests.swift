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

  private static let onnxRows = (Fixtures.rows(.predict) + Fixtures.rows(.text)).filter { $0.file.hasSuffix(".onnx") }

  /// onnx → keras → onnx and onnx → h5 → onnx of what other programs wrote, message for message.
  @Test(arguments: onnxRows, ["keras", "h5"]) func foreignONNXThroughKeras(_ row: FixtureRow, ending: String) throws {
    let folder = try TemporaryFolder()
    let (middle, back) = (folder.file("middle.\(ending)"), folder.file("back.onnx"))
    let original = try row.read()
    guard let there = try Self.converted(original, to: middle) else { return }
    #expect(there.notes.contains { $0.kind == .kept && $0.subject == "ONNX model" })
    let layers = try ModelFile.read(middle)
    try expectEqual(original, layers)
    try expectEqual(layers, original)
    let notes = try Conversion().convert(layers, to: back).notes
    #expect(notes.first?.subject == "ONNX model" && notes.allSatisfy { $0.kind == .restored })
    try expectEqual(original, try ModelFile.read(back))
    _ = try Conversion().convert(original, to: folder.file("plain.onnx"))
    #expect(try TemporaryFolder.bytes(of: back) == TemporaryFolder.bytes(of: folder.file("plain.onnx")))
  }

  @Test func manyForeignModelsHaveLayers() throws {
    let folder = try TemporaryFolder()
    let count = try Self.onnxRows.count { try Self.converted(try $0.read(), to: folder.file("layers.keras")) != nil }
    #expect(count >= 58)
  }

  /// `nil` when there are no layers for the operators, which are named.
  private static func converted(_ file: ModelFile, to path: String) throws -> ConversionReport? {
    do throws(FormatError) {
      return try Conversion().convert(file, to: path)
    } catch {
      #expect(error.kind == .unsupported, "\(error)")
      return nil
    }
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
