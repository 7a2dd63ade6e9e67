/// A variable of a layer, with all that a writer needs to name and order it.
struct StoredVariable: Sendable {
  /// The names of the layers around it, outermost first, its own layer last.
  var layers: [String]
  /// Its Keras name: `kernel`, `bias` ...
  var name: String
  var weight: KerasWeight
  var isTrainable: Bool

  /// The variables of a layer and of all layers inside of it, in creation order.
  static func all(of layer: KerasLayer, inside parents: [String] = [], isTrainable: Bool = true) -> [StoredVariable] {
    let isTrainable = isTrainable && layer.configuration["trainable"]?.bool != false
    let layers = parents + [layer.name]
    let rules = layer.variableRules ?? []
    let own = layer.weights.map { name, weight in
      let rule = rules.first { $0.name == name }
      return StoredVariable(
        layers: layers, name: name, weight: weight, isTrainable: isTrainable && rule?.isTrainable != false)
    }
    return own + layer.sublayers.flatMap { all(of: $0, inside: layers, isTrainable: isTrainable) }
  }

  /// The variables in the order of the legacy layout: all trainable ones first.
  static func savedOrder(of layer: KerasLayer, isTrainable: Bool) -> [StoredVariable] {
    let variables = all(of: layer, isTrainable: isTrainable)
    return variables.filter(\.isTrainable) + variables.filter { !$0.isTrainable }
  }
}

extension KerasLayer {
  /// The layers that Keras lists in `model.layers`: operations are none, and a Sequential model hides its input.
  var listedLayers: [KerasLayer] {
    sublayers.filter { !$0.isOperation && !(isSequential && $0.className == "InputLayer") }
  }
}
