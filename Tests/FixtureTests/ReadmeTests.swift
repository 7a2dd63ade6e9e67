import NNEngine
import NNFormat
import NNTraining
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

  private static let training = """
    let model = try Sequential(input: [8, 8]) {
      Rescaling(1 / 16)
      Flatten()
      Dense(48, activation: .relu)
      Dense(10, activation: .softmax)
    }
    try model.compile(optimizer: .adam(0.003), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy])
    let history = try model.fit(images, y: labels, epochs: 10, validationSplit: 0.1)
    let probabilities = try model.predict(images)
    try model.save("digits.keras")
    """

  @Test func elevenLinesTrain() throws {
    let folder = try TemporaryFolder()
    let arrays = try NpzFile.read(ByteRegion(MappedFile(path: Fixtures.path("digits/train.npz"))))
    let (images, labels) = (try #require(arrays["x"]), try #require(arrays["y"]))

    let model = try Sequential(input: [8, 8]) {
      Rescaling(1 / 16)
      Flatten()
      Dense(48, activation: .relu)
      Dense(10, activation: .softmax)
    }
    try model.compile(optimizer: .adam(0.003), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy])
    let history = try model.fit(images, y: labels, epochs: 10, validationSplit: 0.1)
    let probabilities = try model.predict(images)
    try model.save(folder.file("digits.keras"))

    #expect(history["loss"].count == 10 && history["val_accuracy"].last ?? 0 > 0.9)
    #expect(probabilities.shape == [images.shape[0], 10])
    let again = try NeuralNetwork(path: folder.file("digits.keras"))
    let (before, after) = (try model.evaluate(images, y: labels), try again.evaluate(images, y: labels))
    #expect(before == after && before["accuracy"] ?? 0 > 0.95)
    // What the optimizer remembers is in the file: one more epoch is the same on both.
    let further = try (model.fit(images, y: labels, shuffle: false), again.fit(images, y: labels, shuffle: false))
    #expect(further.0["loss"] == further.1["loss"])
  }

  @Test func readmeShowsTheSameLines() throws {
    let readme = String(
      decoding: try ByteRegion(MappedFile(path: Fixtures.folder + "/../README.md")).bytes(), as: UTF8.self)
    #expect(readme.contains(Self.lines.joined(separator: "\n")))
    #expect(readme.contains(Self.training))
  }
}
