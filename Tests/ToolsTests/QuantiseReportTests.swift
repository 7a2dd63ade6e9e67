import Foundation
import NNFormat
import TestSupport
import Testing

/// What `quantise` says of itself: the settings in force, and the report as a file.
@Suite struct QuantiseReportTests {
  private let folder: TemporaryFolder
  private let digits = Fixtures.model("digits.keras")
  private let images = Fixtures.path("digits/images.npy")
  private var target: String { folder.file("small.onnx") }

  init() throws { folder = try TemporaryFolder() }

  /// A report that would take another file's place, or that cannot be written, is refused before anything is done.
  @Test(arguments: ["small.onnx", "./small.onnx", "link.json", "model.keras", "rows.npy", "none/report.json", "."])
  func aReportHarmsNoFile(_ report: String) throws {
    _ = try folder.write("old", to: "small.onnx")
    _ = try folder.write(try TemporaryFolder.bytes(of: digits), to: "model.keras")
    _ = try folder.write(try TemporaryFolder.bytes(of: images), to: "rows.npy")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.json"), withDestinationPath: folder.file("small.onnx"))
    let names = try Set(folder.names)
    let run = try Tool.run([
      "quantise", folder.file("model.keras"), target, "--scheme", "static", "--calibration-data",
      folder.file("rows.npy"), "--quiet", "--report", folder.file(report),
    ])
    #expect(run.status == 2, "\(run.output)")
    #expect(run.errorLines.count == 1, "\(run.error)")
    #expect(try TemporaryFolder.bytes(of: target) == Array("old".utf8))
    #expect(try TemporaryFolder.bytes(of: folder.file("model.keras")) == TemporaryFolder.bytes(of: digits))
    #expect(try TemporaryFolder.bytes(of: folder.file("rows.npy")) == TemporaryFolder.bytes(of: images))
    #expect(try Set(folder.names) == names)
  }

  /// Whoever writes the report to a link to nothing fills what it leads to, which here is the place of the model.
  @Test func aReportDoesNotTakeThePlaceOfTheModel() throws {
    try FileManager.default.createSymbolicLink(atPath: folder.file("link.json"), withDestinationPath: "small.onnx")
    let run = try Tool.run([
      "quantise", digits, target, "--scheme", "float16", "--quiet", "--report", folder.file("link.json"),
    ])
    #expect(run.status == 2, "\(run.output)")
    #expect(run.errorLines.count == 1, "\(run.error)")
    #expect(try folder.names == ["link.json"])
  }

  @Test func aReportGoesToStandardOutput() throws {
    let run = try Tool.run(["quantise", digits, target, "--scheme", "float16", "--quiet", "--report", "-"])
    #expect(run.status == 0, "\(run.error)")
    #expect(try JSONValue.parse(run.output)["schema"] == "nnfmt.quantise/1")
    let twice = try Tool.run(["quantise", digits, target, "--scheme", "float16", "--json", "--report", "-"])
    #expect(twice.status == 2)
    #expect(twice.error.contains("both claim standard output"))
  }

  /// Every setting is echoed, and stands in the JSON by the same name.
  @Test(arguments: [
    (
      ["--scheme", "dynamic", "--report", "-", "--seed", "7", "--batch", "3", "--threads", "1"],
      ["data": "random inputs", "seed": "7", "batch": "3", "threads": "1"]
    ),
    (
      ["--scheme", "weight-only", "--require-speedup", "0.001", "--format", "qoperator", "--json"],
      ["block-size": "32", "require-speedup": "0.001", "seed": "1", "batch": "1"]
    ),
    (["--scheme", "weight-only", "--json"], ["block-size": "0", "exclude": "nothing"]),
  ]) func settingsInForceAreShown(_ arguments: [String], _ expected: [String: String]) throws {
    let run = try Tool.run(["quantise", digits, target] + arguments)
    #expect(run.status == 0, "\(run.error)")
    let settings = try JSONValue.parse(run.output)["settings"]
    for (name, value) in expected {
      #expect(settings?[name]?.string == value, "\(name)")
      #expect(run.errorLines.contains("\(name): \(value)"), "\(run.error)")
    }
    for (name, value) in settings?.object ?? [:] {
      #expect(run.errorLines.contains("\(name): \(value.string ?? "")"), "\(name): \(run.error)")
    }
  }

  @Test func settingsNameTheirFiles() throws {
    let run = try Tool.run([
      "quantise", digits, target, "--scheme", "static", "--calibration-data", images, "--json", "--samples", "20",
    ])
    #expect(run.status == 0, "\(run.error)")
    let settings = try JSONValue.parse(run.output)["settings"]
    #expect(settings?["calibration-data"]?.string == images)
    #expect(settings?["samples"]?.string == "20")
  }

  /// The bits that `quantise` shows are those that `inspect` finds in the file.
  @Test(arguments: [
    ["--scheme", "dynamic"], ["--scheme", "dynamic", "--format", "qoperator", "--weight-type", "uint8"],
    ["--scheme", "weight-only", "--weight-type", "int4"], ["--scheme", "dynamic", "--no-per-channel"],
  ]) func bitsAreThoseOfTheFile(_ options: [String]) throws {
    let run = try Tool.run(["quantise", digits, target, "--json"] + options)
    #expect(run.status == 0, "\(run.error)")
    let written = (try JSONValue.parse(run.output)["layers"]?.array ?? []).compactMap { $0["bits"]?.double }
    let inspected = try JSONValue.parse(try Tool.run(["inspect", target, "--json"]).output)
    let found = (inspected["layers"]?.array ?? []).compactMap { $0["bitsPerWeight"]?.double }
    #expect(!found.isEmpty && written == found, "\(written), \(found)")
    let schemes = (inspected["layers"]?.array ?? []).compactMap { $0["scheme"]?.string }
    #expect(schemes.allSatisfy { $0.contains(" per ") || $0.contains(" blocks of ") }, "\(schemes)")
  }
}
