import OrderedCollections

/// Lays weights out as Keras 3's `.weights.h5`: groups named by class and position, with numbered variables.
struct TreeLayout {
  private let model: KerasModel

  init(_ model: KerasModel) { self.model = model }

  /// The tree of a file of its own, or of the one inside of an archive.
  func tree(for layout: KerasModel.Layout) throws(FormatError) -> HDF5Tree {
    if var tree = try model.preservedTree(for: layout) {
      if model.preserved?.holdsOptimizer(of: model) == false { renewOptimizer(in: &tree) }
      return tree
    }
    guard let root = model.root else {
      throw FormatError(
        .missing, "the weights are grouped by class in this layout, and the file does not say the classes",
        file: model.path, advice: "Name a file that describes the layers with --architecture")
    }
    try model.checkEveryWeightHasALayer()
    var tree = HDF5Tree()
    try fill(root, into: &tree)
    if !root.sublayers.isEmpty { Self.put(model.ownWeights, named: root.name, in: &tree) }
    putMetrics(in: &tree)
    renewOptimizer(in: &tree)
    return tree
  }

  /// What tf.keras keeps of its metrics beside the layers stays where it was.
  private func putMetrics(in tree: inout HDF5Tree) {
    guard model.weightTree != nil else { return }
    for weight in model.weights where weight.isOfMetric {
      guard case .success(let tensor) = weight.value else { continue }
      tree.put(HDF5DatasetContent(tensor: tensor), at: weight.path)
    }
  }

  private func renewOptimizer(in tree: inout HDF5Tree) {
    tree.children["optimizer"] = nil
    guard let state = model.optimizer else { return }
    let layout = OptimizerLayout(state, of: model)
    let groups = OrderedDictionary(grouping: layout.variables, by: \.innerOptimizer)
    for (inner, variables) in groups {
      tree.descend(["optimizer"] + inner) { Self.put(variables, named: inner.last ?? layout.name, in: &$0) }
    }
  }

  private func fill(_ layer: KerasLayer, into tree: inout HDF5Tree) throws(FormatError) {
    let inner = try Self.innerGroup(of: layer)
    let activation = layer.activationRules.map(\.name)
    let own = layer.weights.filter { !activation.contains($0.key) }
    Self.put(inner == nil ? repeatedMatrix(of: layer) + own.values : [], named: layer.name, in: &tree)
    if !activation.isEmpty {
      let variables = activation.compactMap { layer.weights[$0] }
      tree.descend(["activation"]) { Self.put(variables, named: "activation", in: &$0) }
    }
    if let inner { tree.descend([inner]) { Self.put(Array(layer.weights.values), named: inner, in: &$0) } }
    guard !layer.sublayers.isEmpty else { return }
    if layer.configuration["layers"] == nil {
      for sublayer in layer.sublayers { try fill(sublayer, at: ["layer"], in: &tree) }
      return
    }
    var counts: [String: Int] = [:]
    for sublayer in layer.listedLayers {
      let stem = Self.stem(of: sublayer)
      let count = counts[stem, default: 0]
      counts[stem] = count + 1
      try fill(sublayer, at: ["layers", count == 0 ? stem : "\(stem)_\(count)"], in: &tree)
    }
  }

  private func repeatedMatrix(of layer: KerasLayer) -> [KerasWeight] {
    guard layer.repeatsInnerMatrix, let inner = layer.sublayers.first else { return [] }
    return [inner.weights["kernel"] ?? inner.weights["embeddings"]].compactMap(\.self)
  }

  private func fill(_ layer: KerasLayer, at path: [String], in tree: inout HDF5Tree) throws(FormatError) {
    var subtree = HDF5Tree()
    try fill(layer, into: &subtree)
    let filled = subtree
    tree.descend(path) { $0 = filled }
  }

  private static func put(_ weights: [KerasWeight], named name: String, in tree: inout HDF5Tree) {
    tree.descend(["vars"]) { group in
      group.attributes["name"] = .string(name, .variableUTF8)
      for (index, weight) in weights.enumerated() {
        guard case .success(let tensor) = weight.value else { continue }
        var dataset = HDF5DatasetContent(tensor: tensor)
        // HDF5 has no such type: Keras stores opaque bytes and says here what they are.
        if tensor.elementType == .bfloat16 { dataset.attributes["dtype"] = .string("bfloat16", .variableUTF8) }
        group.children["\(index)"] = .dataset(dataset)
      }
    }
  }

  private static func stem(of layer: KerasLayer) -> String {
    let className = layer.className.split(separator: ">").last.map(String.init) ?? layer.className
    return className == "Model" ? "functional" : KerasConfigurationParser.snakeCase(className)
  }

  /// The part of a layer that owns its variables, where it is not the layer itself.
  private static func innerGroup(of layer: KerasLayer) throws(FormatError) -> String? {
    switch layer.className {
    case "LSTM", "GRU", "SimpleRNN": return "cell"
    case "MultiHeadAttention", "GroupQueryAttention", "Bidirectional", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D":
      guard !layer.weights.isEmpty else { return nil }
      throw FormatError(
        .unsupported, "the variables of a \(layer.className) layer belong to parts of it that are not known here",
        at: layer.name)
    default: return nil
    }
  }
}
