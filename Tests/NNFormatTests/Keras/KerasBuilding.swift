import NNFormat

/// A whole legacy model in memory: layers as JSON, weights by group with their shapes; element k of a weight is k.
func legacyModel(
  _ layers: String, weights: [(group: String, weights: [(name: String, shape: [Int])])] = [],
  version: String? = "3.15.1",
  layout: KerasModel.Layout = .legacyModel
) throws -> KerasModel {
  let layersOnly = "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": [\(layers)]}}"
  return try kerasModel(layersOnly, weights: weights, version: version, layout: layout)
}

/// A whole legacy model in memory from its whole configuration.
func kerasModel(
  _ configuration: String, weights: [(group: String, weights: [(name: String, shape: [Int])])] = [],
  version: String? = "3.15.1", layout: KerasModel.Layout = .legacyModel
) throws -> KerasModel {
  var model = KerasModel(path: "memory", layout: layout)
  model.kerasVersion = version
  model.configuration = try JSONValue.parse(configuration)
  for (group, members) in weights {
    let stored = members.map { name, shape in
      KerasWeight(name: name, path: "/\(group)/\(name)", value: .success(countingTensor(shape)))
    }
    model.weightGroups.append(KerasWeightGroup(name: group, path: "/\(group)", weights: stored))
  }
  try KerasReader().finish(&model)
  return model
}

/// A tensor whose element k is k.
func countingTensor(_ shape: [Int]) -> Tensor {
  Tensor((0..<shape.reduce(1, *)).map { Float($0) }, shape: shape)
}

/// A model without weights: one layer behind an input of the given shape.
func oneLayer(_ className: String, _ configuration: String, input: String = "[null, 4]", version: String = "3.15.1")
  throws
  -> KerasModel
{
  let entry = "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"x\", \"batch_shape\": \(input)}}"
  let separator = configuration.isEmpty ? "" : ", "
  return try legacyModel(
    "\(entry), {\"class_name\": \"\(className)\", \"config\": {\"name\": \"l\"\(separator)\(configuration)}}",
    version: version)
}

extension KerasModel {
  /// The operators that the model lowers to, in order.
  var operators: [String] {
    get throws { try lowered().graph.nodes.map(\.operatorType) }
  }

  /// The weights of a layer: the variable's name and its place in the file.
  func boundPlaces(_ layer: String) -> [String: String] {
    let found = root?.all.first { $0.name == layer }
    return Dictionary(uniqueKeysWithValues: (found?.weights ?? [:]).map { ($0.key, $0.value.path) })
  }

  var findingCodes: [String] { findings.map(\.code) }
}
