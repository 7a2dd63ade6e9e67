import OrderedCollections

/// Takes a model's weights out by name, and puts others in.
///
/// A weight's name is the path of layer names and its variable: `dense/kernel`, `block/dense/bias`; Keras's own longer
/// forms (`sequential/dense/kernel`, `dense/dense/kernel:0`) are understood when weights are put in.
public enum WeightExchange {
  /// What became of each name.
  public struct Report: Sendable, Hashable {
    /// Weights that were replaced.
    public var loaded: [String] = []
    /// Weights of the model that were not given and stay as they were.
    public var missing: [String] = []
    /// Tensors that the model has no place for.
    public var unused: [String] = []
    /// Weights whose shape is another, with both shapes; they stay as they were.
    public var mismatched: [String] = []
    /// Variables of the optimizer beside the layers, which belong to other weights and are not taken.
    public var optimizerVariableCount = 0

    /// Whether every weight was replaced and every tensor used.
    public var isComplete: Bool { missing.isEmpty && unused.isEmpty && mismatched.isEmpty }
  }

  /// The weights by name in the order of the layers.
  ///
  /// - Throws: `FormatError` when a weight cannot be read.
  public static func tensors(of model: KerasModel) throws(FormatError) -> OrderedDictionary<String, Tensor> {
    var tensors: OrderedDictionary<String, Tensor> = [:]
    guard let root = model.root else {
      for group in model.weightGroups {
        for weight in group.weights {
          tensors[unique("\(group.name)/\(plain(weight.name))", tensors)] = try weight.tensor()
        }
      }
      return tensors
    }
    for layer in root.sublayers.isEmpty ? [root] : root.sublayers {
      for variable in StoredVariable.all(of: layer) {
        tensors[unique(name(of: variable), tensors)] = try variable.weight.tensor()
      }
    }
    for weight in model.ownWeights { tensors[unique(plain(weight.name), tensors)] = try weight.tensor() }
    return tensors
  }

  /// The model with the weights that are given by name.
  public static func replacing(
    _ tensors: OrderedDictionary<String, Tensor>, in model: KerasModel
  ) -> (model: KerasModel, report: Report) {
    var model = model
    var report = Report()
    var exchange = Exchange(tensors, root: model.root?.name)
    if var root = model.root {
      for index in root.sublayers.indices { exchange.fill(&root.sublayers[index], inside: [], &report) }
      if root.sublayers.isEmpty { exchange.fill(&root, inside: [], &report) }
      model.root = root
    }
    report.unused = exchange.unused
    model.adoptBoundWeights()
    return (model, report)
  }

  static func name(of variable: StoredVariable) -> String {
    (variable.layers + [variable.name]).joined(separator: "/")
  }

  static func plain(_ name: String) -> String {
    name.split(separator: ":").first.map(String.init) ?? name
  }

  private static func unique(_ name: String, _ taken: OrderedDictionary<String, Tensor>) -> String {
    guard taken[name] != nil else { return name }
    return (1...).lazy.map { "\(name)_\($0)" }.first { taken[$0] == nil } ?? name
  }

  /// The tensors that are still to be placed.
  private struct Exchange {
    private let tensors: OrderedDictionary<String, Tensor>
    private let names: WeightNames
    private var used: Set<String> = []

    init(_ tensors: OrderedDictionary<String, Tensor>, root: String?) {
      self.tensors = tensors
      names = WeightNames(tensors.keys, root: root)
    }

    var unused: [String] { tensors.keys.filter { !used.contains($0) } }

    mutating func fill(_ layer: inout KerasLayer, inside parents: [String], _ report: inout Report) {
      let path = parents + [layer.name]
      let wanted = OrderedSet((layer.variableRules ?? []).map(\.name)).union(layer.weights.keys)
      for name in wanted {
        let fullName = (path + [name]).joined(separator: "/")
        guard let given = names[fullName], let tensor = tensors[given] else {
          report.missing.append(fullName)
          continue
        }
        used.insert(given)
        if let shape = layer.weights[name]?.shape, shape != tensor.shape {
          report.mismatched.append("\(fullName): \(tensor.shape) instead of \(shape)")
          continue
        }
        let old = layer.weights[name]
        layer.weights[name] = KerasWeight(
          name: old?.name ?? name, path: old?.path ?? fullName, value: .success(tensor))
        report.loaded.append(fullName)
      }
      for index in layer.sublayers.indices { fill(&layer.sublayers[index], inside: path, &report) }
    }
  }
}

extension KerasModel {
  /// Brings the weights as the file groups them to the values that the layers hold.
  fileprivate mutating func adoptBoundWeights() {
    let values = Dictionary((root?.all ?? []).flatMap(\.weights.values).map { ($0.path, $0.value) }) { first, _ in first
    }
    for group in weightGroups.indices {
      for index in weightGroups[group].weights.indices {
        if let value = values[weightGroups[group].weights[index].path] {
          weightGroups[group].weights[index].value = value
        }
      }
    }
  }
}
