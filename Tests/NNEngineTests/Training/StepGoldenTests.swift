import NNEngine
import NNFormat
import TestSupport
import Testing

/// Ten steps of optimizers with losses against those of Keras.
@Suite struct StepGoldenTests {
  @Test func thereAreGoldens() {
    #expect(TrainingGoldens.names("optimizers").count >= 25 && TrainingGoldens.names("losses").count >= 24)
  }

  @Test(arguments: TrainingGoldens.names("losses")) func steps(_ loss: String) throws {
    let (expected, data) = (try TrainingGoldens.arrays("steps"), try TrainingGoldens.arrays("data"))
    let losses = try TrainingGoldens.arrays("losses")
    let keras = try TrainingGoldens.model("start.\(loss)")
    let kind = try #require(TrainingGoldens.settings["targets"]?[loss]?.string)
    let (x, y) = (try #require(data["x"]), try #require(data["y/\(kind)"]))
    var count = 0
    for optimizer in TrainingGoldens.names("optimizers") {
      guard let expectedLoss = try losses["\(optimizer)/\(loss)/loss"]?.doubles().first else { continue }
      let compiled = try TrainingGoldens.compileSettings(optimizer: optimizer, loss: loss, keras)
      let training = try KerasTraining(keras)
      let settings = training.settings(
        loss: try #require(compiled.loss), optimizer: try #require(compiled.optimizer))
      let trainer = try Trainer(training.model, settings: settings)
      let record = try #require(
        try trainer.fit(try TrainingArrays(inputs: [x], targets: y), batch: 8, shuffles: false).first)
      #expect(abs(record.loss - expectedLoss) <= 2e-5 * max(abs(expectedLoss), 1e-2), "\(optimizer): \(record.loss)")
      try TrainingGoldens.expectParameters(of: trainer, #require(try expected["\(optimizer)/\(loss)"]), optimizer)
      count += 1
    }
    #expect(count >= 16)
  }
}
