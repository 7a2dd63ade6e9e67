import NNFormat
import TestSupport
import Testing

/// The verb `quantise` as its users run it.
@Suite struct QuantiseTests {
  private let folder: TemporaryFolder
  private let digits = Fixtures.model("digits.keras")
  private let images = Fixtures.path("digits/images.npy")
  /// The test images with their classes.
  private let labelled: String
  private var target: String { folder.file("small.onnx") }

  init() throws {
    folder = try TemporaryFolder()
    labelled = folder.file("labelled.npz")
    let arrays = try ["images", "labels"].map { name in
      guard case .tensor(let tensor) = try TensorInput.read(Fixtures.path("digits/\(name).npy")) else {
        throw FormatError(.mismatch, "is no array", file: name)
      }
      return tensor
    }
    try NpzFile.write(
      [(name: "image", tensor: try arrays[0].converted(to: .float32)), (name: "y", tensor: arrays[1])], to: labelled)
  }

  @Test func writesWhatRunsAndSaysWhatItCosts() throws {
    let report = folder.file("report.json")
    let run = try Tool.run([
      "quantise", digits, target, "--scheme", "dynamic", "--validation-data", labelled, "--report", report, "--json",
    ])
    #expect(run.status == 0, "\(run.error)")
    for line in ["scheme: dynamic", "weight-type: int8", "per-channel: yes"] {
      #expect(run.errorLines.contains(line))
    }
    let json = try JSONValue.parse(run.output)
    #expect(json.object?.keys.first == "schema")
    #expect(json["schema"] == "nnfmt.quantise/1")
    #expect(json["layers"]?.array?.count == 2)
    for key in ["weight_sqnr_db", "output_sqnr_db", "cumulative_sqnr_db"] {
      #expect((json["layers"]?[0]?[key]?.double ?? 0) > 35)
    }
    #expect((json["speed"]?["before_us"]?.double ?? 0) > 0)
    #expect((json["accuracy"]?["before"]?.double ?? 0) > 0.95)
    let written = try JSONValue.parse(try TemporaryFolder.bytes(of: report))
    #expect(written["layers"] == json["layers"])
    let predicted = try Tool.run([
      "predict", target, "--input", images, "--truth", Fixtures.path("digits/labels.npy"), "--output",
      folder.file("out.npy"),
    ])
    #expect(predicted.status == 0, "\(predicted.error)")
  }

  @Test func theOtherSpellingAndTheTableWork() throws {
    let run = try Tool.run(["quantize", digits, target, "--scheme", "float16"])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains("Weight SQNR"))
    #expect(run.output.contains("times smaller"))
    let check = try Tool.run(["check", target])
    #expect(check.status == 0, "\(check.output)")
  }

  /// Keras's own layouts: they run, `inspect` names what they hold, and `diff` compares them with the origin.
  @Test(arguments: [
    ("keras", ["--scheme", "dynamic"], "dynamic int8 per channel"),
    ("h5", ["--scheme", "weight-only"], "weight-only int8 per channel"),
    ("keras", ["--scheme", "weight-only", "--weight-type", "int4"], "weight-only int4 blocks of 32"),
    ("h5", ["--scheme", "weight-only", "--weight-type", "int4", "--block-size", "0"], "weight-only int4 per channel"),
  ]) func writesKerasFiles(_ ending: String, _ options: [String], _ scheme: String) throws {
    let path = folder.file("small.\(ending)")
    let run = try Tool.run(["quantise", digits, path, "--validation-data", labelled, "--json"] + options)
    #expect(run.status == 0, "\(run.error)")
    let json = try JSONValue.parse(run.output)
    #expect((json["accuracy"]?["after"]?.double ?? 0) > 0.93)
    #expect((json["layers"]?[1]?["cumulative_sqnr_db"]?.double ?? 0) > 15)
    let inspected = try JSONValue.parse(try Tool.run(["inspect", path, "--json"]).output)
    let schemes = (inspected["layers"]?.array ?? []).compactMap { $0["scheme"]?.string }
    #expect(schemes == [scheme, scheme])
    let weights = (inspected["layers"]?.array ?? []).compactMap { $0["bitsPerWeight"]?.double }
    #expect(weights.allSatisfy { scheme.contains("int8") ? (8...10).contains($0) : (4...7.5).contains($0) })
    let near = try Tool.run(["diff", digits, path, "--tolerance", scheme.contains("int8") ? "0.005" : "0.15", "--json"])
    let sections = (try JSONValue.parse(near.output)["differences"]?.array ?? []).compactMap { $0["section"]?.string }
    #expect(sections.allSatisfy { $0 == "optimizer" }, "\(near.output)")
    let exact = try Tool.run(["diff", digits, path])
    #expect(exact.status == 1)
    #expect(exact.output.contains("hidden/kernel"))
  }

  /// What is quantised already is shown as it is, and is no success by itself.
  @Test func layersThatAreQuantisedStay() throws {
    let (once, twice) = (folder.file("small.keras"), folder.file("twice.keras"))
    let first = try Tool.run(["quantise", digits, once, "--scheme", "dynamic", "--exclude", "digit", "--quiet"])
    #expect(first.status == 0, "\(first.error)")
    let second = try Tool.run(["quantise", once, twice, "--scheme", "dynamic", "--quiet", "--json"])
    #expect(second.status == 0, "\(second.error)")
    let layers = try JSONValue.parse(second.output)["layers"]?.array ?? []
    #expect(layers.map { $0["kept"]?.string } == ["it is quantised already", nil])
    #expect(layers.allSatisfy { (8..<10).contains($0["bits"]?.double ?? 0) }, "\(layers)")
    let third = try Tool.run(["quantise", twice, target, "--scheme", "dynamic", "--quiet"])
    #expect(third.status == 2)
    let again = try Tool.run(["quantise", twice, folder.file("third.keras"), "--scheme", "dynamic", "--quiet"])
    #expect(again.status == 2)
    #expect(again.error.contains("no layer can be quantised: it is quantised already"))
    #expect(try !folder.names.contains("third.keras"))
  }

  @Test func diffComparesGraphsByDequantisedValues() throws {
    for options in [
      ["--scheme", "dynamic"], ["--scheme", "dynamic", "--format", "qoperator"],
      ["--scheme", "static", "--calibration-data", images],
      ["--scheme", "static", "--calibration-data", images, "--format", "qoperator"], ["--scheme", "weight-only"],
      ["--scheme", "weight-only", "--format", "qoperator"], ["--scheme", "bfloat16"],
    ] {
      let run = try Tool.run(["quantise", digits, target, "--quiet"] + options)
      #expect(run.status == 0, "\(run.error)")
      let near = try Tool.run(["diff", digits, target, "--tolerance", "0.01"])
      #expect(near.status == 0, "\(options): \(near.output)")
      let exact = try Tool.run(["diff", digits, target])
      #expect(exact.status == 1)
      #expect(exact.output.contains("hidden/kernel"), "\(exact.output)")
    }
  }

  @Test func theSameInputGivesTheSameBytes() throws {
    let other = folder.file("other.onnx")
    for path in [target, other] {
      let run = try Tool.run([
        "quantise", digits, path, "--scheme", "static", "--calibration-data", images, "--samples", "40",
        "--calibration-method", "entropy",
      ])
      #expect(run.status == 0, "\(run.error)")
    }
    let bytes = (try TemporaryFolder.bytes(of: target), try TemporaryFolder.bytes(of: other))
    #expect(bytes.0 == bytes.1)
  }

  @Test func aBudgetLeavesLayersAsTheyAre() throws {
    let arguments = [
      "quantise", digits, target, "--scheme", "weight-only", "--weight-type", "int4", "--block-size", "0",
      "--no-per-channel", "--validation-data", labelled, "--json",
    ]
    let loose = try Tool.run(arguments + ["--max-drop", "1"])
    #expect(loose.status == 0, "\(loose.error)")
    #expect(try JSONValue.parse(loose.output)["budget"]?["trials"]?.array?.count == 1)
    let (all, unlabelled) = (try JSONValue.parse(loose.output), folder.file("unlabelled.npz"))
    let loss = (all["accuracy"]?["before"]?.double ?? 0) - (all["accuracy"]?["after"]?.double ?? 0)
    #expect(loss > 0.004, "four bits for all weights cost \(loss)")
    let tight = try Tool.run(arguments + ["--max-drop", "\(loss / 2)"])
    let report = try JSONValue.parse(tight.output)
    let kept = (report["layers"]?.array ?? []).filter { $0["scheme"] == "float32" }
    if tight.status == 0 {
      #expect(kept.count == 1)
      #expect(report["budget"]?["met"] == true)
    } else {
      #expect(tight.status == 1)
      #expect(report["written"] == false)
    }
    // Without labels the bound is on the outputs' relative error, and no rounding holds a bound of nearly nothing.
    guard case .named(var arrays) = try TensorInput.read(labelled) else { return }
    arrays["y"] = nil
    try NpzFile.write(arrays.map { (name: $0.key, tensor: $0.value) }, to: unlabelled)
    let other = folder.file("never.onnx")
    let none = try Tool.run([
      "quantise", digits, other, "--scheme", "dynamic", "--validation-data", unlabelled, "--max-drop", "1e-9",
    ])
    #expect(none.status == 1, "\(none.error)")
    #expect(none.output.contains("nothing written: no layer can be quantised within the budget"))
    #expect(try !folder.names.contains("never.onnx"))
  }

  @Test func whatIsNotFasterIsNotWritten() throws {
    let run = try Tool.run(["quantise", digits, target, "--scheme", "dynamic", "--require-speedup", "1000"])
    #expect(run.status == 1)
    #expect(run.output.contains("nothing written: it runs "))
    #expect(try !folder.names.contains("small.onnx"))
  }

  /// Wrong use: exit status 2, one line, no file.
  @Test func refusesWhatCannotBeDone() throws {
    let image = [Float](repeating: 1, count: 64)
    func data(_ name: String, _ values: [Float], _ shape: [Int]) throws -> String {
      try NpzFile.write([(name: "image", tensor: Tensor(values, shape: shape))], to: folder.file(name))
      return folder.file(name)
    }
    let misshapen = try data("misshapen.npz", Array(image.prefix(56)), [1, 8, 7])
    let empty = try data("empty.npz", [], [0, 8, 8])
    let damaged = try data("damaged.npz", [.nan] + image.dropFirst(), [1, 8, 8])
    let calibrated = ["--scheme", "static", "--calibration-data"]
    let cases: [(arguments: [String], message: String)] = [
      (calibrated + [misshapen], "has shape (batch, 8, 8)"), (calibrated + [empty], "there are no rows"),
      (calibrated + [damaged], "holds NaN"), (calibrated + [folder.file("none.npy")], "cannot open"),
      (["--scheme", "static"], "needs --calibration-data"),
      (["--scheme", "dynamic", "--exclude", "nobody"], "no node is called \"nobody\""),
      (["--scheme", "dynamic", "--weight-type", "int4"], "8-bit weights"),
      (["--scheme", "dynamic", "--block-size", "32"], "does not go with"),
      (["--scheme", "float16", "--per-channel"], "does not go with"),
      (["--scheme", "weight-only", "--weight-type", "int3"], "int3"), (["--scheme", "tiny"], "tiny"),
      (["--scheme", "dynamic", "--max-drop", "0.1"], "needs --validation-data"),
    ]
    func labels(_ label: Int64) throws -> String {
      let path = folder.file("label\(label).npz")
      try NpzFile.write(
        [
          (name: "image", tensor: Tensor(image + image, shape: [2, 8, 8])),
          (name: "y", tensor: Tensor([3, label], shape: [2])),
        ], to: path)
      return path
    }
    let idle: [(arguments: [String], message: String)] = [
      (["--scheme", "dynamic", "--seed", "7"], "--seed has an effect with"),
      (["--scheme", "weight-only", "--batch", "9"], "--batch has an effect with"),
      (["--scheme", "weight-only", "--weight-type", "int4", "--reduce-range"], "weights of 8 bits"),
      (["--scheme", "weight-only", "--weight-type", "int4", "--no-per-channel"], "scales of their own"),
    ]
    let numbers: [(arguments: [String], message: String)] =
      try ["-4", "1", "4294967296", "9223372036854775807"].map {
        (["--scheme", "weight-only", "--block-size", $0], "--block-size must be 0, or from 2")
      }
      + [10, 99, -3].map { label in
        (
          ["--scheme", "dynamic", "--validation-data", try labels(label)], "the label \(label) is none of the network's"
        )
      } + [
        (["--scheme", "dynamic", "--report", "-", "--seed", "-1"], "'-1' is invalid for '--seed"),
        (["--scheme", "dynamic", "--exclude", ".*"], "every layer that could be quantised is excluded"),
        (
          calibrated + [images, "--format", "qoperator", "--weight-type", "uint8", "--activation-type", "int8"],
          "no uint8 weights beside int8 activations"
        ),
      ]
    let layouts: [([String], String)] = [
      (calibrated + [images], "no layout for the scheme static"),
      (["--scheme", "float16"], "no layout for the scheme"),
      (["--scheme", "dynamic", "--weight-type", "uint8"], "no layout for uint8"),
      (["--scheme", "dynamic", "--exclude", "nobody"], "no node is called"),
      (["--scheme", "dynamic", "--exclude", "hidden|digit"], "every layer that could be quantised is excluded"),
    ]
    for (arguments, message) in layouts {
      let run = try Tool.run(["quantise", digits, folder.file("small.keras"), "--quiet"] + arguments)
      #expect(run.status == 2, "\(arguments): \(run.output)")
      #expect(run.errorLines.count == 1, "\(arguments): \(run.error)")
      #expect(run.error.contains(message), "\(arguments): \(run.error)")
    }
    for (arguments, message) in cases + idle + numbers {
      let run = try Tool.run(["quantise", digits, target, "--quiet"] + arguments)
      #expect(run.status == 2, "\(arguments): \(run.output)")
      #expect(run.errorLines.count == 1, "\(arguments): \(run.error)")
      #expect(run.error.contains(message), "\(arguments): \(run.error)")
    }
    let archive = try Tool.run(["quantise", digits, folder.file("small.npz"), "--scheme", "dynamic", "--quiet"])
    #expect(archive.status == 2)
    #expect(archive.errorLines.count == 1)
    #expect(try !folder.names.contains { $0.hasPrefix("small") })
  }
}
