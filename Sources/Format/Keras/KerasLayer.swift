import OrderedCollections

/// One layer of a Keras model, or a model inside of a model.
public struct KerasLayer: Sendable {
  /// The Keras class: `Dense`, `Functional`, or a custom one.
  public var className: String
  /// The layer's name, unique in the model around it.
  public var name: String
  /// The Python module of the class, where the configuration names it.
  public var module: String?
  /// The constructor's arguments.
  public var configuration: LayerConfiguration
  /// The layers of a model, or the wrapped layer of a wrapper.
  public var sublayers: [KerasLayer] = []
  /// The input shape, batch included, that Keras noted when it built the layer.
  var buildShape: [Int?]?
  /// How the layer is called inside a Functional model, one entry a call.
  public var calls: [KerasCall] = []
  /// Where in the file the layer's variables stand, once they are bound.
  var weightPlace: String?
  /// The layer's own variables by their Keras names (`kernel`, `bias` ...), in creation order.
  public var weights: OrderedDictionary<String, KerasWeight> = [:]

  /// Whether the layer is a model whose sublayers are connected by its configuration.
  public var isModel: Bool { isSequential || isFunctional }
  /// Whether the layer is a Sequential model.
  public var isSequential: Bool { className == "Sequential" }
  /// Whether the layer is a model whose calls are recorded.
  public var isFunctional: Bool { ["Functional", "Model"].contains(className) && configuration["input_layers"] != nil }

  /// Whether the entry is an operation of `keras.ops`, or a function of TensorFlow, recorded in a Functional model instead
  /// of a layer.
  public var isOperation: Bool { module?.contains(".ops") ?? false || TensorFlowFunction.isCall(self) }

  /// The layer and everything below it, parents first.
  public var all: [KerasLayer] { [self] + sublayers.flatMap(\.all) }
}

/// One call of a layer in a Functional model.
public struct KerasCall: Sendable {
  /// The positional arguments.
  public var arguments: [KerasArgument]
  /// The arguments given by name.
  public var keywordArguments: OrderedDictionary<String, KerasArgument>

  /// The tensors among the arguments, in order, those of lists included. Masks are left out.
  public var tensors: [KerasTensorReference] {
    arguments.flatMap(\.tensors) + keywordArguments.filter { $0.key != "mask" }.values.flatMap(\.tensors)
  }
}

/// An argument of a call.
public indirect enum KerasArgument: Sendable {
  case tensor(KerasTensorReference)
  case list([KerasArgument])
  case constant(JSONValue)

  /// The tensors in the argument.
  public var tensors: [KerasTensorReference] {
    switch self {
    case .tensor(let reference): [reference]
    case .list(let arguments): arguments.flatMap(\.tensors)
    case .constant: []
    }
  }
}

/// An output of a call of a layer.
public struct KerasTensorReference: Sendable, Hashable {
  /// The layer's name.
  public var layer: String
  /// Which call of the layer.
  public var call: Int
  /// Which of the call's outputs.
  public var output: Int
}
