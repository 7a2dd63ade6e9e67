/// Weights of one model put into another with other layers at its end.
public struct Graft: Sendable {
  /// What became of a layer of the model that was grafted onto.
  public enum Outcome: String, Sendable {
    /// It has the base's weights.
    case loaded
    /// The base has no such layer; it keeps its own weights.
    case skipped
    /// The base's layer has variables of other shapes; it keeps its own weights.
    case mismatched
  }

  /// One layer with weights.
  public struct Entry: Sendable {
    /// The layer's name in the model that was grafted onto.
    public var layer: String
    /// The base's layer.
    public var source: String?
    /// What became of it.
    public var outcome: Outcome
    /// The values of its variables.
    public var parameterCount: Int
    /// Whether training leaves it as it is.
    public var isFrozen: Bool
  }

  /// The model with the base's weights.
  public private(set) var model: KerasModel
  /// Each layer with weights, in order.
  public private(set) var entries: [Entry] = []

  /// Grafts weights.
  ///
  /// - Parameters:
  ///   - base: where the weights come from.
  ///   - head: the layers that get them.
  ///   - byPosition: whether layers with weights belong together in their order, not by name.
  ///   - isFrozen: which layers training is to leave as they are.
  /// - Throws: `FormatError` of kind `missing` when a file has no layers or no weights.
  public init(
    _ base: KerasModel, onto head: KerasModel, byPosition: Bool, isFrozen: (String) -> Bool
  ) throws(FormatError) {
    guard let root = head.root, let source = base.root else {
      throw FormatError(
        .missing, "holds weights without layers", file: head.root == nil ? head.path : base.path,
        advice: "Name a file that describes the layers, too")
    }
    model = head
    let sources = source.all.filter { !$0.weights.isEmpty }
    guard !sources.isEmpty else { throw FormatError(.missing, "holds no weights", file: base.path) }
    let byName = Dictionary(sources.map { ($0.name, $0) }) { first, _ in first }
    var values: [String: Tensor] = [:]
    for (position, layer) in root.all.filter({ !$0.weights.isEmpty }).enumerated() {
      let partner = byPosition ? (sources.indices.contains(position) ? sources[position] : nil) : byName[layer.name]
      var entry = Entry(
        layer: layer.name, source: partner?.name, outcome: .skipped,
        parameterCount: layer.weights.values.reduce(0) { $0 + ((try? $1.tensor().count) ?? 0) },
        isFrozen: isFrozen(layer.name))
      if let partner {
        entry.outcome = .mismatched
        if let pairs = Self.pairs(partner, layer) {
          entry.outcome = .loaded
          for (path, tensor) in pairs { values[path] = tensor }
        }
      }
      entries.append(entry)
    }
    model.replaceWeights(values)
    model.optimizer = nil
    if entries.contains(where: \.isFrozen) { model.freeze(isFrozen) }
  }

  /// The variables of two layers that have the same names, shapes and types; `nil` when one differs.
  private static func pairs(_ source: KerasLayer, _ target: KerasLayer) -> [(path: String, tensor: Tensor)]? {
    guard source.weights.count == target.weights.count else { return nil }
    var pairs: [(path: String, tensor: Tensor)] = []
    for (name, weight) in target.weights {
      guard let own = try? weight.tensor(), let other = try? source.weights[name]?.tensor(), own.shape == other.shape,
        own.elementType == other.elementType
      else { return nil }
      pairs.append((weight.path, other))
    }
    return pairs
  }
}

extension KerasModel {
  /// Lets layers say that they are not to be trained.
  fileprivate mutating func freeze(_ isFrozen: (String) -> Bool) {
    configuration = configuration.map { Self.frozen($0, isFrozen) }
    root?.freeze(isFrozen)
  }

  private static func frozen(_ json: JSONValue, _ isFrozen: (String) -> Bool) -> JSONValue {
    guard var content = json["config"], content.object != nil else { return json }
    if let layers = content["layers"]?.array {
      content = content.setting("layers", to: .array(layers.map { frozen($0, isFrozen) }))
    } else if let name = content["name"]?.string, isFrozen(name), json["class_name"]?.string != "InputLayer" {
      content = content.setting("trainable", to: false)
    }
    return json.setting("config", to: content)
  }
}

extension KerasLayer {
  fileprivate mutating func freeze(_ isFrozen: (String) -> Bool) {
    if sublayers.isEmpty, isFrozen(name), className != "InputLayer" {
      configuration.json = configuration.json.setting("trainable", to: false)
    }
    for index in sublayers.indices { sublayers[index].freeze(isFrozen) }
  }
}
