import NNFormat

/// What training has made so far: parameters, running statistics, and what the optimizer remembers.
public struct TrainingState: Sendable {
  /// Updates that were made.
  public var step: Int
  /// Parameters by name, in the optimizer's order.
  public var parameters: [(name: String, tensor: Tensor)]
  /// Running statistics by name.
  public var statistics: [(name: String, tensor: Tensor)]
  /// For each slot of the optimizer a tensor for each parameter.
  public var slots: [(name: String, tensors: [Tensor])]
  /// The product of Nadam's momentum factors.
  public var momentumProduct: Float
  /// The learning rate of the next step.
  public var learningRate: Float

  /// A state from its parts.
  public init(
    step: Int, parameters: [(name: String, tensor: Tensor)], statistics: [(name: String, tensor: Tensor)],
    slots: [(name: String, tensors: [Tensor])], momentumProduct: Float, learningRate: Float
  ) {
    (self.step, self.parameters, self.statistics) = (step, parameters, statistics)
    (self.slots, self.momentumProduct, self.learningRate) = (slots, momentumProduct, learningRate)
  }
}

extension Trainer {
  /// How many steps a stored state may count: what a double tells apart, with room for a training to go on.
  static let stepRange = 0...1 << 53

  /// A copy of the state.
  public var state: TrainingState {
    let memory = graph.memory
    return TrainingState(
      step: step,
      parameters: memory.parameters.enumerated().map { index, parameter in
        (parameter.name, memory.valueTensor(index))
      },
      statistics: memory.statistics.enumerated().map { index, statistic in
        (statistic.name, memory.statisticTensor(index))
      },
      slots: memory.slotNames.enumerated().map { slot, name in
        (
          name,
          memory.parameters.indices.map { memory.slotTensor(slot, $0) }
        )
      },
      momentumProduct: product, learningRate: settings.optimizer.learningRate.rate(at: step))
  }

  /// Takes over a state.
  ///
  /// - Throws: `EngineError` of kind `invalidInput` when a parameter is missing or slots do not fit the optimizer.
  public func restore(_ state: TrainingState) throws(EngineError) {
    try restoreParameters(state)
    try restoreOptimizer(
      step: state.step, slots: state.slots, momentumProduct: state.momentumProduct)
  }

  /// Takes over parameters and statistics alone.
  public func restoreParameters(_ state: TrainingState) throws(EngineError) {
    let memory = graph.memory
    let parameters = Dictionary(state.parameters.map { ($0.name, $0.tensor) }) { first, _ in first }
    let statistics = Dictionary(state.statistics.map { ($0.name, $0.tensor) }) { first, _ in first }
    for (index, parameter) in memory.parameters.enumerated() {
      guard let tensor = parameters[parameter.name] else {
        throw EngineError(.invalidInput, "the state has no parameter \"\(parameter.name)\"")
      }
      try memory.setValue(index, to: tensor)
    }
    for (index, statistic) in memory.statistics.enumerated() {
      guard let tensor = statistics[statistic.name] else {
        throw EngineError(.invalidInput, "the state has no statistic \"\(statistic.name)\"")
      }
      try memory.setStatistic(index, to: tensor)
    }
  }

  /// Takes over what an optimizer remembers.
  ///
  /// - Parameter slots: by the optimizer's slot names, a tensor for each parameter in order.
  /// - Throws: `EngineError` of kind `invalidInput` when the slots do not fit the optimizer.
  public func restoreOptimizer(
    step: Int, slots: [(name: String, tensors: [Tensor])], momentumProduct: Float = 1
  ) throws(EngineError) {
    guard Self.stepRange.contains(step) else {
      throw EngineError(.invalidInput, "the optimizer's state counts \(step) steps, which is not from 0 to 2^53")
    }
    let memory = graph.memory
    for (slot, name) in memory.slotNames.enumerated() {
      guard let tensors = slots.first(where: { $0.name == name })?.tensors, tensors.count == memory.parameters.count
      else { throw EngineError(.invalidInput, "the optimizer's state has no \"\(name)\" for every parameter") }
      for (index, tensor) in tensors.enumerated() {
        guard tensor.shape == memory.parameters[index].shape else {
          throw EngineError(
            .invalidInput,
            "the optimizer's \"\(name)\" of \"\(memory.parameters[index].name)\" has shape \(tensor.shape), the parameter \(memory.parameters[index].shape)"
          )
        }
        try memory.setSlot(slot, index, to: tensor)
      }
    }
    self.step = step
    product = momentumProduct
  }

  /// The model with the trained parameters and statistics in the place of the ones it had.
  public func model() -> Model {
    let state = self.state
    let tensors = Dictionary((state.parameters + state.statistics).map { ($0.name, $0.tensor) }) { first, _ in first }
    var model = graph.model
    for index in model.graph.initializers.indices {
      let name = model.graph.initializers[index].name
      if let tensor = tensors[name] { model.graph.initializers[index].tensor = tensor }
    }
    return model
  }
}
