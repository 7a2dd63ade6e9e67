/// The optimizer's variables in the order and under the names of the generation that is written.
struct OptimizerLayout {
  /// The optimizer's name: `adam`.
  let name: String
  /// The variables in order.
  let variables: [KerasWeight]
  private let model: KerasModel

  init(_ state: KerasOptimizerState, of model: KerasModel) {
    self.model = model
    let configured = TrainingConfiguration.optimizerConfiguration(model.trainingConfiguration)?["name"]?.string
    name = state.name == "optimizer" || state.name.contains(":") ? configured ?? "optimizer" : state.name
    variables = state.variables
  }

  /// The variables with the names that a legacy file needs: what the file called them, or names made of their places.
  var namedVariables: [KerasWeight] {
    guard variables.allSatisfy({ Int($0.name) != nil }) else { return variables }
    let trained = (model.root?.sublayers ?? []).flatMap { StoredVariable.all(of: $0) }.filter(\.isTrainable)
    let hasRate = variables.count > 1 && variables[1].shape?.isEmpty == true
    let first = hasRate ? 2 : 1
    let slotCount = trained.isEmpty ? 0 : (variables.count - first) / trained.count
    let isRegular = slotCount > 0 && slotCount * trained.count == variables.count - first && slotCount <= 2
    return variables.enumerated().map { index, variable in
      var variable = variable
      switch index {
      case 0: variable.name = "\(name)/iteration"
      case 1 where hasRate: variable.name = "\(name)/learning_rate"
      case _ where isRegular:
        let owner = trained[(index - first) / slotCount]
        let slot = (index - first) % slotCount == 0 ? "momentum" : "velocity"
        let path = (owner.layers + [owner.name]).joined(separator: "_").replacing("/", with: "_")
        variable.name = "\(name)/\(path)_\(slot)"
      default: variable.name = "\(name)/variable_\(index)"
      }
      return variable
    }
  }
}

extension KerasWeight {
  /// The shape, where the elements can be had.
  var shape: [Int]? { (try? value.get())?.shape }

  /// The group of the optimizer inside of another that a variable of Keras 3's tree belongs to; empty for the outer one.
  var innerOptimizer: [String] {
    let parts = path.split(separator: "/").map(String.init)
    guard parts.first == "optimizer", let end = parts.lastIndex(of: "vars") else { return [] }
    return Array(parts[1..<end])
  }
}
