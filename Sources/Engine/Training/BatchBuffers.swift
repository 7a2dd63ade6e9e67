import NNFormat

/// A program with the memory of a batch: inputs, targets, weights and the loss.
@safe final class BatchBuffers {
  let program: TrainingProgram
  let batch: TrainingBatch
  private let memory: RawMemory
  private let scratch: RawMemory
  private let loss: Loss
  /// Rows of predictions, more than rows of the batch when the output has further axes, and values in one.
  let rows: Int
  let columns: Int
  private let rowWeights: Floats

  init(_ program: TrainingProgram, _ loss: Loss, targetRowCount: Int) throws(EngineError) {
    self.program = program
    self.loss = loss
    columns = program.outputShape.last ?? 1
    rows = program.output.count / max(columns, 1)
    let wanted = (loss.takesClasses ? rows : program.output.count) / max(program.rows, 1)
    guard targetRowCount == wanted else {
      let shape = Shape(Array(program.outputShape.dropFirst()))
      throw EngineError(
        .invalidInput,
        "the network gives \(shape) a row, for which the loss needs \(wanted) target value\(wanted == 1 ? "" : "s"), but the data has \(targetRowCount)"
      )
    }
    let targetCount = program.rows * targetRowCount
    let sizes = [targetCount, program.rows, rows].map { MemoryPlan.rounded($0 * 4) }
    memory = try RawMemory(byteCount: sizes.reduce(0, +))
    scratch = try RawMemory(byteCount: 3 * max(columns, 1) * MemoryLayout<Double>.stride)
    let inputBytes = zip(program.graph.draft.inputs, program.inputShapes).map { input, shape in
      (program.graph.draft.values[input].elementType ?? .float32).carriedWidth * shape.dropFirst().reduce(1, *)
    }
    batch = unsafe TrainingBatch(
      inputs: inputBytes.indices.map { unsafe program.input($0) }, inputRowBytes: inputBytes,
      targets: Floats(memory.base, count: targetCount), targetRowCount: targetRowCount,
      weights: Floats(memory.base + sizes[0], count: program.rows))
    rowWeights = unsafe Floats(memory.base + sizes[0] + sizes[1], count: rows)
  }

  /// The loss of the batch, and its gradient where the program has a place for it.
  ///
  /// - Throws: `EngineError` of kind `invalidInput` for a class number outside of the network's classes.
  func evaluateLoss() throws(EngineError) -> Double {
    if loss.takesClasses { try checkClasses() }
    for row in 0..<rows { rowWeights[row] = batch.weights[row * program.rows / max(rows, 1)] }
    let evaluation = LossEvaluation(
      loss: loss, rows: rows, columns: columns, isFromLogits: program.graph.lossIsFromLogits)
    let (sum, divisor) = unsafe evaluation.run(
      program.logits, targets: batch.targets, weights: rowWeights, gradient: program.lossGradient,
      scratch: scratch.base.assumingMemoryBound(to: Double.self))
    return divisor == 0 ? 0 : sum / divisor
  }

  private func checkClasses() throws(EngineError) {
    for row in 0..<rows {
      let label = batch.targets[row]
      guard label >= 0, label < Float(columns), label == label.rounded() else {
        throw EngineError(
          .invalidInput, "a row has the class \(label), but the network tells \(columns) classes apart, from 0 on")
      }
    }
  }

  func update(_ metric: inout MetricState) {
    unsafe metric.update(
      program.output, batch.targets, rows: rows, scratch: scratch.base.assumingMemoryBound(to: Double.self))
  }

  /// Whether the loss writes its gradient there.
  func isLossGradient(_ gradient: Floats) -> Bool { unsafe program.lossGradient?.base == gradient.base }

  /// The label of the first step whose values are not all numbers, in execution order.
  var firstInvalidStep: String? {
    for product in program.products {
      for index in 0..<product.values.count where !product.values[index].isFinite { return product.label }
    }
    return nil
  }
}
