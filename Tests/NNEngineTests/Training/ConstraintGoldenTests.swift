import NNEngine
import NNFormat
import Testing

/// Steps of Adam under constraints against those of Keras.
@Suite struct ConstraintGoldenTests {
  @Test(arguments: ["max_norm", "max_norm_axis", "non_neg", "unit_norm", "min_max_norm"])
  func steps(_ name: String) throws {
    let arrays = try TrainingGoldens.arrays("constraints")
    let keras = try TrainingGoldens.model("constrained.\(name)")
    let training = try KerasTraining(keras)
    let compiled = try keras.compileSettings()
    let settings = training.settings(
      loss: try #require(compiled.loss), optimizer: try #require(compiled.optimizer))
    let trainer = try Trainer(training.model, settings: settings)
    let (x, y) = (try #require(arrays["x"]), try #require(arrays["y"]))
    for step in 0..<x.shape[0] {
      func batch(_ tensor: Tensor) throws -> Tensor {
        try tensor.rows(step..<step + 1).reshaped(to: Array(tensor.shape.dropFirst()))
      }
      try trainer.trainBatch(inputs: [batch(x)], targets: batch(y))
    }
    try TrainingGoldens.expectParameters(of: trainer, #require(arrays[name]), name)
  }
}
