import NNFormat
import TestSupport
import Testing

/// Expects exit status 2, nothing on standard output, and one line on standard error that holds all words.
@discardableResult
func expectFailure(
  _ arguments: [String], _ words: [String] = [], input: String = "", location: SourceLocation = #_sourceLocation
) throws -> Tool.Result {
  let result = try Tool.run(arguments, input: input)
  #expect(result.status == 2, "\(arguments): \(result.error)", sourceLocation: location)
  #expect(result.output.isEmpty, sourceLocation: location)
  #expect(result.errorLines.count == 1, "\(result.error)", sourceLocation: location)
  #expect(result.error.hasPrefix("nnfmt: "), "\(result.error)", sourceLocation: location)
  for word in words {
    #expect(result.error.lowercased().contains(word.lowercased()), "\(word): \(result.error)", sourceLocation: location)
  }
  return result
}

@Suite struct ErrorTests {
  private let digits = Fixtures.model("digits.keras")
  private let images = Fixtures.path("digits/images.npy")

  @Test(arguments: Fixtures.rows(.error)) func filesThatCannotBeRun(_ row: FixtureRow) throws {
    try expectFailure(["predict", row.path, "--input", images], [row.message ?? "", row.path].filter { !$0.isEmpty })
  }

  /// Files that are no models are named for what they are, with the path in front.
  @Test(arguments: [
    ("text.h5", "text"), ("empty_file.h5", "is empty"), ("web_page.h5", "web page (HTML)"),
    ("lfs_pointer.h5", "git lfs pull"),
    ("truncated.h5", "truncated"), ("truncated_head.h5", "truncated"),
    ("other_zip.keras", "zip archive without config.json"),
    ("gzipped.h5", "gunzip"), ("pickle.h5", "never opened"), ("empty_hdf5.h5", "holds nothing"),
    ("table.h5", "not a Keras model"),
    ("random_bytes.h5", "no known model format"), ("truncated.keras", "cut short"),
  ]) func inspectNamesWhatAFileIs(_ name: String, word: String) throws {
    let path = Fixtures.model(name)
    let result = try expectFailure(["inspect", path], [word])
    #expect(result.error.hasPrefix("nnfmt: \(path): "))
    try expectFailure(["inspect", path, "--json"], [word])
  }

  @Test(arguments: ["missing_dataset.h5", "wrong_shape.h5", "missing_all_weights.h5", "soft_link.h5"])
  func inspectShowsDamagedModels(_ name: String) throws {
    let result = try Tool.run(["inspect", Fixtures.model(name)])
    #expect(result.status == 0)
    #expect(result.output.contains("error: ") || result.output.contains("warning: "))
  }

  @Test(arguments: [
    (["bogus"], "bogus"), (["inspect"], "FILE"), (["inspect", "x", "--bogus"], "--bogus"),
    (["predict", "x"], "--input"),
    (["predict", "x", "--input", "y", "--batch", "0"], "--batch"),
    (["predict", "x", "--input", "y", "--top", "0"], "--top"),
    (["predict", "x", "--input", "y", "--threads", "0"], "--threads"),
    (["predict", "x", "--input", "y", "--threads", "two"], "two"),
    (["predict", "x", "--input"], "--input"), (["--bogus"], "--bogus"), (["inspect", "a", "b"], "b"),
  ]) func wrongUsage(_ arguments: [String], word: String) throws {
    try expectFailure(arguments, [word, "--help"])
  }

  @Test func filesThatAreNotThere() throws {
    let folder = try TemporaryFolder()
    let none = folder.file("none.h5")
    for arguments in [
      ["inspect", none], ["predict", none, "--input", images], ["predict", digits, "--input", none],
      ["predict", digits, "--input", images, "--labels", none],
      ["predict", digits, "--input", images, "--truth", none],
      ["predict", digits, "--input", images, "--expect", none], ["inspect", digits, "--architecture", none],
    ] {
      try expectFailure(arguments, [none, "No such file"])
    }
    try expectFailure(["inspect", folder.path], [folder.path, "folder"])
  }

  @Test func wrongInputsNameBothSides() throws {
    let folder = try TemporaryFolder()
    let flat = try folder.write(
      NpyFile.bytes(of: Tensor([Float](repeating: 0, count: 128), shape: [2, 64])), to: "f.npy")
    try expectFailure(["predict", digits, "--input", flat], ["(batch, 8, 8)", "(2, 64)"])
    let doubles = try folder.write(
      NpyFile.bytes(of: Tensor([Double](repeating: 0, count: 64), shape: [1, 8, 8])), to: "d.npy")
    try expectFailure(["predict", digits, "--input", doubles], ["float32", "float64"])
    let table = try folder.write("1,2,3\n", to: "t.csv")
    try expectFailure(["predict", digits, "--input", table], ["3 cells", "(batch, 8, 8)"])
    let broken = try folder.write("1,2\n3,x\n", to: "b.csv")
    try expectFailure(["predict", digits, "--input", broken], [broken, "line 2, column 2"])
    try expectFailure(["predict", digits, "--input", "nope=\(images)"], ["nope"])
    try expectFailure(["predict", digits, "--input", images, "--input", images], ["0 inputs left"])
    try expectFailure(["predict", Fixtures.model("several.h5"), "--input", "x=\(images)"], ["no input \"x\""])
    try expectFailure(["predict", digits, "--input", Fixtures.model("digits.h5")], ["digits.h5", "neither .npy"])
    try expectFailure(["predict", digits, "--input", "-"], ["standard input"], input: "not,a\ntable,here\n")
  }

  @Test func labelsAndClassesThatDoNotFit() throws {
    let folder = try TemporaryFolder()
    let labels = try folder.write("a\nb\n", to: "l.txt")
    try expectFailure(["predict", digits, "--input", images, "--labels", labels], ["2 labels", "10 classes"])
    let truth = try folder.write("1\n2\n", to: "t.csv")
    try expectFailure(["predict", digits, "--input", images, "--truth", truth], ["2 true classes", "360 rows"])
    let wrong = try folder.write(String(repeating: "1\n", count: 359) + "10\n", to: "wrong.csv")
    try expectFailure(
      ["predict", digits, "--input", images, "--truth", wrong],
      ["wrong.csv", "the label 10", "classes 0 to 9 (row 360)"])
  }

  @Test func aFailureLeavesTheOldOutput() throws {
    let folder = try TemporaryFolder()
    for name in ["x.npy", "x.npz", "x.csv", "x.txt"] {
      let output = try folder.write("old", to: name)
      let arguments = name == "x.txt" ? [images] : [Fixtures.path("digits/labels.npy")]
      try expectFailure(["predict", digits, "--input"] + arguments + ["--output", output])
      #expect(try TemporaryFolder.bytes(of: output) == Array("old".utf8))
    }
    let several = Fixtures.model("several.h5")
    try expectFailure(
      ["predict", several, "--input", Fixtures.path("expected/several.x.npz"), "--output", folder.file("x.npy")],
      ["2 outputs", ".npz"])
    #expect(try TemporaryFolder.bytes(of: folder.file("x.npy")) == Array("old".utf8))
    #expect(try folder.names == ["x.csv", "x.npy", "x.npz", "x.txt"])
    try expectFailure(["predict", digits, "--input", images, "--output", folder.file("no/x.npy")], ["no/x.npy"])
  }

  /// Names from a file may hold anything; the error stays one line without a terminal's commands.
  @Test func namesWithControlCharacters() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"{"class_name": "Sequential", "config": {"layers": [{"class_name": "Conv9D\n\u001b[2J", "config": {"name": "a\r\nb", "input_dim": 2}}]}}"#,
      to: "config.json")
    let result = try expectFailure(["predict", path, "--input", images], ["Conv9D"])
    #expect(!result.error.contains("\u{1b}"))
    let shown = try Tool.run(["inspect", path])
    #expect(shown.status == 0)
    #expect(!shown.output.contains("\u{1b}"))
  }
}
