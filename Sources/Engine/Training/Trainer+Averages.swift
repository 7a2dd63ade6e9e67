import NNFormat

/// Gradients over several batches, and moving averages of the parameters.
extension Trainer {
  /// Updates that were made; steps are batches.
  var updateCount: Int { step / settings.optimizer.accumulationSteps }

  /// Adds the batch's gradients to those of the batches before.
  ///
  /// - Returns: whether an update is due; the gradients are then the batches' mean.
  func gathersGradients() -> Bool {
    let steps = settings.optimizer.accumulationSteps
    guard steps > 1 else { return true }
    let memory = graph.memory
    guard let slot = memory.slotNames.firstIndex(of: Optimizer.accumulatorSlot) else { return true }
    let isDue = (step + 1) % steps == 0
    for index in memory.parameters.indices {
      let (gradient, sum) = (memory.gradient(index), memory.slot(slot, index))
      TrainingProgram.add(gradient, to: sum, graph.pool)
      guard isDue else { continue }
      for element in 0..<gradient.count { gradient[element] = sum[element] / Float(steps) }
      sum.fill(0)
    }
    return isDue
  }

  /// Moves the average of a parameter, which begins with the parameter itself.
  func average(_ index: Int, _ averaging: Optimizer.Averaging) {
    let memory = graph.memory
    guard let slot = memory.slotNames.firstIndex(of: Optimizer.averageSlot) else { return }
    let (value, average) = (memory.value(index), memory.slot(slot, index))
    let momentum: Float = updateCount == 0 ? 0 : averaging.momentum
    let rest = 1 - momentum
    for element in 0..<value.count { average[element] = momentum * average[element] + rest * value[element] }
    if let frequency = averaging.overwriteFrequency, frequency > 0, (updateCount + 1) % frequency == 0 {
      value.copy(average)
    }
  }

  /// Puts the averages in the parameters' place, as the end of a training asks for; nothing without averages.
  public func finish() {
    let memory = graph.memory
    guard step > 0, let slot = memory.slotNames.firstIndex(of: Optimizer.averageSlot) else { return }
    for index in memory.parameters.indices { memory.value(index).copy(memory.slot(slot, index)) }
  }
}
