import NNFormat
import TestSupport
import Testing

@Suite struct PredictTests {
  private let digits = Fixtures.model("digits.keras")
  private let images = Fixtures.path("digits/images.npy")
  private let labels = Fixtures.path("digits/labels.txt")
  private let truth = Fixtures.path("digits/labels.npy")

  private func succeed(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws
    -> Tool.Result
  {
    let result = try Tool.run(arguments, input: input, environment: environment)
    #expect(result.status == 0, "\(result.error)")
    return result
  }

  private func read(_ path: String) throws -> Tensor {
    guard case .tensor(let tensor) = try TensorInput.read(path) else { throw FormatError(.mismatch, "not an array") }
    return tensor
  }

  /// Every fixture on every instruction set, against Keras's outputs.
  @Test(arguments: Fixtures.rows(.predict), ["scalar", "avx2", "avx512"])
  func everyInstructionSetAgreesWithKeras(_ row: FixtureRow, set: String) throws {
    let (inputs, outputs) = (try #require(row.inputs), try #require(row.outputs))
    var arguments = ["predict", row.path, "--input", Fixtures.path(inputs), "--expect", Fixtures.path(outputs)]
    arguments += ["--tolerance", "\(row.tolerance)", "--quiet"]
    if let architecture = row.architecture { arguments += ["--architecture", Fixtures.path(architecture)] }
    let result = try succeed(arguments, environment: ["NNFMT_ISA": set])
    #expect(result.error.isEmpty)
  }

  @Test func weightsMayBeRoundedToBfloat16() throws {
    let folder = try TemporaryFolder()
    func probabilities(_ precision: String) throws -> [Float] {
      let file = "\(folder.path)/\(precision).npy"
      _ = try succeed(["predict", digits, "--input", images, "--output", file, "--precision", precision])
      return try read(file).elements()
    }
    let (exact, rounded) = (try probabilities("fp32"), try probabilities("bf16"))
    #expect(try exact != rounded && rounded == probabilities("bfloat16"))
    #expect(zip(exact, rounded).allSatisfy { abs($0 - $1) < 0.02 })
    let wrong = try Tool.run(["predict", digits, "--input", images, "--precision", "fp8"])
    #expect(wrong.status == 2 && wrong.output.isEmpty && wrong.error.contains("fp8"))
  }

  @Test func theDigitsAreAsRightAsKeras() throws {
    let result = try succeed(["predict", digits, "--input", images, "--labels", labels, "--truth", truth])
    #expect(result.output.contains("345 of 360"))
    #expect(!result.output.contains("\u{1b}"))
    #expect(result.output.split(separator: "\n").count == 360 + 2)
  }

  @Test func everyFormOfOutputHoldsTheSame() throws {
    let folder = try TemporaryFolder()
    let expected = try read(Fixtures.path("digits/keras_outputs.npy"))
    for name in ["x.npy", "x.npz", "x.csv"] {
      let path = folder.file(name)
      _ = try succeed(["predict", digits, "--input", images, "--output", path])
      let pairs = try TensorComparison.pairs([("y", expected)], expected: try TensorInput.read(path))
      #expect(try TensorComparison(pairs[0].actual, expected: pairs[0].expected).maximumDifference <= 1e-5, "\(name)")
    }
    let text = try succeed(["predict", digits, "--input", images, "--output", "-"]).output
    #expect(Array(text.utf8) == (try TemporaryFolder.bytes(of: folder.file("x.csv"))))
    #expect(try folder.names == ["x.csv", "x.npy", "x.npz"])
  }

  @Test func threadsAndBatchesChangeNoBit() throws {
    let folder = try TemporaryFolder()
    var first: [UInt8]?
    for options in [
      [], ["--threads", "1"], ["--threads", "2"], ["--threads", "5000"], ["--batch", "1"], ["--batch", "7"],
      ["--batch", "9999"],
    ] {
      let path = folder.file("x.npy")
      _ = try succeed(["predict", digits, "--input", images, "--output", path] + options)
      let bytes = try TemporaryFolder.bytes(of: path)
      #expect(first == nil || first == bytes, "\(options)")
      first = first ?? bytes
    }
  }

  @Test func severalOutputsKeepTheirNamesAndOrder() throws {
    let folder = try TemporaryFolder()
    let inputs = Fixtures.path("expected/several.x.npz")
    _ = try succeed(["predict", Fixtures.model("several.h5"), "--input", inputs, "--output", folder.file("x.npz")])
    let outputs = try NpzFile.read(ByteRegion(MappedFile(path: folder.file("x.npz"))))
    let report = ModelReport(try ModelFile.read(Fixtures.model("several.h5")))
    #expect(Array(outputs.keys) == report.outputs.map(\.name))
    // The inputs one by one, each under its name, in another order.
    let arrays = try NpzFile.read(ByteRegion(MappedFile(path: inputs)))
    var arguments = ["predict", Fixtures.model("several.h5"), "--expect", Fixtures.path("expected/several.y.npz")]
    for (name, tensor) in arrays.reversed() {
      arguments += ["--input", "\(name)=\(try folder.write(NpyFile.bytes(of: tensor), to: "\(name).npy"))"]
    }
    _ = try succeed(arguments)
  }

  @Test func tablesFromFilesAndStandardInput() throws {
    let folder = try TemporaryFolder()
    let pixels = try read(images).rows(0..<2).doubles()
    let rows = (0..<2).map { row in pixels[row * 64..<row * 64 + 64].map { "\(Int($0))" }.joined(separator: ",") }
    let table = rows.joined(separator: "\n") + "\n"
    let fromFile = try succeed(["predict", digits, "--input", folder.write(table, to: "t.csv"), "--output", "-"]).output
    let fromInput = try succeed(["predict", digits, "--input", "-", "--output", "-"], input: table).output
    let header = (0..<64).map { "p\($0)" }.joined(separator: ";") + "\n"
    let withHeader = try succeed(
      ["predict", digits, "--input", "-", "--output", "-"], input: header + table.replacing(",", with: ";")
    ).output
    #expect(fromFile == fromInput && fromFile == withHeader)
    #expect(try CSVTable(fromFile).rowCount == 2)
    #expect(try CSVTable(fromFile).columnCount == 10)
  }

  @Test func expectedArraysDecideTheStatus() throws {
    let folder = try TemporaryFolder()
    let right = Fixtures.path("digits/keras_outputs.npy")
    #expect(try Tool.run(["predict", digits, "--input", images, "--expect", right]).status == 0)
    var values = try read(right).elements(as: Float.self)
    values[17] += 0.01
    let wrong = try folder.write(NpyFile.bytes(of: Tensor(values, shape: [360, 10])), to: "w.npy")
    let result = try Tool.run(["predict", digits, "--input", images, "--expect", wrong, "--json"])
    #expect(result.status == 1)
    #expect(result.error.isEmpty)
    let json = try JSONValue.parse(result.output)
    #expect(json["equal"] == false)
    #expect(abs((json["comparison"]?[0]?["maxDifference"]?.double ?? 0) - 0.01) < 1e-4)
    #expect(try Tool.run(["predict", digits, "--input", images, "--expect", wrong, "--tolerance", "0.02"]).status == 0)
    try expectFailure(
      ["predict", digits, "--input", images, "--expect", folder.write("1,2\n", to: "s.csv")], ["(360, 10)", "(1, 2)"])
  }

  @Test func jsonOfPredictions() throws {
    let result = try succeed(
      [
        "predict", digits, "--input", images, "--json", "--labels", labels, "--top", "4", "--min-margin", "0.5",
        "--truth", truth,
      ])
    let json = try JSONValue.parse(result.output)
    #expect(json.object?.keys.first == "schema")
    #expect(json["schema"] == "nnfmt.predict/1")
    #expect(json["outputs"]?[0]?["shape"] == [360, 10])
    #expect(json["accuracy"]?["correct"] == 345)
    let rows = try #require(json["predictions"]?.array)
    #expect(rows.count == 360)
    for row in rows {
      let scores = (row["top"]?.array ?? []).compactMap { $0["score"]?.double }
      #expect(scores.count == 4 && scores == scores.sorted(by: >))
      let margin = try #require(row["margin"]?.double)
      #expect(abs(margin - (scores[0] - scores[1])) < 1e-9)
      #expect(row["uncertain"]?.bool == (margin < 0.5))
      #expect(row["top"]?[0]?["class"] == row["class"] && row["top"]?[0]?["label"] == row["label"])
    }
  }

  @Test func uncertainRowsAreMarked() throws {
    let all = try succeed(["predict", digits, "--input", images, "--min-margin", "2"]).output
    #expect(all.contains("Uncertain: 360 of 360"))
    let none = try succeed(["predict", digits, "--input", images, "--min-margin", "0"]).output
    #expect(none.contains("Uncertain: 0 of 360") && !none.contains("uncertain"))
  }

  /// Scores of any size are printed, not trapped on.
  @Test(arguments: ["1e3", "1e14", "9.5e14", "1e15", "1e30", "nan", "inf"]) func largeScoresArePrinted(_ number: String)
    throws
  {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"{"class_name": "Sequential", "config": {"layers": [{"class_name": "Flatten", "config": {"name": "f", "input_dim": 2}}]}}"#,
      to: "config.json")
    let result = try succeed(["predict", path, "--input", "-", "--top", "2"], input: "\(number),-\(number)\n")
    #expect(result.output.split(separator: "\n").count == 2)
  }
}
