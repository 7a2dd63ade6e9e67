import NNEngine
import NNFormat

/// What ends a training early, what is kept, and when the learning rate falls.
public struct SessionOptions: Sendable {
  /// Rows that are trained on together.
  public var batch = 32
  /// Epochs in all, those of a resumed training included.
  public var epochs = 1
  /// Whether rows come in another order each epoch.
  public var shuffles = true
  /// The figure that early stopping, the best weights and plateaus go by; `nil` for the validation loss, else the loss.
  public var monitor: String?
  /// The least change that counts as an improvement for early stopping and the best weights.
  public var minimumChange = 0.0
  /// Epochs without improvement after which training ends.
  public var patience: Int?
  /// Whether the weights of the best epoch are what is left in the end.
  public var keepsBest = false
  /// Epochs without improvement after which the learning rate falls, and by which factor.
  public var plateau: (patience: Int, factor: Double)?
  /// Where the state is written after each epoch and on an interrupt.
  public var checkpoint: String?

  /// One epoch of batches of 32.
  public init() {}

  func figure(_ record: EpochRecord) -> (value: Double, isBetterLow: Bool)? {
    let name = monitor ?? (record.validationLoss == nil ? "loss" : "val_loss")
    guard let value = record[name] else { return nil }
    let high = ["accuracy", "auc", "precision", "recall", "f1", "top", "acc"]
    return (value, !high.contains { name.contains($0) })
  }
}

/// A training from its first epoch to its last, or to where it is stopped.
public final class TrainingSession {
  /// How a session ended.
  public enum Ending: Sendable {
    case finished
    /// Nothing was better for as many epochs as patience lasts.
    case stoppedEarly(bestEpoch: Int)
    /// A caller asked for it.
    case interrupted
  }

  /// What is trained.
  public let trainer: Trainer
  private let options: SessionOptions
  private let fingerprint: String
  private var position = TrainingPosition()
  /// The epochs so far.
  public private(set) var history: [EpochRecord] = []
  private var best: (value: Double, epoch: Int, waited: Int)?
  private var bestState: TrainingState?
  private var plateau: (best: Double, waited: Int, rest: Int)?
  private var reducedRate: Double?
  /// The checkpoint that the session goes on from.
  private var source: String?

  /// A session.
  ///
  /// - Parameter fingerprint: a text of what must be the same when the session is resumed.
  public init(_ trainer: Trainer, _ options: SessionOptions, fingerprint: String) {
    (self.trainer, self.options, self.fingerprint) = (trainer, options, fingerprint)
  }

  /// Goes on where a checkpoint was written.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the checkpoint is of another training.
  public func resume(_ checkpoint: Checkpoint, path: String) throws(FormatError) {
    guard checkpoint.fingerprint == fingerprint else {
      throw FormatError(
        .mismatch, "the checkpoint is of a training with other settings: \(checkpoint.fingerprint)", file: path,
        advice: "Resume with the same model, data, loss, optimizer, batch size and seed")
    }
    let epoch = checkpoint.position.epoch
    guard checkpoint.history.count == epoch, checkpoint.best.map({ (1...max(epoch, 1)).contains($0.epoch) }) ?? true
    else {
      throw FormatError(
        .malformed, "the checkpoint has \(checkpoint.history.count) epochs in its history and goes on after \(epoch)",
        file: path)
    }
    do throws(EngineError) { try trainer.restore(checkpoint.state) } catch {
      throw FormatError(.mismatch, error.message, file: path)
    }
    source = path
    (position, history, best) = (checkpoint.position, checkpoint.history, checkpoint.best)
    (plateau, reducedRate) = (checkpoint.plateau, checkpoint.reducedRate)
    if let reducedRate { trainer.setLearningRate(reducedRate) }
    if options.keepsBest, best != nil, FileSystem.exists("\(path).best") {
      bestState = try Checkpoint(path: "\(path).best").state
    }
  }

  /// Trains.
  ///
  /// - Parameters:
  ///   - afterBatch: called after each batch; stops the session when it says so.
  ///   - afterEpoch: called with each epoch's figures.
  /// - Throws: `EngineError` for data that do not fit and a loss that is no number; `FormatError` when a checkpoint cannot
  ///   be written.
  public func run(
    _ data: any TrainingData, validation: (any TrainingData)?,
    afterBatch: (TrainingProgress) -> TrainingCommand = { _ in .proceed },
    afterEpoch: (EpochRecord) -> Void = { _ in }
  ) throws -> Ending {
    if let monitor = options.monitor {
      let names = ["loss"] + trainer.figureNames
      guard names.contains(monitor) || (validation != nil && names.contains { monitor == "val_\($0)" }) else {
        throw EngineError(.invalidInput, "there is no figure \"\(monitor)\" to go by")
      }
    }
    if let source {
      do throws(EngineError) { try position.check(rows: data.rowCount, batch: options.batch) } catch {
        throw FormatError(.mismatch, error.message, file: source)
      }
    }
    while position.epoch < options.epochs {
      if let best, let patience = options.patience, best.waited >= max(patience, 1) {
        try finish()
        return .stoppedEarly(bestEpoch: best.epoch)
      }
      let record = try trainer.trainEpoch(
        data, batch: options.batch, epochs: options.epochs, shuffles: options.shuffles, position: &position,
        afterBatch: afterBatch)
      guard var record else {
        try writeCheckpoint()
        return .interrupted
      }
      if let validation {
        let result = try trainer.evaluate(validation, batch: options.batch)
        (record.validationLoss, record.validationMetrics) = (result.loss, result.metrics)
      }
      try judge(record)
      record.learningRate = trainer.learningRate
      history.append(record)
      afterEpoch(record)
      try writeCheckpoint()
    }
    try finish()
    return .finished
  }

  /// Takes note of whether an epoch was the best, and lowers the learning rate on a plateau.
  private func judge(_ record: EpochRecord) throws {
    guard let (value, isLow) = options.figure(record) else {
      throw EngineError(.invalidInput, "there is no figure \"\(options.monitor ?? "")\" to go by")
    }
    let change = options.minimumChange
    if best.map({ isLow ? value < $0.value - change : value > $0.value + change }) ?? true {
      best = (value, record.epoch, 0)
      if options.keepsBest {
        let state = trainer.state
        bestState = state
        if let path = options.checkpoint {
          try Checkpoint(state: state, position: position, history: history, fingerprint: fingerprint)
            .write(to: "\(path).best")
        }
      }
    } else {
      best?.waited += 1
    }
    guard let rule = options.plateau else { return }
    var current = plateau ?? (isLow ? .infinity : -.infinity, 0, 0)
    // An improvement of less than 1e-4 is none.
    if isLow ? value < current.best - 1e-4 : value > current.best + 1e-4 {
      (current.best, current.waited) = (value, 0)
    } else {
      current.waited += 1
      if current.waited >= rule.patience {
        let rate = Double(trainer.learningRate) * rule.factor
        trainer.setLearningRate(rate)
        reducedRate = rate
        current.waited = 0
      }
    }
    plateau = current
  }

  private func finish() throws {
    trainer.finish()
    if options.keepsBest, let bestState { try trainer.restoreParameters(bestState) }
  }

  private func writeCheckpoint() throws(FormatError) {
    if let path = options.checkpoint { try writeCheckpoint(to: path) }
  }

  /// Writes where the session is.
  public func writeCheckpoint(to path: String) throws(FormatError) {
    var checkpoint = Checkpoint(
      state: trainer.state, position: position, history: history, fingerprint: fingerprint)
    (checkpoint.best, checkpoint.plateau, checkpoint.reducedRate) = (best, plateau, reducedRate)
    try checkpoint.write(to: path)
  }
}
