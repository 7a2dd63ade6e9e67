import NNFormat

/// What became of one epoch.
public struct EpochRecord: Sendable {
  /// A record from its parts.
  public init(
    epoch: Int, seconds: Double, rowsPerSecond: Double, loss: Double, metrics: [(name: String, value: Double)],
    validationLoss: Double?, validationMetrics: [(name: String, value: Double)], learningRate: Float
  ) {
    (self.epoch, self.seconds, self.rowsPerSecond, self.loss) = (epoch, seconds, rowsPerSecond, loss)
    (self.metrics, self.validationLoss) = (metrics, validationLoss)
    (self.validationMetrics, self.learningRate) = (validationMetrics, learningRate)
  }

  /// Counted from 1.
  public var epoch: Int
  /// How long it took, validation included.
  public var seconds: Double
  /// Rows trained on a second, validation not included.
  public var rowsPerSecond: Double
  /// The mean loss over the rows while training.
  public var loss: Double
  /// The metrics over the rows while training, by name.
  public var metrics: [(name: String, value: Double)]
  /// The same over the validation rows.
  public var validationLoss: Double?
  /// The same over the validation rows.
  public var validationMetrics: [(name: String, value: Double)]
  /// The learning rate of the next step.
  public var learningRate: Float

  /// A figure by its name in reports: `loss`, a metric's, or either with `val_` in front.
  public subscript(name: String) -> Double? {
    if name == "loss" { return loss }
    if name == "val_loss" { return validationLoss }
    if name.hasPrefix("val_") { return validationMetrics.first { "val_\($0.name)" == name }?.value }
    return metrics.first { $0.name == name }?.value
  }
}

/// How far an epoch is.
public struct TrainingProgress: Sendable {
  /// Counted from 1.
  public var epoch: Int
  /// Epochs in all.
  public var epochs: Int
  /// Rows of this epoch that are done.
  public var rows: Int
  /// Rows of an epoch.
  public var rowCount: Int
  /// The mean loss so far.
  public var loss: Double
  let states: [MetricState]
  let figures: [ReportedFigure]

  /// The metrics so far.
  public var metrics: [(name: String, value: Double)] { zip(figures, states).map { ($0.name, $1.value) } }
}

/// Where in its epochs a training is, with the sums of the epoch under way.
public struct TrainingPosition: Sendable, Hashable {
  /// Whole epochs that are done.
  public var epoch = 0
  /// Batches of the next epoch that are done.
  public var batch = 0
  /// Rows of these batches.
  public var rows = 0
  /// The sum of the loss over these rows, and the sums of each metric.
  public var sums: [[Double]] = []

  /// The beginning.
  public init() {}

  /// - Throws: `EngineError` of kind `invalidInput` for a place that no training of so many rows comes to.
  package func check(rows count: Int, batch: Int) throws(EngineError) {
    // An epoch that is done begins the next one anew.
    guard (0..<Int(Int32.max)).contains(epoch), batch > 0, self.batch >= 0,
      self.batch == 0 || self.batch <= (count - 1) / batch, rows == self.batch * batch
    else {
      throw EngineError(
        .invalidInput, "epoch \(epoch), batch \(self.batch), row \(rows) is no place in a training on \(count) rows")
    }
  }

  /// A place from its parts.
  public init(epoch: Int, batch: Int, rows: Int, sums: [[Double]]) {
    (self.epoch, self.batch, self.rows, self.sums) = (epoch, batch, rows, sums)
  }
}

/// What a caller wants after a batch.
public enum TrainingCommand: Sendable {
  case proceed
  /// To end after this batch; `position` then says where.
  case stop
}

extension Trainer {
  /// Trains on one batch given as tensors.
  ///
  /// - Returns: the loss before the update, penalties included.
  @discardableResult
  public func trainBatch(inputs: [Tensor], targets: Tensor, weights: Tensor? = nil) throws(EngineError) -> Double {
    let data = try TrainingArrays(inputs: inputs, targets: targets, weights: weights)
    let buffers = try buffers(data.inputShapes(rows: data.rowCount), .training, data)
    try data.read(ArraySlice(Array(0..<data.rowCount)), into: buffers.batch)
    return try train(buffers)
  }

  /// The gradients of loss and penalties over one batch, by parameter, without an update.
  public func gradients(inputs: [Tensor], targets: Tensor) throws(EngineError) -> [(name: String, tensor: Tensor)] {
    let data = try TrainingArrays(inputs: inputs, targets: targets)
    let buffers = try buffers(data.inputShapes(rows: data.rowCount), .training, data)
    try data.read(ArraySlice(Array(0..<data.rowCount)), into: buffers.batch)
    _ = try computeLoss(buffers)
    try computeGradients(buffers)
    let memory = graph.memory
    return memory.parameters.enumerated().map { index, parameter in
      (parameter.name, memory.gradientTensor(index))
    }
  }

  /// Trains for one epoch, or for the rest of one.
  ///
  /// - Parameters:
  ///   - data: the rows; they are taken in an order that seed and epoch decide when `shuffles`.
  ///   - position: where to begin; moved along.
  ///   - afterBatch: called after each batch.
  /// - Returns: the epoch's figures; `nil` when it was stopped before its end.
  /// - Throws: `EngineError` of kind `invalidInput` when the loss is no number, naming batch and node, or data do not fit.
  public func trainEpoch(
    _ data: any TrainingData, batch: Int, epochs: Int, shuffles: Bool = true, position: inout TrainingPosition,
    afterBatch: (TrainingProgress) -> TrainingCommand = { _ in .proceed }
  ) throws(EngineError) -> EpochRecord? {
    let start = MonotonicClock.seconds
    let order =
      shuffles ? Self.shuffled(data.rowCount, seed: settings.seed, epoch: position.epoch) : Array(0..<data.rowCount)
    guard !order.isEmpty, batch > 0 else { throw EngineError(.invalidInput, "there are no rows to train on") }
    var metrics = try metricStates(data)
    var lossSum = position.sums.first?.first ?? 0
    try position.check(rows: order.count, batch: batch)
    for (index, sums) in position.sums.dropFirst().enumerated()
    where metrics.indices.contains(index) && metrics[index].sums.count == sums.count {
      metrics[index].sums = sums
    }
    let firstRow = position.rows
    var current: BatchBuffers?
    while position.batch * batch < order.count {
      let range = position.batch * batch..<min((position.batch + 1) * batch, order.count)
      if current?.program.rows != range.count {
        current = try self.buffers(data.inputShapes(rows: range.count), .training, data)
      }
      guard let buffers = current else { break }
      try data.read(order[range], into: buffers.batch)
      let loss = try train(buffers)
      guard loss.isFinite else {
        let place = buffers.firstInvalidStep.map { "first in node \($0)" } ?? "in the loss itself"
        throw EngineError(
          .invalidInput,
          "the loss is \(loss) in epoch \(position.epoch + 1), batch \(position.batch + 1); it appeared \(place)")
      }
      update(&metrics, buffers)
      lossSum += loss * Double(range.count)
      position.rows += range.count
      position.batch += 1
      let command = afterBatch(
        TrainingProgress(
          epoch: position.epoch + 1, epochs: epochs, rows: position.rows, rowCount: order.count,
          loss: lossSum / Double(position.rows), states: metrics, figures: graph.figures))
      if case .stop = command, position.batch * batch < order.count {
        position.sums = [[lossSum]] + metrics.map(\.sums)
        return nil
      }
    }
    let seconds = MonotonicClock.seconds - start
    let record = EpochRecord(
      epoch: position.epoch + 1, seconds: seconds,
      rowsPerSecond: Double(position.rows - firstRow) / max(seconds, 1e-9),
      loss: lossSum / Double(max(position.rows, 1)), metrics: named(metrics), validationLoss: nil,
      validationMetrics: [], learningRate: settings.optimizer.learningRate.rate(at: step))
    let next = position.epoch + 1
    position = TrainingPosition()
    position.epoch = next
    return record
  }

  /// Trains for epochs and judges by other data after each.
  ///
  /// - Returns: the epochs' figures.
  @discardableResult
  public func fit(
    _ data: any TrainingData, batch: Int = 32, epochs: Int = 1, validation: (any TrainingData)? = nil,
    shuffles: Bool = true
  ) throws(EngineError) -> [EpochRecord] {
    var position = TrainingPosition()
    var history: [EpochRecord] = []
    while position.epoch < epochs {
      guard
        var record = try trainEpoch(data, batch: batch, epochs: epochs, shuffles: shuffles, position: &position)
      else { break }
      if let validation {
        let result = try evaluate(validation, batch: batch)
        (record.validationLoss, record.validationMetrics) = (result.loss, result.metrics)
      }
      history.append(record)
    }
    finish()
    return history
  }

  /// Loss and metrics over rows, with the network as it is at inference.
  public func evaluate(_ data: any TrainingData, batch: Int = 32) throws(EngineError) -> (
    loss: Double, metrics: [(name: String, value: Double)]
  ) {
    var metrics = try metricStates(data)
    var sum = 0.0
    let rows = Array(0..<data.rowCount)
    for start in stride(from: 0, to: rows.count, by: max(batch, 1)) {
      let range = start..<min(start + max(batch, 1), rows.count)
      let buffers = try buffers(data.inputShapes(rows: range.count), .inference, data)
      try data.read(rows[range], into: buffers.batch)
      try buffers.program.forward(step: 0)
      sum += try buffers.evaluateLoss() * Double(range.count)
      for entry in buffers.program.penalised {
        sum += Self.penalty(entry.penalty.shared(by: range.count), entry.value) * Double(range.count)
      }
      update(&metrics, buffers)
    }
    var loss = rows.isEmpty ? 0 : sum / Double(rows.count)
    for index in graph.memory.parameters.indices {
      if let penalty = graph.memory.parameters[index].penalty {
        loss += Self.penalty(penalty, graph.memory.value(index))
      }
    }
    return (loss, named(metrics))
  }

  /// For each class of the targets how often each class was predicted.
  public func confusionMatrix(_ data: any TrainingData, batch: Int = 32) throws(EngineError) -> [[Int]] {
    let rows = Array(0..<data.rowCount)
    var matrix: [[Int]] = []
    for start in stride(from: 0, to: rows.count, by: max(batch, 1)) {
      let range = start..<min(start + max(batch, 1), rows.count)
      let buffers = try buffers(data.inputShapes(rows: range.count), .inference, data)
      try data.read(rows[range], into: buffers.batch)
      try buffers.program.forward(step: 0)
      let head = buffers.heads[0]
      let classes = head.columns == 1 ? 2 : head.columns
      if matrix.isEmpty { matrix = Array(repeating: Array(repeating: 0, count: classes), count: classes) }
      head.take(buffers.batch)
      for row in 0..<head.rows {
        let truth = head.trueClass(row)
        guard matrix.indices.contains(truth) else { continue }
        matrix[truth][head.predictedClass(row)] += 1
      }
    }
    return matrix
  }

  private func update(_ metrics: inout [MetricState], _ buffers: BatchBuffers) {
    for index in metrics.indices {
      let figure = graph.figures[index]
      if figure.metric == nil {
        let rows = Double(buffers.program.rows)
        metrics[index].sums[0] += buffers.heads[figure.head].lastLoss * rows
        metrics[index].sums[1] += rows
      } else {
        buffers.update(&metrics[index], of: figure.head)
      }
    }
  }

  private func metricStates(_ data: any TrainingData) throws(EngineError) -> [MetricState] {
    let shapes = data.inputShapes(rows: 1)
    let heads = try buffers(shapes, .inference, data).heads
    var states: [MetricState] = []
    for figure in graph.figures {
      let head = heads[figure.head]
      let state = try MetricState(
        figure.metric ?? Metric(figure.name, .loss(head.head.loss)), loss: head.head.loss, columns: head.columns)
      states.append(state)
    }
    return states
  }

  private func named(_ states: [MetricState]) -> [(name: String, value: Double)] {
    zip(graph.figures, states).map { ($0.name, $1.value) }
  }

  /// The rows in an order that seed and epoch decide (Fisher and Yates).
  static func shuffled(_ count: Int, seed: UInt64, epoch: Int) -> [Int] {
    var order = Array(0..<count)
    let random = CounterRandom(seed: seed, step: UInt64(bitPattern: Int64(epoch)), node: -1)
    for place in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(place, Int(random.bits(place) % UInt64(place + 1)))
    }
    return order
  }
}

extension HeadBuffers {
  func predictedClass(_ row: Int) -> Int {
    if columns == 1 { return places.output[row] > 0.5 ? 1 : 0 }
    var best = 0
    for k in 1..<columns where places.output[row * columns + k] > places.output[row * columns + best] { best = k }
    return best
  }

  func trueClass(_ row: Int) -> Int {
    if head.loss.takesClasses || columns == 1 {
      return Int(exactly: targets[row].rounded(.towardZero)) ?? -1
    }
    var best = 0
    for k in 1..<columns where targets[row * columns + k] > targets[row * columns + best] { best = k }
    return best
  }
}
