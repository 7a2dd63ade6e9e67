import NNEngine
import NNFormat
import Testing

/// A network of two outputs with a loss and a weight for each against Keras.
@Suite struct SeveralOutputsTests {
  private func trainer(_ keras: KerasModel) throws -> Trainer {
    let training = try KerasTraining(keras)
    let compiled = try keras.compileSettings()
    #expect(compiled.outputs.map(\.name) == ["middle", "kind"] && compiled.outputs.map(\.weight) == [0.3, 2])
    var settings = training.settings(loss: .meanSquaredError, optimizer: try #require(compiled.optimizer))
    settings.outputs = compiled.outputs
    return try Trainer(training.model, settings: settings)
  }

  @Test func stepsAndFiguresAreThoseOfKeras() throws {
    let arrays = try TrainingGoldens.arrays("several")
    let (x, middle, kind) = (
      try #require(arrays["x"]), try #require(arrays["middle"]), try #require(arrays["kind"])
    )
    let trainer = try trainer(try TrainingGoldens.model("several"))
    let rows = try TrainingArrays(inputs: [x], targets: [middle, kind])
    let record = try #require(try trainer.fit(rows, batch: 8, shuffles: false).first)
    #expect(record.metrics.map(\.name) == ["middle_loss", "kind_loss", "middle_mae", "kind_accuracy"])
    let figures = [record.loss] + record.metrics.map(\.value)
    for (figure, wanted) in zip(figures, try #require(arrays["figures"]).doubles()) {
      #expect(abs(figure - wanted) < 2e-5, "\(figure) \(wanted)")
    }
    try TrainingGoldens.expectParameters(of: trainer, #require(arrays["after"]), "several outputs")
  }

  @Test func anOutputThatIsMissingIsNamed() throws {
    let training = try KerasTraining(try TrainingGoldens.model("several"))
    var settings = training.settings(loss: .meanSquaredError, optimizer: .sgd())
    #expect(throws: EngineError.self) { try Trainer(training.model, settings: settings) }
    settings.outputs = [TrainingOutput("end", loss: .meanSquaredError)]
    #expect(throws: EngineError.self) { try Trainer(training.model, settings: settings) }
  }
}
