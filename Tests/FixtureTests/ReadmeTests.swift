import NNEngine
import NNFormat
import TestSupport
import Testing

/// The Swift code of the README, compiled and run.
struct ReadmeTests {
  private static let lines = [
    #"let file = try ModelFile.read("digits.keras")"#,
    "let network = try Network(file.model())",
    "let result = try network.predict(pixels, shape: [1, 8, 8])",
  ]

  @Test func threeLinesPredict() throws {
    let digits = Fixtures.model("digits.keras")
    let images = try NpyFile.read(ByteRegion(MappedFile(path: Fixtures.path("digits/images.npy"))))
    let pixels = try images.rows(0..<1).doubles().map { Float($0) }

    let file = try ModelFile.read(digits)
    let network = try Network(file.model())
    let result = try network.predict(pixels, shape: [1, 8, 8])

    #expect(result.shape == [1, 10])
    let expected = try NpyFile.read(ByteRegion(MappedFile(path: Fixtures.path("digits/keras_outputs.npy"))))
    for (value, wanted) in zip(result.values, try expected.rows(0..<1).doubles()) {
      #expect(abs(Double(value) - wanted) <= 1e-5)
    }
  }

  @Test func readmeShowsTheSameLines() throws {
    let readme = String(
      decoding: try ByteRegion(MappedFile(path: Fixtures.folder + "/../README.md")).bytes(), as: UTF8.self)
    #expect(readme.contains(Self.lines.joined(separator: "\n")))
  }
}
