import NNEngine
import NNFormat

/// A network on one object, in the shape that Keras has: compile, fit, evaluate, predict, save.
///
///     let x = Input([64])
///     let h = Dense(48, activation: .relu)(x)
///     let model = try NeuralNetwork(input: x, output: Dense(10, activation: .softmax)(h))
///     try model.compile(optimizer: .adam(), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy])
///     let history = try model.fit(images, y: labels, epochs: 10)
///
/// One caller at a time.
public class NeuralNetwork {
  private let trainable: TrainableModel
  private let graph: Model
  private var trainer: Trainer?
  private var network: Network?
  /// Where random numbers start: shuffling, dropout and noise.
  public var seed: UInt64 = 0

  /// A network of a file or of layers; compiled when the file says how, with what its optimizer remembers.
  ///
  /// - Throws: `FormatError` that names the layer which cannot be trained.
  public init(_ file: ModelFile, frozen: [String] = []) throws {
    trainable = try TrainableModel(file, frozen: frozen)
    guard let graph = trainable.graph else { throw FormatError(.missing, "holds no network", file: file.path) }
    self.graph = graph
    if let loss = trainable.compiled.loss, let optimizer = trainable.compiled.optimizer {
      try compile(optimizer: optimizer, loss: loss, metrics: trainable.compiled.metrics)
      if let trainer, frozen.isEmpty, let slots = try trainable.slots(for: trainer.settings) {
        try trainer.restoreOptimizer(step: slots.step, slots: slots.slots, momentumProduct: slots.momentumProduct)
        if let rate = slots.learningRate { trainer.setLearningRate(Double(rate)) }
      }
    }
  }

  /// The network of a file.
  public convenience init(path: String) throws { try self.init(try ModelFile.read(path)) }

  /// A network written by calling layers.
  public convenience init(input: LayerOutput, output: LayerOutput, seed: UInt64 = 0, name: String = "model") throws {
    try self.init(inputs: [input], output: output, seed: seed, name: name)
  }

  /// A network of several inputs written by calling layers.
  public convenience init(
    inputs: [LayerOutput], output: LayerOutput, seed: UInt64 = 0, name: String = "model"
  ) throws {
    var builder = NetworkBuilder(seed: seed)
    var known: [ObjectIdentifier: NetworkBuilder.Output] = [:]
    for input in inputs { _ = try input.build(&builder, &known) }
    let result = try output.build(&builder, &known)
    try self.init(ModelFile(path: "", content: .keras(try builder.model(output: result, name: name))))
  }

  /// States how the network is trained; what an optimizer remembers begins anew.
  ///
  /// - Throws: `EngineError` that names what cannot be trained.
  public func compile(optimizer: Optimizer, loss: Loss, metrics: [Metric] = []) throws {
    let model = trainer?.model() ?? graph
    trainer = try Trainer(
      model, settings: trainable.settings(loss: loss, optimizer: optimizer, metrics: metrics, seed: seed))
    network = nil
  }

  private func compiledTrainer() throws -> Trainer {
    guard let trainer else {
      throw EngineError(.invalidInput, "the network is not compiled; call compile(optimizer:loss:metrics:) first")
    }
    return trainer
  }

  /// Trains.
  ///
  /// - Parameters:
  ///   - x: rows of the input.
  ///   - y: a target for each row: class numbers, or as many values as the network gives.
  ///   - validationSplit: the share of the rows, the last ones, that judge instead of training.
  ///   - validationData: other rows that judge.
  ///   - classWeight: how much the rows of a class count.
  ///   - sampleWeight: how much each row counts.
  ///   - options: what ends training early and when the learning rate falls; batch, epochs and shuffling are the other
  ///     parameters' matter.
  /// - Returns: the epochs' figures.
  @discardableResult
  public func fit(
    _ x: Tensor..., y: Tensor, batchSize: Int = 32, epochs: Int = 1, validationSplit: Double = 0,
    validationData: (x: [Tensor], y: Tensor)? = nil, shuffle: Bool = true, classWeight: [Int: Float] = [:],
    sampleWeight: Tensor? = nil, options: SessionOptions = SessionOptions(),
    afterEpoch: (EpochRecord) -> Void = { _ in }
  ) throws -> TrainingHistory {
    let trainer = try compiledTrainer()
    let whole = try rows(x, y, sampleWeight, classWeight)
    var (training, validation): (any TrainingData, (any TrainingData)?) = (whole, nil)
    if let validationData {
      validation = try rows(validationData.x, validationData.y, nil, [:])
    } else if validationSplit > 0 {
      let kept = Int(Double(whole.rowCount) * (1 - validationSplit))
      guard kept > 0, kept < whole.rowCount else {
        throw EngineError(.invalidInput, "\(whole.rowCount) rows cannot be split by \(validationSplit)")
      }
      training = TrainingSelection(whole, rows: Array(0..<kept))
      validation = TrainingSelection(whole, rows: Array(kept..<whole.rowCount))
    }
    var session = options
    (session.batch, session.epochs, session.shuffles) = (batchSize, epochs, shuffle)
    network = nil
    let run = TrainingSession(trainer, session, fingerprint: graph.graph.name)
    _ = try run.run(training, validation: validation, afterEpoch: afterEpoch)
    return TrainingHistory(epochs: run.history)
  }

  /// Loss and metrics by name.
  public func evaluate(
    _ x: Tensor..., y: Tensor, batchSize: Int = 32, sampleWeight: Tensor? = nil
  ) throws -> [String: Double] {
    let result = try compiledTrainer().evaluate(try rows(x, y, sampleWeight, [:]), batch: batchSize)
    return Dictionary([("loss", result.loss)] + result.metrics.map { ($0.name, $0.value) }) { first, _ in first }
  }

  /// The outputs for rows of the inputs.
  public func predict(_ x: Tensor...) throws -> Tensor {
    let network = try network ?? Network(trainer?.model() ?? graph)
    self.network = network
    let outputs = try network.run(
      Dictionary(zip(network.inputs.map(\.name), x).map { ($0, $1) }) { first, _ in first })
    guard let output = outputs.first?.tensor else { throw EngineError(.invalidGraph, "the network has no output") }
    return output
  }

  /// Writes the network in the form that the extension asks for, with compile settings and what the optimizer remembers.
  public func save(_ path: String) throws {
    guard let trainer else { return try TrainableModel.write(trainable.file, to: path) }
    try TrainableModel.write(trainable.result(trainer.state, trainer.settings, path: path), to: path)
  }

  /// The trained variables by name, in the optimizer's order.
  public var weights: [(name: String, tensor: Tensor)] { trainer?.state.parameters ?? [] }

  private func rows(
    _ x: [Tensor], _ y: Tensor, _ weights: Tensor?, _ classWeight: [Int: Float]
  ) throws -> TrainingArrays {
    let plan = try ExecutionPlan(graph)
    let width = plan.outputs.first?.shape?.dimensions.last?.value ?? 1
    var data = try DataFile.labelled(x, y, weights, plan.inputs, "x")
    if !classWeight.isEmpty { data.weights = try data.weights(ofClasses: classWeight) }
    return try data.rows(for: try compiledTrainer().settings.loss, outputCount: width, file: "y")
  }
}

/// A chain of layers.
///
///     let model = try Sequential(input: [192, 192, 3]) {
///       Flatten()
///       Dense(500, activation: .relu)
///       Dense(5, activation: .softmax)
///     }
public final class Sequential: NeuralNetwork {
  /// - Parameters:
  ///   - shape: that of a row.
  ///   - seed: decides the first values of the weights.
  public convenience init(
    input shape: [Int], seed: UInt64 = 0, name: String = "sequential", @LayerList _ layers: () -> [any NetworkLayer]
  ) throws {
    let layers = layers()
    let isIndex = layers.first is Embedding
    let input = Input(shape, type: isIndex ? .int32 : .float32)
    let output = layers.reduce(input) { LayerOutput($1, [$0]) }
    try self.init(input: input, output: output, seed: seed, name: name)
  }
}

/// The figures of the epochs that `fit` trained.
public struct TrainingHistory: Sendable {
  /// The epochs.
  public let epochs: [EpochRecord]

  /// A figure over the epochs, by name: `loss`, a metric's, or either with `val_` in front.
  public subscript(name: String) -> [Double] { epochs.compactMap { $0[name] } }
}
