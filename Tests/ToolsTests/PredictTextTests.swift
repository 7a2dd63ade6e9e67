import NNFormat
import OrderedCollections
import TestSupport
import Testing

/// Strings in and out of `predict`, as NumPy's arrays.
@Suite struct PredictTextTests {
  private func succeed(_ arguments: [String]) throws {
    let result = try Tool.run(arguments)
    #expect(result.status == 0, "\(result.error)")
  }

  private func reference(_ name: String, _ part: String, _ value: String) throws -> [[JSONValue]] {
    let path = Fixtures.path("expected/\(name).json")
    let document = try JSONValue.parse(ByteRegion(MappedFile(path: path)).bytes())
    return try #require(document[part]?[value]?.array).map { $0.array ?? [$0] }
  }

  private func strings(_ values: [String], shape: [Int]) throws -> Tensor {
    try Tensor(elementType: .string, shape: shape, storage: .strings(values.map { Array($0.utf8) }))
  }

  @Test func labelsAreWrittenAndCompared() throws {
    let folder = try TemporaryFolder()
    let rows = try reference("sklearn_labels", "inputs", "X").map { row in row.compactMap(\.double).map(Float.init) }
    let labels = try reference("sklearn_labels", "outputs", "label").compactMap { $0.first?.string }
    #expect(labels.count == rows.count)
    let input = try folder.write(
      NpyFile.bytes(of: Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])), to: "x.npy")
    let arguments = ["predict", Fixtures.model("sklearn_labels.onnx"), "--input", input]
    try succeed(arguments + ["--output", folder.file("y.npz")])
    var outputs = try NpzFile.read(ByteRegion(MappedFile(path: folder.file("y.npz"))))
    #expect(try outputs["label"]?.hasSameElements(as: strings(labels, shape: [labels.count])) == true)
    try succeed(arguments + ["--expect", folder.file("y.npz")])
    outputs["label"] = try strings(labels.map { "\($0)?" }, shape: [labels.count])
    try NpzFile.write(outputs.map { ($0, $1) }, to: folder.file("z.npz"))
    let other = try Tool.run(arguments + ["--expect", folder.file("z.npz")])
    #expect(other.status == 1 && other.error.isEmpty)
    #expect(other.output.contains("label") && other.output.contains("differs"))
    outputs["label"] = Tensor(labels.map { _ in Float(0) })
    try NpzFile.write(outputs.map { ($0, $1) }, to: folder.file("n.npz"))
    try expectFailure(arguments + ["--expect", folder.file("n.npz")], ["string", "float32"])
  }

  @Test func wordsAreReadFromArrays() throws {
    let folder = try TemporaryFolder()
    let rows = try reference("sklearn_words", "inputs", "X").map { $0.compactMap(\.string) }
    let text = rows.map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
    let array = try folder.write(
      NpyFile.bytes(of: strings(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])), to: "s.npy")
    for (name, input) in [("a.npz", array), ("t.npz", try folder.write(text, to: "s.csv"))] {
      try succeed(["predict", Fixtures.model("sklearn_words.onnx"), "--input", input, "--output", folder.file(name)])
    }
    #expect(try TemporaryFolder.bytes(of: folder.file("a.npz")) == TemporaryFolder.bytes(of: folder.file("t.npz")))
  }
}
