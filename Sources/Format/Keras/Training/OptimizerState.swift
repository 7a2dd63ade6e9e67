/// What an optimizer remembers, by slot: the form in which training works.
public struct OptimizerSlots: Sendable {
  /// Updates that were made.
  public var step: Int
  /// The learning rate, unless a schedule decides it.
  public var learningRate: Float?
  /// For each slot a tensor for each trainable variable in order.
  public var slots: [(name: String, tensors: [Tensor])]
  /// Nadam's product of momentum factors.
  public var momentumProduct: Float

  /// A state from its parts.
  public init(
    step: Int, learningRate: Float?, slots: [(name: String, tensors: [Tensor])], momentumProduct: Float = 1
  ) {
    self.step = step
    self.learningRate = learningRate
    self.slots = slots
    self.momentumProduct = momentumProduct
  }
}

extension Optimizer {
  /// The slots that Keras makes variable by variable together, one list after another.
  fileprivate var slotLists: [[String]] {
    let first =
      (averaging == nil ? [] : [[Self.averageSlot]]) + (accumulationSteps > 1 ? [[Self.accumulatorSlot]] : [])
    return switch rule {
    case .adam(_, _, _, let amsgrad): first + [["momentum", "velocity"]] + (amsgrad ? [["velocity_hat"]] : [])
    case .rmsprop, .sgd: first + ruleSlotNames.map { [$0] }
    default: first + (ruleSlotNames.isEmpty ? [] : [ruleSlotNames])
    }
  }

  fileprivate var isScheduled: Bool { if case .constant = learningRate { false } else { true } }
  fileprivate var isNadam: Bool { if case .nadam = rule { true } else { false } }
}

extension KerasModel {
  /// What the file's optimizer remembers.
  ///
  /// - Parameter variableCount: the number of trainable variables.
  /// - Returns: `nil` when the file holds no state, or only one of an optimizer that never ran.
  /// - Throws: `FormatError` of kind `mismatch` when there are not as many variables as the optimizer needs, or the count of
  ///   its steps is none.
  public func optimizerSlots(of optimizer: Optimizer, variableCount: Int) throws(FormatError) -> OptimizerSlots? {
    guard var state = self.optimizer, !state.variables.isEmpty else { return nil }
    if generation < 3 { state = OptimizerMigration.toKeras3(state, of: self) }
    var rest = state.variables[...]
    guard let first = rest.popFirst() else { return nil }
    let step = try steps(first)
    var result = OptimizerSlots(step: step, learningRate: nil, slots: [])
    if !optimizer.isScheduled, let rate = rest.popFirst() {
      result.learningRate = try rate.tensor().doubles().first.map { Float($0) }
    }
    if rest.isEmpty, step == 0 { return nil }
    let needed = optimizer.slotNames.count * variableCount + (optimizer.isNadam ? 1 : 0)
    guard rest.count == needed else {
      throw FormatError(
        .mismatch, "the optimizer's state has \(rest.count) variables where \(needed) are needed", file: path,
        advice: "Train with --optimizer to begin anew")
    }
    for list in optimizer.slotLists {
      var tensors = [[Tensor]](repeating: [], count: list.count)
      for _ in 0..<variableCount {
        for slot in list.indices {
          if let variable = rest.popFirst() { tensors[slot].append(try variable.tensor().converted(to: .float32)) }
        }
      }
      for (slot, name) in list.enumerated() { result.slots.append((name, tensors[slot])) }
    }
    if let last = rest.popFirst() { result.momentumProduct = try last.tensor().doubles().first.map { Float($0) } ?? 1 }
    return result
  }

  /// The steps that the optimizer's first variable counts.
  private func steps(_ variable: KerasWeight) throws(FormatError) -> Int {
    let tensor = try variable.tensor()
    guard tensor.count == 1, let step = try? tensor.integers().first, (0...1 << 53).contains(step) else {
      throw FormatError(
        .mismatch, "the optimizer's iteration is not a number of steps from 0 to 2^53", file: path, at: variable.path,
        advice: "Train with --optimizer to begin anew")
    }
    return step
  }

  /// The model with what an optimizer remembers, in Keras's order.
  public func remembering(_ slots: OptimizerSlots, of optimizer: Optimizer) -> KerasModel {
    var tensors = [Tensor([Int64(slots.step)], shape: [])]
    if !optimizer.isScheduled {
      tensors.append(Tensor([slots.learningRate ?? optimizer.learningRate.rate(at: 0)], shape: []))
    }
    let byName = Dictionary(slots.slots.map { ($0.name, $0.tensors) }) { first, _ in first }
    for list in optimizer.slotLists {
      let count = list.first.flatMap { byName[$0]?.count } ?? 0
      for variable in 0..<count {
        for name in list { if let tensor = byName[name]?[variable] { tensors.append(tensor) } }
      }
    }
    if optimizer.isNadam { tensors.append(Tensor([slots.momentumProduct], shape: [])) }
    var result = self
    let name = OptimizerConfiguration.json(optimizer)["config"]?["name"]?.string ?? "optimizer"
    let old = self.optimizer?.variables ?? []
    let isLike = old.count == tensors.count
    result.optimizer = KerasOptimizerState(
      name: isLike ? self.optimizer?.name ?? name : name,
      variables: tensors.enumerated().map { index, tensor in
        isLike
          ? KerasWeight(name: old[index].name, path: old[index].path, value: .success(tensor))
          : KerasWeight(name: "\(index)", path: "/optimizer/vars/\(index)", value: .success(tensor))
      })
    return result
  }
}
