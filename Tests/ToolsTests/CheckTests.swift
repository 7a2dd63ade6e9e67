import NNFormat
import TestSupport
import Testing

/// `nnfmt check` as its users run it.
@Suite struct CheckTests {
  /// A test folder for `y = x + 1`.
  private static func testFolder(
    _ name: String, in folder: TemporaryFolder, expecting expected: [Float], operatorType: String = "Add"
  ) throws -> String {
    var graph = Graph(
      name: "g", inputs: [Value(name: "x", elementType: .float32, shape: [2])],
      outputs: [Value(name: "y", elementType: .float32, shape: [2])],
      nodes: [Node(name: "n", operatorType, inputs: ["x", "one"], outputs: ["y"])])
    graph.initializers = [Initializer(name: "one", tensor: Tensor([1] as [Float], shape: [1]))]
    let path = folder.file(name)
    try FileSystem.makeFolder(path)
    try FileSystem.makeFolder("\(path)/test_data_set_0")
    let model = Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10)
    try ONNXFile.write(model, to: "\(path)/model.onnx")
    try TensorFile.writePB(Tensor([1, 2] as [Float]), name: "x", to: "\(path)/test_data_set_0/input_0.pb")
    try TensorFile.writePB(Tensor(expected), name: "y", to: "\(path)/test_data_set_0/output_0.pb")
    return path
  }

  @Test func validFilesPass() throws {
    let result = try Tool.run(["check", Fixtures.model("digits.keras"), Fixtures.model("digits.h5")])
    #expect(result.status == 0)
    #expect(result.output.hasSuffix("2 passed, 0 failed, 0 skipped\n"))
    #expect(result.error.isEmpty)
  }

  @Test func invalidFilesFailWithTheirFindings() throws {
    let result = try Tool.run(["check", Fixtures.model("wrong_shape.h5"), Fixtures.model("digits.h5")])
    #expect(result.status == 1)
    #expect(result.output.contains("[invalid-layer]"))
    #expect(result.output.hasSuffix("1 passed, 1 failed, 0 skipped\n"))
  }

  @Test func strictCountsWarnings() throws {
    let path = Fixtures.model("nan_weights.h5")
    #expect(try Tool.run(["check", path]).status == 0)
    #expect(try Tool.run(["check", "--strict", path]).status == 1)
  }

  @Test func unreadableFilesAreSaidInOneLineAndTheOthersChecked() throws {
    let result = try Tool.run(["check", Fixtures.model("truncated.h5"), Fixtures.model("digits.h5")])
    #expect(result.status == 2)
    #expect(result.errorLines.count == 1 && result.error.hasPrefix("nnfmt: "))
    #expect(result.output.contains("1 passed, 1 failed, 0 skipped"))
    #expect(try Tool.run(["check"]).status == 2)
  }

  @Test func testFoldersRun() throws {
    let folder = try TemporaryFolder()
    let good = try Self.testFolder("a_good", in: folder, expecting: [2, 3.0001])
    #expect(try Tool.run(["check", "--test-data", good]).output == "1 passed, 0 failed, 0 skipped\n")
    _ = try Self.testFolder("b_bad", in: folder, expecting: [2, 3.01])
    _ = try Self.testFolder("c_strange", in: folder, expecting: [2, 3], operatorType: "Frobnicate")
    let result = try Tool.run(["check", "--test-data", folder.path])
    #expect(result.status == 1)
    #expect(result.output.contains("b_bad: failed: output \"y\" differs in 1 of 2 elements"))
    #expect(result.output.contains("c_strange: skipped: operators that do not run: Frobnicate"))
    #expect(result.output.hasSuffix("1 passed, 1 failed, 1 skipped\n"))
    let empty = try TemporaryFolder()
    #expect(try Tool.run(["check", "--test-data", empty.path]).status == 2)
  }

  @Test func foldersStateTheirTolerance() throws {
    let folder = try TemporaryFolder()
    let path = try Self.testFolder("loose", in: folder, expecting: [2, 3.01])
    #expect(try Tool.run(["check", "--test-data", path]).status == 1)
    _ = try folder.write("{\"rtol\": 0.01, \"atol\": 1e-7}", to: "loose/data.json")
    #expect(try Tool.run(["check", "--test-data", path]).status == 0)
    _ = try folder.write("{\"rtol\": \"wide\"}", to: "loose/data.json")
    let result = try Tool.run(["check", "--test-data", path])
    #expect(result.status == 1 && result.output.contains("rtol is no tolerance"))
  }

  @Test func printsJSON() throws {
    let folder = try TemporaryFolder()
    let good = try Self.testFolder("good", in: folder, expecting: [2, 3])
    let result = try Tool.run(["check", Fixtures.model("wrong_shape.h5"), "--test-data", good, "--json"])
    let json = try JSONValue.parse(result.output)
    #expect(result.status == 1)
    #expect(json.object?.keys.first == "schema" && json["schema"]?.string == "nnfmt.check/1")
    #expect(json["passed"]?.int == 1 && json["failed"]?.int == 1 && json["skipped"]?.int == 0)
    #expect(json["files"]?[0]?["result"]?.string == "failed")
    #expect(json["files"]?[0]?["findings"]?[0]?["severity"]?.string == "error")
    #expect(json["tests"]?[0]?["name"]?.string == "good" && json["tests"]?[0]?["result"]?.string == "passed")
  }
}
