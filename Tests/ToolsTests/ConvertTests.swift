import NNFormat
import TestSupport
import Testing

/// The verb `convert` as its users run it.
@Suite struct ConvertTests {
  @Test func convertsAndChecksBothWays() throws {
    let folder = try TemporaryFolder()
    let onnx = folder.file("digits.onnx")
    let there = try Tool.run(["convert", Fixtures.model("digits.keras"), onnx, "--check", "--opset", "17"])
    #expect(there.status == 0, "\(there.error)\(there.output)")
    #expect(there.output.contains("kept: configuration"))
    let back = try Tool.run(["convert", onnx, folder.file("digits.keras"), "--check", "--json"])
    #expect(back.status == 0, "\(back.error)\(back.output)")
    let report = try JSONValue.parse(back.output)
    #expect(report.object?.keys.first == "schema")
    #expect(report["schema"] == "nnfmt.convert/1")
    #expect(report["check"]?["equal"] == true)
    #expect(report["notes"]?[0]?["kind"] == "restored")
  }

  @Test(arguments: ["keras", "h5"]) func anONNXModelComesBack(_ ending: String) throws {
    let folder = try TemporaryFolder()
    let original = Fixtures.model("torch_tower_script_17.onnx")
    let (middle, back) = (folder.file("model.\(ending)"), folder.file("back.onnx"))
    let there = try Tool.run(["convert", original, middle, "--check"])
    #expect(there.status == 0, "\(there.error)\(there.output)")
    #expect(there.output.contains("kept: ONNX model"))
    #expect(try Tool.run(["inspect", middle]).output.contains("onnx: made from an ONNX model"))
    let returned = try Tool.run(["convert", middle, back, "--check"])
    #expect(returned.status == 0, "\(returned.error)\(returned.output)")
    #expect(returned.output.contains("restored: ONNX model"))
    for (one, other) in [(original, back), (original, middle), (middle, back)] {
      #expect(try Tool.run(["diff", one, other]).status == 0)
    }
    let moved = try Tool.run(["convert", middle, back, "--opset", "20", "--check"])
    #expect(moved.status == 0, "\(moved.error)\(moved.output)")
    #expect(moved.output.contains("restored: ONNX model"))
  }

  /// The label of a classifier has no layer, and is an output again.
  @Test func outputsWithoutALayerComeBack() throws {
    let folder = try TemporaryFolder()
    let middle = folder.file("model.keras")
    #expect(try Tool.run(["convert", Fixtures.model("sklearn_multiclass.onnx"), middle]).status == 0)
    let back = try Tool.run(["convert", middle, folder.file("back.onnx"), "--check"])
    #expect(back.status == 0, "\(back.error)\(back.output)")
    #expect(back.output.contains("restored: label"))
  }

  @Test(arguments: [
    ["out.txt"], ["out.onnx", "--opset", "7"], ["out.keras", "--opset", "17"], ["out.onnx", "--weights-only"],
  ])
  func whatCannotBeDoneLeavesNothing(_ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let result = try Tool.run(
      ["convert", Fixtures.model("digits.h5"), folder.file(arguments[0])] + arguments.dropFirst())
    #expect(result.status == 2)
    #expect(result.errorLines.count == 1)
    #expect(try folder.names.isEmpty)
  }

  @Test func aDifferenceIsAnAnswer() throws {
    let folder = try TemporaryFolder()
    // Joined layers round in another way.
    let result = try Tool.run(
      ["convert", Fixtures.model("torch_tower_script_13.onnx"), folder.file("x.keras"), "--check", "--tolerance", "0"])
    #expect(result.status == 1)
  }

  /// Labels that Keras has no output for are dropped, and the scores compared.
  @Test(arguments: ["sklearn_logistic.onnx", "sklearn_multiclass.onnx"]) func labelsAreDropped(_ name: String) throws {
    let folder = try TemporaryFolder()
    let result = try Tool.run(["convert", Fixtures.model(name), folder.file("x.keras"), "--check"])
    #expect(result.status == 0)
    #expect(result.output.contains("dropped: "))
    #expect(result.output.contains("check: output "))
  }
}
