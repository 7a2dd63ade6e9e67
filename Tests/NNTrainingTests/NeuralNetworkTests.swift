import NNEngine
import NNFormat
import NNTraining
import TestSupport
import Testing

/// Networks written down in Swift and trained on one object.
@Suite struct NeuralNetworkTests {
  /// Rows whose class is the larger of two numbers.
  private func rows(_ count: Int = 40) -> (x: Tensor, y: Tensor) {
    var random = SeededRandom(seed: 3)
    var (x, y): ([Float], [Int32]) = ([], [])
    for _ in 0..<count {
      let pair = [Float(random.normal()), Float(random.normal())]
      x += pair
      y.append(pair[1] > pair[0] ? 1 : 0)
    }
    return (Tensor(x, shape: [count, 2]), Tensor(y))
  }

  @Test func theFunctionalFormJoinsBranches() throws {
    let input = Input([2], name: "x")
    let hidden = Dense(8, activation: .tanh, name: "hidden")(input)
    let joined = Concatenate()(hidden, Dense(4, activation: "relu")(input), input)
    let model = try NeuralNetwork(input: input, output: Dense(2, activation: .softmax, name: "out")(joined), seed: 2)
    try model.compile(optimizer: .adam(0.05), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy])
    let (x, y) = rows()
    let history = try model.fit(x, y: y, batchSize: 8, epochs: 40, validationData: ([x], y))
    #expect(history["val_accuracy"].last ?? 0 > 0.9)
    #expect(model.weights.contains { $0.name.contains("hidden") })
    #expect(try model.predict(x).shape == [40, 2])
  }

  @Test func classWeightsAreSampleWeights() throws {
    let (x, y) = rows()
    let labels = try y.elements(as: Int32.self)
    func weights(_ classWeight: [Int: Float], _ sampleWeight: Tensor?) throws -> [[Float]] {
      let model = try Sequential(input: [2]) { Dense(2, activation: .softmax) }
      try model.compile(optimizer: .sgd(0.1), loss: .sparseCategoricalCrossEntropy)
      try model.fit(x, y: y, epochs: 3, classWeight: classWeight, sampleWeight: sampleWeight)
      return try model.weights.map { try $0.tensor.elements(as: Float.self) }
    }
    let byClass = try weights([1: 4], nil)
    #expect(try byClass == weights([:], Tensor(labels.map { Float($0 == 1 ? 4 : 1) })))
    #expect(try byClass != weights([:], nil))
    #expect(try weights([1: 2], Tensor(labels.map { Float($0 == 1 ? 2 : 1) })) == byClass)
  }

  @Test func rowsOfWeightZeroDoNotCount() throws {
    let (x, y) = rows(16)
    let model = try Sequential(input: [2]) { Dense(2, activation: .softmax) }
    try model.compile(optimizer: .sgd(0.1, momentum: 0.9), loss: .sparseCategoricalCrossEntropy)
    let before = try model.weights.map { try $0.tensor.elements(as: Float.self) }
    try model.fit(x, y: y, sampleWeight: Tensor([Float](repeating: 0, count: 16)))
    #expect(try model.weights.map { try $0.tensor.elements(as: Float.self) } == before)
  }

  @Test func earlyStoppingEndsWithTheBestWeights() throws {
    let (x, y) = rows()
    let model = try Sequential(input: [2]) { Dense(2, activation: .softmax) }
    // Steps that become longer each time leave the minimum.
    let rates = Schedule.exponential(initial: 0.01, steps: 1, rate: 2)
    try model.compile(optimizer: Optimizer(.sgd(), learningRate: rates), loss: .sparseCategoricalCrossEntropy)
    var options = SessionOptions()
    (options.patience, options.keepsBest, options.monitor) = (3, true, "val_loss")
    let history = try model.fit(x, y: y, batchSize: 40, epochs: 60, validationData: ([x], y), options: options)
    let losses = history["val_loss"]
    let best = try #require(losses.min())
    #expect(losses.count < 60 && losses.suffix(3).allSatisfy { $0 > best } && losses[losses.count - 4] == best)
    let kept = try model.evaluate(x, y: y)["loss"] ?? 0
    #expect(abs(kept - best) < 1e-9)
  }

  @Test func aPlateauLowersTheRate() throws {
    let (x, y) = rows()
    let model = try Sequential(input: [2]) { Dense(2, activation: .softmax) }
    try model.compile(optimizer: .sgd(1e-9), loss: .sparseCategoricalCrossEntropy)
    var options = SessionOptions()
    (options.plateau, options.monitor) = ((2, 0.5), "loss")
    let history = try model.fit(x, y: y, epochs: 5, options: options)
    // The first epoch is the best one; after every two that are no better the rate falls.
    #expect(history.epochs.map(\.learningRate) == [1e-9, 1e-9, 5e-10, 5e-10, 2.5e-10])
  }

  @Test func saysWhatIsMissing() throws {
    let (x, y) = rows()
    let model = try Sequential(input: [2]) { Dense(2, activation: .softmax) }
    #expect(throws: EngineError.self) { try model.fit(x, y: y) }
    try model.compile(optimizer: .adam(), loss: .sparseCategoricalCrossEntropy)
    #expect(throws: (any Error).self) { try model.fit(x, y: Tensor([Int32](repeating: 7, count: 40))) }
    #expect(throws: (any Error).self) { try model.fit(y, y: y) }
    #expect(throws: FormatError.self) { try Sequential(input: [2]) { Reshape([3]) } }
  }
}

/// Networks of several outputs on one object.
@Suite struct SeveralOutputsNetworkTests {
  @Test func bothOutputsLearnAndTheFileGoesOn() throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 8)
    var (x, sums, signs): ([Float], [Float], [Int32]) = ([], [], [])
    for _ in 0..<64 {
      let pair = [Float(random.normal()), Float(random.normal())]
      x += pair
      sums.append(pair[0] + pair[1])
      signs.append(pair[0] > 0 ? 1 : 0)
    }
    let rows = Tensor(x, shape: [64, 2])
    let targets = [Tensor(sums, shape: [64, 1]), Tensor(signs)]
    let input = Input([2])
    let hidden = Dense(8, activation: .tanh)(input)
    let model = try NeuralNetwork(
      inputs: [input], outputs: [Dense(1, name: "sum")(hidden), Dense(2, activation: .softmax, name: "sign")(hidden)])
    try model.compile(
      optimizer: .adam(0.03),
      outputs: [
        TrainingOutput("sum", loss: .meanSquaredError),
        TrainingOutput("sign", loss: .sparseCategoricalCrossEntropy, weight: 0.5, metrics: [.accuracy]),
      ])
    let history = try model.fit(rows, targets: targets, epochs: 60)
    #expect(history["sum_loss"].last ?? 9 < 0.05 && history["sign_accuracy"].last ?? 0 > 0.9)
    let whole = zip(history["sum_loss"], history["sign_loss"]).map { $0 + 0.5 * $1 }
    #expect(zip(history["loss"], whole).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(try model.predictAll(rows).map(\.shape) == [[64, 1], [64, 2]])
    let path = folder.file("two.keras")
    try model.save(path)
    let again = try NeuralNetwork(path: path)
    #expect(try again.evaluate(rows, targets: targets) == model.evaluate(rows, targets: targets))
    let further = try (
      model.fit(rows, targets: targets, shuffle: false), again.fit(rows, targets: targets, shuffle: false)
    )
    #expect(further.0["loss"] == further.1["loss"])
  }
}
