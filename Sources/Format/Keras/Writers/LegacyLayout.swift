import OrderedCollections

/// Lays a model out as `model.save("x.h5")` does: groups named by layers, with lists of names.
struct LegacyLayout {
  /// Bytes that one attribute may have; longer lists are split over several.
  static let attributeLimit = 64_512

  private let model: KerasModel
  private let generation: Int

  init(_ model: KerasModel) {
    self.model = model
    generation = model.generation
  }

  /// The whole model.
  func wholeModel() throws(FormatError) -> HDF5Tree {
    if var tree = try model.preservedTree(for: .legacyModel) {
      try renewTraining(in: &tree)
      return tree
    }
    guard let configuration = model.configuration else {
      throw FormatError(
        .missing, "the file holds weights without layers, and a whole model needs both", file: model.path,
        advice: "Name a file that describes the layers with --architecture")
    }
    try model.checkEveryWeightHasALayer()
    var tree = HDF5Tree()
    tree.attributes["backend"] = .string(model.backend ?? "tensorflow", .variableUTF8)
    tree.attributes["keras_version"] = .string(version, .variableUTF8)
    tree.attributes["model_config"] = .string(LegacyConfiguration.form(of: configuration).text(), .variableASCII)
    if let training = model.trainingConfiguration.flatMap(TrainingConfiguration.legacyForm) {
      tree.attributes["training_config"] = .string(training.text(), .variableASCII)
    }
    tree.children["model_weights"] = .group(weights())
    if let optimizer { tree.children["optimizer_weights"] = .group(optimizer) }
    return tree
  }

  /// The weights alone, as `save_weights` wrote them before Keras 3.
  func weightsOnly() throws(FormatError) -> HDF5Tree {
    if let tree = try model.preservedTree(for: .legacyWeights) { return tree }
    try model.checkEveryWeightHasALayer()
    return weights()
  }

  private var version: String { model.kerasVersion ?? (generation == 3 ? KerasWriter.version : "2.15.0") }

  private func weights() -> HDF5Tree {
    var tree = HDF5Tree()
    tree.attributes["backend"] = .string(model.backend ?? "tensorflow", .variableASCII)
    tree.attributes["keras_version"] = .string(version, .variableASCII)
    guard let root = model.root else {
      Self.put(model.weightGroups.map(\.name), "layer_names", on: &tree)
      for group in model.weightGroups { put(group.weights.map { ($0.name, $0) }, under: group.name, in: &tree) }
      return tree
    }
    let layers = root.sublayers.isEmpty ? [root] : root.listedLayers
    Self.put(layers.map(\.name), "layer_names", on: &tree)
    let isTrainable = root.configuration["trainable"]?.bool != false
    for layer in layers {
      let variables = StoredVariable.savedOrder(of: layer, isTrainable: isTrainable)
      put(variables.map { (name(of: $0, in: root), $0.weight) }, under: layer.name, in: &tree)
    }
    put(model.ownWeights.map { ($0.name, $0) }, under: "top_level_model_weights", in: &tree)
    return tree
  }

  /// `sequential/dense/kernel` in Keras 3, `dense/kernel:0` before.
  private func name(of variable: StoredVariable, in root: KerasLayer) -> String {
    let path = (variable.layers + [variable.name]).joined(separator: "/")
    return generation == 3 ? (root.isSequential ? "\(root.name)/\(path)" : path) : "\(path):0"
  }

  private func put(_ weights: [(String, KerasWeight)], under layer: String, in tree: inout HDF5Tree) {
    tree.descend(layer.split(separator: "/").map(String.init)) { group in
      Self.put(weights.map(\.0), "weight_names", on: &group)
      for (name, weight) in weights {
        guard case .success(let tensor) = weight.value else { continue }
        group.put(HDF5DatasetContent(tensor: tensor), at: name)
      }
    }
  }

  /// The optimizer's group, from the model's state.
  private var optimizer: HDF5Tree? {
    guard let state = model.optimizer else { return nil }
    var tree = HDF5Tree()
    let variables = OptimizerLayout(state, of: model).namedVariables
    Self.put(variables.map(\.name), "weight_names", on: &tree)
    for variable in variables {
      guard case .success(let tensor) = variable.value else { continue }
      tree.put(HDF5DatasetContent(tensor: tensor), at: variable.name)
    }
    return tree
  }

  private func renewTraining(in tree: inout HDF5Tree) throws(FormatError) {
    guard let preserved = model.preserved else { return }
    if !preserved.holdsTraining(of: model) {
      let training = model.trainingConfiguration.flatMap(TrainingConfiguration.legacyForm)
      tree.attributes["training_config"] = training.map { .string($0.text(), .variableASCII) }
    }
    if !preserved.holdsOptimizer(of: model) {
      tree.children["optimizer_weights"] = optimizer.map { .group($0) }
    }
  }

  /// Writes a list of names as Keras does: no names as an empty list of numbers, and a list that is too long for one
  /// attribute in the fewest parts that fit.
  static func put(_ names: [String], _ attribute: String, on tree: inout HDF5Tree) {
    let width = names.map(\.utf8.count).max() ?? 0
    guard !names.isEmpty else {
      tree.attributes[attribute] = .tensor(Tensor([Double](), shape: [0]))
      return
    }
    guard names.count * width > attributeLimit else {
      tree.attributes[attribute] = .strings(names, .variableASCII, shape: [names.count])
      return
    }
    var parts = 2
    while (names.count + parts - 1) / parts * width > attributeLimit, parts < names.count { parts += 1 }
    var start = 0
    for part in 0..<parts {
      let count = names.count / parts + (part < names.count % parts ? 1 : 0)
      let kind = HDF5StringKind(isVariable: false, isUTF8: false, length: width)
      tree.attributes["\(attribute)\(part)"] = .strings(Array(names[start..<start + count]), kind, shape: [count])
      start += count
    }
  }
}
