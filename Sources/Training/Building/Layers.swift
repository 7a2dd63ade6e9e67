import NNFormat

/// A layer as a network is written down, in a list or by calling it on what others give.
public protocol NetworkLayer: Sendable {
  /// What is built.
  var specification: LayerSpecification { get }
  /// The layer's name in the file; `nil` for one made from its class.
  var name: String? { get }
}

extension NetworkLayer {
  /// The layer on what others give.
  public func callAsFunction(_ inputs: LayerOutput...) -> LayerOutput { LayerOutput(self, inputs) }
}

/// An activation by Keras's name.
public struct ActivationName: Sendable, Hashable, ExpressibleByStringLiteral {
  let text: String
  /// Any activation that `docs/LAYERS.md` lists.
  public init(stringLiteral text: String) { self.text = text }

  /// `linear`.
  public static let linear: Self = "linear"
  /// `relu`.
  public static let relu: Self = "relu"
  /// `leaky_relu`.
  public static let leakyRelu: Self = "leaky_relu"
  /// `elu`.
  public static let elu: Self = "elu"
  /// `selu`.
  public static let selu: Self = "selu"
  /// `gelu`.
  public static let gelu: Self = "gelu"
  /// `silu`.
  public static let silu: Self = "silu"
  /// `mish`.
  public static let mish: Self = "mish"
  /// `sigmoid`.
  public static let sigmoid: Self = "sigmoid"
  /// `tanh`.
  public static let tanh: Self = "tanh"
  /// `softplus`.
  public static let softplus: Self = "softplus"
  /// `softmax`.
  public static let softmax: Self = "softmax"
}

/// Weighted sums of the inputs through an activation.
public struct Dense: NetworkLayer {
  /// What is built.
  public let specification: LayerSpecification
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?

  /// - Parameters:
  ///   - units: the numbers that it gives.
  ///   - kernelRegularizer: what the size of the weights costs.
  public init(
    _ units: Int, activation: ActivationName = .linear, useBias: Bool = true,
    kernelInitializer: WeightInitializer = .glorotUniform, kernelRegularizer: Penalty? = nil, name: String? = nil
  ) {
    let dense = LayerSpecification.dense(
      units, activation: activation.text, usesBias: useBias, initializer: kernelInitializer)
    specification = kernelRegularizer.map { .regularized(dense, $0) } ?? dense
    self.name = name
  }
}

/// All numbers of a row in one axis.
public struct Flatten: NetworkLayer {
  /// What is built.
  public let specification = LayerSpecification.flatten
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(name: String? = nil) { self.name = name }
}

/// In training, a share of the numbers is set to zero.
public struct Dropout: NetworkLayer {
  /// What is built.
  public let specification: LayerSpecification
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(_ rate: Double, name: String? = nil) { (specification, self.name) = (.dropout(rate), name) }
}

/// Mean 0 and variance 1 over the batch for each number.
public struct BatchNormalization: NetworkLayer {
  /// What is built.
  public let specification: LayerSpecification
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(momentum: Double = 0.99, epsilon: Double = 0.001, name: String? = nil) {
    (specification, self.name) = (.batchNormalization(momentum: momentum, epsilon: epsilon), name)
  }
}

/// Mean 0 and variance 1 over the last axis.
public struct LayerNormalization: NetworkLayer {
  /// What is built.
  public let specification: LayerSpecification
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(epsilon: Double = 0.001, name: String? = nil) {
    (specification, self.name) = (.layerNormalization(epsilon: epsilon), name)
  }
}

/// A function of each number.
public struct Activation: NetworkLayer {
  /// What is built.
  public let specification: LayerSpecification
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(_ activation: ActivationName, name: String? = nil) {
    (specification, self.name) = (.activation(activation.text), name)
  }
}

/// A row of a table for each index.
public struct Embedding: NetworkLayer {
  /// What is built.
  public let specification: LayerSpecification
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(_ inputDimension: Int, _ outputDimension: Int, name: String? = nil) {
    (specification, self.name) = (.embedding(inputDimension, outputDimension), name)
  }
}

/// The numbers of a row in another shape.
public struct Reshape: NetworkLayer {
  /// What is built.
  public let specification: LayerSpecification
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(_ shape: [Int], name: String? = nil) { (specification, self.name) = (.reshape(shape), name) }
}

/// x * scale + offset.
public struct Rescaling: NetworkLayer {
  /// What is built.
  public let specification: LayerSpecification
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(_ scale: Double, offset: Double = 0, name: String? = nil) {
    (specification, self.name) = (.rescaling(scale, offset: offset), name)
  }
}

/// The sum of the inputs.
public struct Add: NetworkLayer {
  /// What is built.
  public let specification = LayerSpecification.add
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(name: String? = nil) { self.name = name }
}

/// The product of the inputs, number by number.
public struct Multiply: NetworkLayer {
  /// What is built.
  public let specification = LayerSpecification.multiply
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(name: String? = nil) { self.name = name }
}

/// The inputs one behind the other along the last axis.
public struct Concatenate: NetworkLayer {
  /// What is built.
  public let specification = LayerSpecification.concatenate
  /// The layer's name in the file; `nil` for one made from its class.
  public let name: String?
  /// A layer of these numbers.
  public init(name: String? = nil) { self.name = name }
}

/// Collects the layers of a `Sequential`.
@resultBuilder public enum LayerList {
  /// A part of the list.
  public static func buildExpression(_ layer: any NetworkLayer) -> [any NetworkLayer] { [layer] }
  /// A part of the list.
  public static func buildBlock(_ parts: [any NetworkLayer]...) -> [any NetworkLayer] { parts.flatMap { $0 } }
  /// A part of the list.
  public static func buildOptional(_ part: [any NetworkLayer]?) -> [any NetworkLayer] { part ?? [] }
  /// A part of the list.
  public static func buildEither(first part: [any NetworkLayer]) -> [any NetworkLayer] { part }
  /// A part of the list.
  public static func buildEither(second part: [any NetworkLayer]) -> [any NetworkLayer] { part }
  /// A part of the list.
  public static func buildArray(_ parts: [[any NetworkLayer]]) -> [any NetworkLayer] { parts.flatMap { $0 } }
}

/// What a layer gives, or an input, in a network written by calling layers.
public final class LayerOutput: Sendable {
  enum Source: Sendable {
    case input(shape: [Int], type: ElementType, name: String?)
    case layer(any NetworkLayer, [LayerOutput])
  }
  let source: Source

  init(_ layer: any NetworkLayer, _ inputs: [LayerOutput]) { source = .layer(layer, inputs) }
  fileprivate init(_ source: Source) { self.source = source }

  /// Adds this and what it depends on to a builder, each once.
  func build(
    _ builder: inout NetworkBuilder, _ known: inout [ObjectIdentifier: NetworkBuilder.Output]
  ) throws(FormatError) -> NetworkBuilder.Output {
    if let output = known[ObjectIdentifier(self)] { return output }
    let result: NetworkBuilder.Output
    switch source {
    case .input(let shape, let type, let name): result = builder.input(shape, type: type, name: name)
    case .layer(let layer, let inputs):
      var outputs: [NetworkBuilder.Output] = []
      for input in inputs { outputs.append(try input.build(&builder, &known)) }
      result = try builder.add(layer.specification, to: outputs, name: layer.name)
    }
    known[ObjectIdentifier(self)] = result
    return result
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// An input of a network written by calling layers.
///
/// - Parameter shape: that of a row.
public func Input(_ shape: [Int], type: ElementType = .float32, name: String? = nil) -> LayerOutput {
  LayerOutput(.input(shape: shape, type: type, name: name))
}
