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
    if let optimizer = trainable.compiled.optimizer, trainable.compiled.loss != nil || trainable.outputs != nil {
      try prepare(
        trainable.settings(
          loss: trainable.compiled.loss ?? .meanSquaredError, optimizer: optimizer,
          metrics: trainable.compiled.metrics, seed: seed))
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
    try self.init(inputs: inputs, outputs: [output], seed: seed, name: name)
  }

  /// A network of several inputs and outputs written by calling layers.
  public convenience init(
    inputs: [LayerOutput], outputs: [LayerOutput], seed: UInt64 = 0, name: String = "model"
  ) throws {
    var builder = NetworkBuilder(seed: seed)
    var known: [ObjectIdentifier: NetworkBuilder.Output] = [:]
    for input in inputs { _ = try input.build(&builder, &known) }
    var results: [NetworkBuilder.Output] = []
    for output in outputs { results.append(try output.build(&builder, &known)) }
    try self.init(ModelFile(path: "", content: .keras(try builder.model(outputs: results, name: name))))
  }

  /// States how the network is trained; what an optimizer remembers begins anew.
  ///
  /// - Throws: `EngineError` that names what cannot be trained.
  public func compile(optimizer: Optimizer, loss: Loss, metrics: [Metric] = []) throws {
    var settings = trainable.settings(loss: loss, optimizer: optimizer, metrics: metrics, seed: seed)
    settings.outputs = nil
    if graph.graph.outputs.count > 1 {
      settings.outputs = graph.graph.outputs.map { TrainingOutput($0.name, loss: loss, metrics: metrics) }
    }
    try prepare(settings)
  }

  /// States how a network of several outputs is trained: a loss with a weight for each, in the order of the targets.
  ///
  /// - Throws: `EngineError` that names what cannot be trained.
  public func compile(optimizer: Optimizer, outputs: [TrainingOutput]) throws {
    var settings = trainable.settings(loss: .meanSquaredError, optimizer: optimizer, metrics: [], seed: seed)
    settings.outputs = outputs
    try prepare(settings)
  }

  private func prepare(_ settings: TrainingSettings) throws {
    trainer = try Trainer(trainer?.model() ?? graph, settings: settings)
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
    var session = options
    (session.batch, session.epochs, session.shuffles) = (batchSize, epochs, shuffle)
    return try train(
      try rows(x, [y], sampleWeight, classWeight), validationSplit,
      try validationData.map { try rows($0.x, [$0.y], nil, [:]) }, session, afterEpoch)
  }

  /// Trains a network of several outputs.
  ///
  /// - Parameter targets: those of each output, in the order that it was compiled with.
  @discardableResult
  public func fit(
    _ x: Tensor..., targets: [Tensor], batchSize: Int = 32, epochs: Int = 1, validationSplit: Double = 0,
    shuffle: Bool = true, sampleWeight: Tensor? = nil, options: SessionOptions = SessionOptions()
  ) throws -> TrainingHistory {
    var session = options
    (session.batch, session.epochs, session.shuffles) = (batchSize, epochs, shuffle)
    return try train(try rows(x, targets, sampleWeight, [:]), validationSplit, nil, session) { _ in }
  }

  private func train(
    _ whole: TrainingArrays, _ validationSplit: Double, _ validationData: TrainingArrays?, _ session: SessionOptions,
    _ afterEpoch: (EpochRecord) -> Void
  ) throws -> TrainingHistory {
    let trainer = try compiledTrainer()
    var (training, validation): (any TrainingData, (any TrainingData)?) = (whole, validationData)
    if validationData == nil, validationSplit > 0 {
      let kept = Int(Double(whole.rowCount) * (1 - validationSplit))
      guard kept > 0, kept < whole.rowCount else {
        throw EngineError(.invalidInput, "\(whole.rowCount) rows cannot be split by \(validationSplit)")
      }
      training = TrainingSelection(whole, rows: Array(0..<kept))
      validation = TrainingSelection(whole, rows: Array(kept..<whole.rowCount))
    }
    network = nil
    let run = TrainingSession(trainer, session, fingerprint: graph.graph.name)
    _ = try run.run(training, validation: validation, afterEpoch: afterEpoch)
    return TrainingHistory(epochs: run.history)
  }

  /// Loss and metrics by name.
  public func evaluate(
    _ x: Tensor..., y: Tensor, batchSize: Int = 32, sampleWeight: Tensor? = nil
  ) throws -> [String: Double] {
    try evaluate(try rows(x, [y], sampleWeight, [:]), batchSize)
  }

  /// Loss and metrics of a network of several outputs, by name.
  public func evaluate(_ x: Tensor..., targets: [Tensor], batchSize: Int = 32) throws -> [String: Double] {
    try evaluate(try rows(x, targets, nil, [:]), batchSize)
  }

  private func evaluate(_ rows: TrainingArrays, _ batch: Int) throws -> [String: Double] {
    let result = try compiledTrainer().evaluate(rows, batch: batch)
    return Dictionary([("loss", result.loss)] + result.metrics.map { ($0.name, $0.value) }) { first, _ in first }
  }

  /// The first output for rows of the inputs.
  public func predict(_ x: Tensor...) throws -> Tensor {
    guard let output = try outputs(x).first else { throw EngineError(.invalidGraph, "the network has no output") }
    return output
  }

  /// All outputs for rows of the inputs.
  public func predictAll(_ x: Tensor...) throws -> [Tensor] { try outputs(x) }

  private func outputs(_ x: [Tensor]) throws -> [Tensor] {
    let network = try network ?? Network(trainer?.model() ?? graph)
    self.network = network
    return try network.run(
      Dictionary(zip(network.inputs.map(\.name), x).map { ($0, $1) }) { first, _ in first }
    ).map(\.tensor)
  }

  /// Writes the network in the form that the extension asks for, with compile settings and what the optimizer remembers.
  public func save(_ path: String) throws {
    guard let trainer else { return try TrainableModel.write(trainable.file, to: path) }
    try TrainableModel.write(trainable.result(trainer.state, trainer.settings, path: path), to: path)
  }

  /// The trained variables by name, in the optimizer's order.
  public var weights: [(name: String, tensor: Tensor)] { trainer?.state.parameters ?? [] }

  private func rows(
    _ x: [Tensor], _ y: [Tensor], _ weights: Tensor?, _ classWeight: [Int: Float]
  ) throws -> TrainingArrays {
    guard let first = y.first else { throw EngineError(.invalidInput, "there are no targets") }
    let plan = try ExecutionPlan(graph)
    let width = plan.outputs.first?.shape?.dimensions.last?.value ?? 1
    var data = try DataFile.labelled(x, first, weights, plan.inputs, "x")
    if let outputs = try compiledTrainer().settings.outputs {
      data.outputTargets = y
      let widths = outputs.map { output in
        plan.outputs.first { $0.name == output.name }?.shape?.dimensions.last?.value ?? 1
      }
      return try data.rows(for: outputs, widths: widths, file: "y")
    }
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
