import Glibc
import NNEngine
import NNFormat
import TestSupport
import Testing

/// Gradients of every kind of layer against those of Keras.
@Suite struct GradientGoldenTests {
  static let names: [String] = {
    let keys = (try? TrainingGoldens.arrays("gradients").keys).map(Array.init) ?? []
    return Set(keys.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted()
  }()

  @Test func thereAreGoldens() { #expect(Self.names.count > 45) }

  @Test(arguments: names) func gradients(_ name: String) throws {
    let arrays = try TrainingGoldens.arrays("gradients")
    let keras = try TrainingGoldens.model(name)
    let training = try KerasTraining(keras)
    let settings = training.settings(loss: Loss(.meanSquaredError), optimizer: .sgd())
    let trainer = try Trainer(training.model, settings: settings)
    let (x, y) = (try #require(arrays["\(name)/x"]), try #require(arrays["\(name)/y"]))
    let gradients = try trainer.gradients(inputs: [x], targets: y)
    #expect(!gradients.isEmpty)
    for (index, gradient) in gradients.enumerated() {
      let expected = try #require(arrays["\(name)/gradient/\(index)"])
      let difference = try TrainingGoldens.difference(gradient.tensor, expected)
      #expect(difference < 2e-5, "\(gradient.name): \(difference)")
    }
    #expect(arrays["\(name)/gradient/\(gradients.count)"] == nil)
    for (statistic, tensor) in trainer.state.statistics {
      guard let expected = arrays["\(name)/after/\(statistic)"] else { continue }
      #expect(try TrainingGoldens.difference(tensor, expected) < 1e-5)
    }
  }

  @Test(arguments: names) func losses(_ name: String) throws {
    let arrays = try TrainingGoldens.arrays("gradients")
    let training = try KerasTraining(try TrainingGoldens.model(name))
    let settings = training.settings(loss: Loss(.meanSquaredError), optimizer: .sgd())
    let trainer = try Trainer(training.model, settings: settings)
    let (x, y) = (try #require(arrays["\(name)/x"]), try #require(arrays["\(name)/y"]))
    let loss = try trainer.trainBatch(inputs: [x], targets: y)
    let expected = try #require(try arrays["\(name)/loss"]?.doubles().first)
    #expect(abs(loss - expected) <= 1e-5 * abs(expected), "\(loss) \(expected)")
  }
}
