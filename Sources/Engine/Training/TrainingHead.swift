import NNFormat

/// An output of a graph in training with its loss: the value that predictions are read from, and the one that the loss is
/// computed from.
struct TrainingHead {
  let name: String
  let outputValue: Int
  let lossValue: Int
  let isFromLogits: Bool
  let loss: Loss
  /// How much the loss counts in the whole.
  let weight: Double
  let metrics: [Metric]

  /// The outputs that settings ask for, in the order of the targets.
  ///
  /// - Throws: `EngineError` when an output is missing or two are the same value.
  static func all(of draft: Draft, _ model: Model, _ settings: TrainingSettings) throws(EngineError) -> [TrainingHead] {
    guard let outputs = settings.outputs else {
      guard draft.outputs.count == 1 else {
        throw EngineError(
          .unsupported, "the network has \(draft.outputs.count) outputs; each needs a loss of its own")
      }
      return [
        TrainingHead(
          draft, name: model.graph.outputs.first?.name ?? "", output: draft.outputs[0], settings.loss, 1,
          settings.metrics)
      ]
    }
    var heads: [TrainingHead] = []
    for output in outputs {
      guard let place = model.graph.outputs.firstIndex(where: { $0.name == output.name }),
        draft.outputs.indices.contains(place)
      else { throw EngineError(.invalidInput, "the network has no output \"\(output.name)\"") }
      heads.append(
        TrainingHead(
          draft, name: output.name, output: draft.outputs[place], output.loss, output.weight, output.metrics))
    }
    guard !heads.isEmpty, Set(heads.map(\.lossValue)).count == heads.count else {
      throw EngineError(.unsupported, "the outputs to be trained are none, or two of them are one value")
    }
    return heads
  }

  private init(
    _ draft: Draft, name: String, output: Int, _ loss: Loss, _ weight: Double, _ metrics: [Metric]
  ) {
    (self.name, outputValue, self.loss, self.weight, self.metrics) = (name, output, loss, weight, metrics)
    (lossValue, isFromLogits) = Self.lossValue(draft, loss, output: output)
  }

  /// The output, or what goes into an activation at the output that the loss is joined with.
  private static func lossValue(_ draft: Draft, _ loss: Loss, output: Int) -> (value: Int, isFromLogits: Bool) {
    guard !loss.fromLogits, let node = draft.nodes.first(where: { $0.outputs.first == output }),
      loss.joinedActivations.contains(where: { node.isOperator($0) }), case let input?? = node.inputs.first,
      node.isOperator("Sigmoid") || node.origin.int("axis", default: -1) == -1
    else { return (output, loss.fromLogits) }
    return (input, true)
  }
}

/// A figure that training reports: a metric of an output, or the loss of one among several.
struct ReportedFigure: Sendable {
  let name: String
  let head: Int
  /// `nil` for the output's loss.
  let metric: Metric?

  /// The figures of outputs: with several of them, named by the output in front.
  static func all(of heads: [TrainingHead]) -> [ReportedFigure] {
    if heads.count == 1 { return heads[0].metrics.map { ReportedFigure(name: $0.name, head: 0, metric: $0) } }
    return heads.indices.map { ReportedFigure(name: "\(heads[$0].name)_loss", head: $0, metric: nil) }
      + heads.indices.flatMap { head in
        heads[head].metrics.map { ReportedFigure(name: "\(heads[head].name)_\($0.name)", head: head, metric: $0) }
      }
  }
}

/// Where one output of a program lies.
@safe struct HeadPlaces {
  let output: Floats
  let outputShape: [Int]
  let logits: Floats
  let lossGradient: Floats?
}

/// One output of a batch: its targets, and the evaluation of its loss.
@safe final class HeadBuffers {
  let head: TrainingHead
  let places: HeadPlaces
  /// Rows of predictions, more than rows of the batch when the output has further axes, and values in one.
  let rows: Int
  let columns: Int
  /// Targets of a row of the batch.
  let targetRowCount: Int
  /// The loss of the last batch.
  private(set) var lastLoss = 0.0
  private(set) var targets: Floats
  private let memory: RawMemory
  private let batchRows: Int
  private let offset: Int
  private let rowWeights: Floats
  let scratch: RawMemory

  /// - Parameter offset: where the output's targets begin in a row of the batch's.
  init(_ head: TrainingHead, _ places: HeadPlaces, batchRows: Int, offset: Int) throws(EngineError) {
    (self.head, self.places, self.batchRows, self.offset) = (head, places, batchRows, offset)
    columns = places.outputShape.last ?? 1
    rows = places.output.count / max(columns, 1)
    targetRowCount = (head.loss.takesClasses ? rows : places.output.count) / max(batchRows, 1)
    let size = MemoryPlan.rounded(batchRows * targetRowCount * 4)
    memory = try RawMemory(byteCount: size + rows * 4)
    targets = unsafe Floats(memory.base, count: batchRows * targetRowCount)
    rowWeights = unsafe Floats(memory.base + size, count: rows)
    scratch = try RawMemory(byteCount: 3 * max(columns, 1) * MemoryLayout<Double>.stride)
  }

  /// Takes the targets out of the batch's.
  func take(_ batch: TrainingBatch) {
    if batch.targetRowCount == targetRowCount {
      targets = batch.targets
    } else {
      for row in 0..<batchRows {
        for k in 0..<targetRowCount {
          targets[row * targetRowCount + k] = batch.targets[row * batch.targetRowCount + offset + k]
        }
      }
    }
    for row in 0..<rows { rowWeights[row] = batch.weights[row * batchRows / max(rows, 1)] }
  }

  /// The loss of the batch, and its gradient, times the output's weight, where the program has a place for it.
  ///
  /// - Throws: `EngineError` of kind `invalidInput` for a class number outside of the network's classes.
  func evaluateLoss() throws(EngineError) -> Double {
    if head.loss.takesClasses { try checkClasses() }
    let evaluation = LossEvaluation(
      loss: head.loss, rows: rows, columns: columns, isFromLogits: head.isFromLogits, scale: head.weight)
    let (sum, divisor) = unsafe evaluation.run(
      places.logits, targets: targets, weights: rowWeights, gradient: places.lossGradient,
      scratch: scratch.base.assumingMemoryBound(to: Double.self))
    lastLoss = divisor == 0 ? 0 : sum / divisor
    return lastLoss
  }

  private func checkClasses() throws(EngineError) {
    for row in 0..<rows {
      let label = targets[row]
      guard label >= 0, label < Float(columns), label == label.rounded() else {
        throw EngineError(
          .invalidInput, "a row has the class \(label), but the network tells \(columns) classes apart, from 0 on")
      }
    }
  }
}
