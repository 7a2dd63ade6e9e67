import NNFormat
import TestSupport
import Testing

@Suite struct InspectTests {
  private let digits = Fixtures.model("digits.keras")

  @Test(arguments: Fixtures.rows(.predict) + Fixtures.rows(.inspect)) func everyModelIsShown(_ row: FixtureRow) throws {
    let result = try Tool.run(["inspect", row.path])
    #expect(result.status == 0)
    #expect(result.error.isEmpty)
    #expect(result.output.hasPrefix("\(row.path): "))
    #expect(result.output.contains("Parameters: "))
  }

  @Test(arguments: [[:], ["NO_COLOR": "1"], ["TERM": "xterm-256color"]]) func noColourInAPipe(
    _ environment: [String: String]
  ) throws {
    let result = try Tool.run(["inspect", Fixtures.model("lambda.h5")], environment: environment)
    #expect(result.status == 0)
    #expect(!result.output.contains("\u{1b}"))
    #expect(result.output.contains("[lambda-layer]"))
  }

  @Test func viewsOfAModel() throws {
    let layers = try Tool.run(["inspect", digits]).output
    #expect(layers.contains("Parameters: 2,410") && layers.contains("(batch, 10)") && !layers.contains("kernel"))
    let weights = try Tool.run(["inspect", digits, "--weights"]).output
    #expect(weights.contains("kernel") && !weights.contains("Mean"))
    #expect(try Tool.run(["inspect", digits, "--stats"]).output.contains("Mean"))
    let tree = try Tool.run(["inspect", digits, "--tree"]).output
    #expect(tree.contains("- kernel") && tree.contains("/layers/dense/vars/0"))
    let name = try #require(ModelReport(ModelFile.read(digits)).layers.last?.name)
    let layer = try Tool.run(["inspect", digits, "--layer", name]).output
    #expect(layer.hasPrefix("\(name): Dense") && layer.contains("\"units\": 10"))
    try expectFailure(["inspect", digits, "--layer", "none"], [digits, "none"])
  }

  @Test(arguments: [[], ["--stats"], ["--layer", "dense"]]) func json(_ options: [String]) throws {
    let file = Fixtures.model("trained_adam.h5")
    let name = try #require(ModelReport(ModelFile.read(file)).layers.first?.name)
    let result = try Tool.run(["inspect", file, "--json"] + options.map { $0 == "dense" ? name : $0 })
    #expect(result.status == 0)
    let json = try JSONValue.parse(result.output)
    #expect(json.object?.keys.first == "schema")
    #expect(json["schema"] == "nnfmt.inspect/1")
    #expect(json["file"]?["path"]?.string == file)
    #expect((json["tensors"]?[0]?["stats"] != nil) == (options == ["--stats"]))
  }

  @Test func architectureFillsInTheLayers() throws {
    let weights = Fixtures.model("digits.weights.h5")
    let alone = try JSONValue.parse(Tool.run(["inspect", weights, "--json"]).output)
    #expect(alone["findings"]?[0]?["code"] == "weights-only")
    let whole = try JSONValue.parse(Tool.run(["inspect", weights, "--json", "--architecture", digits]).output)
    let original = try JSONValue.parse(Tool.run(["inspect", digits, "--json"]).output)
    #expect(whole["layers"] == original["layers"])
    #expect(whole["parameters"] == original["parameters"])
    try expectFailure(["inspect", digits, "--architecture", weights], ["no layers"])
    let text = try expectFailure(["predict", weights, "--input", Fixtures.path("digits/images.npy")])
    #expect(text.error.contains("--architecture"))
  }

  @Test(arguments: [["--help"], ["inspect", "--help"], ["predict", "--help"], ["help", "predict"]])
  func helpHasExamples(_ arguments: [String]) throws {
    let result = try Tool.run(arguments)
    #expect(result.status == 0)
    #expect(result.error.isEmpty)
    #expect(
      result.output.contains("Examples:") && result.output.contains("nnfmt inspect")
        || result.output.contains("nnfmt predict"))
  }

  @Test func versionNamesTheMachineOnRequest() throws {
    let short = try Tool.run(["--version"])
    #expect(short.status == 0)
    #expect(short.output.hasPrefix("nnfmt ") && short.output.split(separator: "\n").count == 1)
    for set in ["scalar", "avx2"] {
      let long = try Tool.run(["--version", "--verbose"], environment: ["NNFMT_ISA": set])
      #expect(long.status == 0)
      for word in ["instruction set", "gemm", "softmax", "threads", "libhdf5 "] {
        #expect(long.output.contains(word), "\(word)")
      }
    }
    let scalar = try Tool.run(["--version", "--verbose"], environment: ["NNFMT_ISA": "scalar"]).output
    #expect(scalar.contains("tanh_f32__scalar") && !scalar.contains("__avx"))
    #expect(try Tool.run(["--version", "--verbose"], environment: ["NNFMT_ISA": "mmx"]).error.contains("mmx"))
  }
}
