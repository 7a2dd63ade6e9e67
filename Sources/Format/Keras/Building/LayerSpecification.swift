/// A layer of a network that is built anew.
public indirect enum LayerSpecification: Sendable, Hashable {
  /// `units` numbers, each a weighted sum of the inputs, through an activation by Keras's name.
  case dense(Int, activation: String = "linear", usesBias: Bool = true, initializer: WeightInitializer = .glorotUniform)
  /// All numbers of a row in one axis.
  case flatten
  /// In training, a share of the numbers is set to zero.
  case dropout(Double)
  /// Mean 0 and variance 1 over the batch for each number.
  case batchNormalization(momentum: Double = 0.99, epsilon: Double = 0.001)
  /// Mean 0 and variance 1 over the last axis.
  case layerNormalization(epsilon: Double = 0.001)
  /// A function of each number, by Keras's name.
  case activation(String)
  /// A row of a table for each index.
  case embedding(Int, Int)
  /// The numbers of a row in another shape.
  case reshape([Int])
  /// x * scale + offset.
  case rescaling(Double, offset: Double = 0)
  /// The sum of the inputs.
  case add
  /// The product of the inputs.
  case multiply
  /// The inputs one behind the other along the last axis.
  case concatenate
  /// A penalty on the weights of the layer.
  case regularized(LayerSpecification, Penalty)

  /// Parses a list such as `flatten, dense 500 relu, dropout 0.5, dense 5 softmax`.
  ///
  /// - Throws: `FormatError` that names the layer which cannot be read.
  public static func list(_ text: String) throws(FormatError) -> [LayerSpecification] {
    try text.split(separator: ",").map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }
      .mapTyped { (words) throws(FormatError) in try layer(words) }
  }

  private static func layer(_ words: [String]) throws(FormatError) -> LayerSpecification {
    let name = words[0].lowercased()
    let rest = Array(words.dropFirst())
    func refused(_ expected: String) -> FormatError {
      FormatError(.malformed, "the layer \"\(words.joined(separator: " "))\" cannot be read; expected \(expected)")
    }
    func number(_ index: Int, _ fallback: Double, _ range: ClosedRange<Double>) throws(FormatError) -> Double {
      guard rest.indices.contains(index) else { return fallback }
      guard let value = Double(rest[index]), range.contains(value) else { throw refused("a number in \(range)") }
      return value
    }
    switch name {
    case "dense":
      guard let units = rest.first.flatMap({ Int($0) }), units > 0, rest.count <= 3 else {
        throw refused("dense UNITS [ACTIVATION] [INITIALIZER]")
      }
      let activation = rest.count > 1 ? rest[1] : "linear"
      try check(activation)
      guard let initializer = WeightInitializer(rawValue: rest.count > 2 ? rest[2] : "glorot_uniform") else {
        throw refused("an initializer among " + WeightInitializer.allCases.map(\.rawValue).joined(separator: ", "))
      }
      return .dense(units, activation: activation, initializer: initializer)
    case "flatten" where rest.isEmpty: return .flatten
    case "dropout": return .dropout(try number(0, 0.5, 0...0.99))
    case "batchnorm", "batch_normalization": return .batchNormalization(momentum: try number(0, 0.99, 0...1))
    case "layernorm", "layer_normalization": return .layerNormalization()
    case "rescaling": return .rescaling(try number(0, 1, -1e30...1e30), offset: try number(1, 0, -1e30...1e30))
    case "embedding":
      guard rest.count == 2, let rows = Int(rest[0]), let width = Int(rest[1]), rows > 0, width > 0 else {
        throw refused("embedding ROWS WIDTH")
      }
      return .embedding(rows, width)
    case "reshape":
      let extents = rest.flatMap { $0.split(separator: "x") }.compactMap { Int($0) }
      guard !extents.isEmpty, extents.allSatisfy({ $0 > 0 }) else { throw refused("reshape 4x4") }
      return .reshape(extents)
    case "activation" where rest.count == 1:
      try check(rest[0])
      return .activation(rest[0])
    default:
      try check(name)
      return .activation(name)
    }
  }

  private static func check(_ activation: String) throws(FormatError) {
    guard KerasActivation.functions[activation] == nil else { return }
    throw FormatError(
      .unsupported, "there is no layer or activation \"\(activation)\"",
      advice:
        "Layers: dense, flatten, dropout, batchnorm, layernorm, embedding, reshape, rescaling, activation; activations: "
        + KerasActivation.functions.keys.sorted().joined(separator: ", "))
  }
}
