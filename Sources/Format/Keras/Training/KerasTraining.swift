/// A Keras model made ready to be trained as a graph: which constants are its trainable variables, in the order in which
/// Keras's optimizers know them, and what its layers ask of training.
public struct KerasTraining: Sendable {
  /// The model.
  public private(set) var keras: KerasModel
  /// The model as a graph of operators.
  public let model: Model
  /// The trainable variables, penalties and constraints included.
  public private(set) var parameters: [TrainableParameter] = []
  /// What training does at nodes beyond what the graph says, by the node's name.
  public private(set) var behaviours: [String: TrainingBehaviour] = [:]
  /// Penalties on what layers give, by the value's name.
  public private(set) var activityPenalties: [String: Penalty] = [:]
  /// For each constant that training changes the place of the variable in the file.
  private var places: [String: String] = [:]

  /// - Parameter frozen: whether a layer is not to be trained though its configuration says so.
  /// - Throws: `FormatError` of kind `unsupported` that names the layer which cannot be trained, or whose configuration
  ///   asks for something unknown.
  public init(_ keras: KerasModel, isFrozen: (String) -> Bool = { _ in false }) throws(FormatError) {
    self.keras = keras
    do throws(FormatError) {
      let (model, lowering) = try keras.lowering(isTolerant: false)
      self.model = model
      guard let root = keras.root else { throw FormatError(.unsupported, "holds weights without layers") }
      guard keras.ownWeights.isEmpty else {
        throw FormatError(.unsupported, "the model has a variable that belongs to no layer, which is not trained")
      }
      try collect(root, isTrainable: true, isFrozen, lowering.carriedWeights)
      try collectBehaviours(lowering, isFrozen)
    } catch {
      throw error.inFile(keras.path)
    }
  }

  /// Notes the variables of a layer and of those in it.
  private mutating func collect(
    _ layer: KerasLayer, isTrainable: Bool, _ isFrozen: (String) -> Bool, _ carried: [String: String]
  ) throws(FormatError) {
    let isTrainable = isTrainable && layer.configuration["trainable"]?.bool != false && !isFrozen(layer.name)
    for (name, weight) in layer.weights {
      guard places.values.contains(weight.path) == false else { continue }
      let rule = layer.variableRules?.first { $0.name == name }
      guard let initializer = carried[weight.path] else {
        guard isTrainable, rule?.isTrainable != false else { continue }
        throw FormatError(
          .unsupported, "its variable \"\(name)\" is used in another form than it is stored in, and cannot be trained",
          at: "layer \"\(layer.name)\" (\(layer.className))", advice: "Freeze the layer")
      }
      places[initializer] = weight.path
      guard isTrainable, rule?.isTrainable != false else { continue }
      var parameter = TrainableParameter(initializer)
      parameter.penalty = try PenaltyConfiguration.penalty(layer.configuration["\(name)_regularizer"], layer)
      parameter.constraint = try PenaltyConfiguration.constraint(layer.configuration["\(name)_constraint"], layer)
      parameters.append(parameter)
    }
    let sublayers = layer.isModel ? layer.listedLayers : layer.sublayers
    for sublayer in sublayers { try collect(sublayer, isTrainable: isTrainable, isFrozen, carried) }
  }

  private mutating func collectBehaviours(
    _ lowering: Lowering, _ isFrozen: (String) -> Bool
  ) throws(FormatError) {
    var statistics: [String: KerasLayer] = [:]
    var producers: [String: Node] = [:]
    for node in model.graph.nodes { for output in node.outputs { producers[output] = node } }
    for entry in lowering.layers {
      let layer = entry.layer
      if let path = layer.weights["moving_mean"]?.path, let name = lowering.carriedWeights[path] {
        statistics[name] = layer
      }
      guard let output = entry.outputs.first else { continue }
      try collectActivity(layer, output.name)
      guard let node = producers[output.name], node.operatorType == "Dropout" || node.operatorType == "Identity" else {
        continue
      }
      if let behaviour = try behaviour(of: layer, rank: output.rank ?? 2) { behaviours[node.name] = behaviour }
    }
    for node in model.graph.nodes where node.operatorType == "BatchNormalization" {
      guard node.inputs.count > 3, let layer = statistics[node.inputs[3]] else { continue }
      var behaviour = TrainingBehaviour()
      let isTrained = layer.configuration["trainable"]?.bool != false && !isFrozen(layer.name)
      if isTrained { behaviour.statisticsMomentum = try layer.configuration.float("momentum", default: 0.99) }
      behaviours[node.name] = behaviour
    }
  }

  private mutating func collectActivity(_ layer: KerasLayer, _ output: String) throws(FormatError) {
    if layer.className == "ActivityRegularization" {
      activityPenalties[output] = Penalty(
        l1: try layer.configuration.float("l1", default: 0), l2: try layer.configuration.float("l2", default: 0))
    } else if let penalty = try PenaltyConfiguration.penalty(layer.configuration["activity_regularizer"], layer) {
      activityPenalties[output] = penalty
    }
  }

  private func behaviour(of layer: KerasLayer, rank: Int) throws(FormatError) -> TrainingBehaviour? {
    var behaviour = TrainingBehaviour()
    let rate = try layer.configuration.float("rate", "p", default: 0.5)
    switch layer.className {
    case "Dropout":
      let shape = layer.configuration["noise_shape"]?.array ?? []
      behaviour.sharedAxes = shape.indices.filter { shape[$0].int == 1 }
    case "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D":
      let isFirst = layer.configuration["data_format"]?.string == "channels_first"
      behaviour.sharedAxes = isFirst ? Array(2..<max(rank, 2)) : Array(1..<max(rank - 1, 1))
    case "GaussianNoise":
      behaviour.noise = .gaussian(deviation: try layer.configuration.float("stddev", "sigma", default: 0))
    case "GaussianDropout": behaviour.noise = .gaussianDropout(rate: rate)
    case "AlphaDropout": behaviour.noise = .alphaDropout(rate: rate)
    default: return nil
    }
    return behaviour
  }

  /// Settings for a trainer.
  public func settings(loss: Loss, optimizer: Optimizer, metrics: [Metric] = [], seed: UInt64 = 0) -> TrainingSettings {
    var settings = TrainingSettings(loss: loss, optimizer: optimizer, metrics: metrics, seed: seed)
    settings.parameters = parameters
    settings.behaviours = behaviours
    settings.activityPenalties = activityPenalties
    return settings
  }

  /// The model with other values in its variables.
  ///
  /// - Parameter tensors: by the names of the graph's initializers.
  public func model(with tensors: [(name: String, tensor: Tensor)]) -> KerasModel {
    var values: [String: Tensor] = [:]
    for (name, tensor) in tensors { if let place = places[name] { values[place] = tensor } }
    var result = keras
    result.replaceWeights(values)
    return result
  }
}

extension KerasModel {
  /// Gives variables new values, by their places in the file.
  package mutating func replaceWeights(_ values: [String: Tensor]) {
    root?.replaceWeights(values)
    for group in weightGroups.indices {
      for index in weightGroups[group].weights.indices {
        if let value = values[weightGroups[group].weights[index].path] {
          weightGroups[group].weights[index].value = .success(value)
        }
      }
    }
    weightTree?.replaceWeights(values)
  }
}

extension KerasLayer {
  mutating func replaceWeights(_ values: [String: Tensor]) {
    for (name, weight) in weights {
      if let value = values[weight.path] { weights[name]?.value = .success(value) }
    }
    for index in sublayers.indices { sublayers[index].replaceWeights(values) }
  }
}

extension WeightTree {
  mutating func replaceWeights(_ values: [String: Tensor]) {
    for index in variables.indices {
      if let value = values[variables[index].path] { variables[index].value = .success(value) }
    }
    for name in children.keys { children[name]?.replaceWeights(values) }
  }
}
