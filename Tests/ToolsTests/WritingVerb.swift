import NNFormat
import TestSupport

/// One way in which a verb writes a file.
struct WritingVerb: CustomStringConvertible {
  let description: String
  /// The file in the folder that is written to.
  let output: String
  /// The command, for a path of the folder with a slash at its end.
  let arguments: @Sendable (_ folder: String) -> [String]
  /// Whether the file passes 4 KiB.
  var isLarge = true

  /// All of them, from inputs in another folder.
  static func all(_ inputs: TemporaryFolder) throws -> [WritingVerb] {
    let (digits, images) = (Fixtures.model("digits.keras"), Fixtures.path("digits/images.npy"))
    let rows = inputs.file("rows.npz")
    let labels = try NpyFile.read(ByteRegion(try MappedFile(path: Fixtures.path("digits/labels.npy"))))
    try NpzFile.write(
      [("x", try NpyFile.read(ByteRegion(try MappedFile(path: images)))), ("y", labels)], to: rows)
    let training = ["train", digits, "--data", rows, "--epochs", "1", "--quiet", "--output"]
    let conversions = ["onnx", "keras", "h5", "weights.h5", "safetensors", "npz"].map { ending in
      WritingVerb(description: "convert to \(ending)", output: "out.\(ending)") {
        ["convert", digits, "\($0)out.\(ending)"]
      }
    }
    let predictions = ["npy", "npz", "csv"].map { ending in
      WritingVerb(description: "predict to \(ending)", output: "out.\(ending)") {
        ["predict", digits, "--input", images, "--quiet", "--output", "\($0)out.\(ending)"]
      }
    }
    return conversions + predictions + [
      WritingVerb(description: "convert with external data", output: "out.onnx.data") {
        ["convert", digits, "\($0)out.onnx", "--external-data"]
      },
      WritingVerb(description: "predict to a folder", output: "output_0.pb") {
        ["predict", digits, "--input", images, "--quiet", "--output", $0]
      },
      WritingVerb(description: "quantise", output: "out.keras") {
        ["quantise", digits, "\($0)out.keras", "--scheme", "dynamic", "--quiet"]
      },
      WritingVerb(
        description: "quantise with a report", output: "report.json",
        arguments: {
          [
            "quantise", digits, inputs.file("out.keras"), "--scheme", "dynamic", "--quiet", "--report",
            "\($0)report.json",
          ]
        }, isLarge: false),
      WritingVerb(description: "create", output: "out.keras") {
        ["create", "\($0)out.keras", "--input", "64", "--layers", "dense 64 relu, dense 10 softmax"]
      },
      WritingVerb(description: "graft", output: "out.keras") { ["graft", digits, digits, "\($0)out.keras"] },
      WritingVerb(description: "train", output: "out.keras") { training + ["\($0)out.keras"] },
      WritingVerb(description: "train with a checkpoint", output: "run.npz") {
        training + [inputs.file("out.keras"), "--checkpoint", "\($0)run.npz"]
      },
      WritingVerb(
        description: "train with a history", output: "history.csv",
        arguments: { training + [inputs.file("out.keras"), "--history", "\($0)history.csv"] }, isLarge: false),
    ]
  }
}
