/// Whether two files hold the same weights, bit for bit.
public struct WeightComparison: Sendable {
  /// How many weights both hold.
  public private(set) var count = 0
  /// What differs, one clause each.
  public private(set) var differences: [String] = []

  /// Compares two files: those of Keras, or of one that Keras layers can be made of, by layer and name; two ONNX files by
  /// the names of their initializers.
  ///
  /// - Throws: `FormatError` when weights cannot be read, or a node has no layer.
  public init(_ source: ModelFile, _ result: ModelFile) throws(FormatError) {
    if case .onnx(let left) = source.content, case .onnx(let right) = result.content {
      try compare(
        left.graph.initializers.map { ($0.name, $0.tensor) }, right.graph.initializers.map { ($0.name, $0.tensor) })
      return
    }
    let layout: KerasModel.Layout
    if case .keras(let keras) = result.content { layout = keras.layout } else { layout = .archive }
    try compare(try Self.weights(of: source, layout: layout), try Self.weights(of: result, layout: layout))
  }

  private static func weights(
    of file: ModelFile, layout: KerasModel.Layout
  ) throws(FormatError) -> [(name: String, tensor: Tensor)] {
    let keras: KerasModel
    switch file.content {
    case .keras(let model): keras = model
    case .onnx(let model): keras = try Conversion().keras(from: model, layout: layout, path: file.path).model
    }
    guard let root = keras.root else {
      return try keras.weights.mapTyped { (weight) throws(FormatError) in (weight.path, try weight.tensor()) }
    }
    return try root.named("").mapTyped { (entry) throws(FormatError) in (entry.name, try entry.weight.tensor()) }
  }

  private mutating func compare(
    _ left: [(name: String, tensor: Tensor)], _ right: [(name: String, tensor: Tensor)]
  ) throws(FormatError) {
    let found = Dictionary(right.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let names = Set(left.map(\.name))
    for (name, tensor) in left {
      guard let other = found[name] else {
        differences.append("the weight \"\(name)\" is missing")
        continue
      }
      count += 1
      if tensor.elementType != other.elementType || tensor.shape != other.shape {
        differences.append(
          "the weight \"\(name)\" is \(other.elementType.name)\(Shape(other.shape)), not \(tensor.elementType.name)\(Shape(tensor.shape))"
        )
      } else if try !tensor.hasSameElements(as: other) {
        differences.append("the weight \"\(name)\" has other elements")
      }
    }
    for (name, _) in right where !names.contains(name) { differences.append("the weight \"\(name)\" is new") }
  }
}

extension KerasLayer {
  /// All weights at or below the layer under the names of the layers around them.
  fileprivate func named(_ scope: String) -> [(name: String, weight: KerasWeight)] {
    weights.map { ("\(scope)\($0.key)", $0.value) } + sublayers.flatMap { $0.named("\(scope)\($0.name)/") }
  }
}
