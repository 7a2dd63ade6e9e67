/// Puts an older optimizer's variables into Keras 3's order: iteration, learning rate, then each variable's slots together.
enum OptimizerMigration {
  static func toKeras3(_ state: KerasOptimizerState, of model: KerasModel) -> KerasOptimizerState {
    guard let iteration = state.variables.first else { return state }
    let slots = Array(state.variables.dropFirst())
    let rate = TrainingConfiguration.optimizerConfiguration(model.trainingConfiguration)?["learning_rate"]
    let schedule = rate?["config"]?["initial_learning_rate"]
    let value = Tensor([rate?.float ?? schedule?.float ?? 0.001], shape: [])
    var ordered = [iteration, KerasWeight(name: "learning_rate", path: "learning_rate", value: .success(value))]
    ordered += interleaved(slots)
    var result = state
    result.name =
      TrainingConfiguration.optimizerConfiguration(model.trainingConfiguration)?["name"]?.string
      .map { KerasConfigurationParser.snakeCase($0) } ?? "optimizer"
    result.variables = ordered.enumerated().map { index, variable in
      KerasWeight(name: "\(index)", path: variable.path, value: variable.value)
    }
    return result
  }

  /// TensorFlow's older optimizers keep one list for each kind of slot. Keras 3 joins the first two of Adam's and
  /// Adadelta's kind variable by variable, and keeps what follows (`vhat`) and RMSprop's lists as they are.
  private static func interleaved(_ slots: [KerasWeight]) -> [KerasWeight] {
    let kinds = slots.map { VariableRule.baseName($0.name) }
    guard let first = kinds.first, ["m", "accum_grad"].contains(first),
      let count = kinds.firstIndex(where: { $0 != first }), slots.count.isMultiple(of: count)
    else { return slots }
    return (0..<count).flatMap { [slots[$0], slots[$0 + count]] } + slots.dropFirst(2 * count)
  }
}
