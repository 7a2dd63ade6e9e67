/// A constant tensor of a graph with its name.
public struct Initializer: Sendable {
  public var name: String
  public var tensor: Tensor

  public init(name: String, tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}

/// A dataflow graph: nodes in execution order, the values between them and the constants they use.
public struct Graph: Sendable {
  public var name: String
  public var docString: String
  public var inputs: [Value]
  public var outputs: [Value]
  /// Types of intermediate values, as far as they are stated.
  public var valueInfo: [Value]
  public var initializers: [Initializer]
  public var sparseInitializers: [(name: String, tensor: SparseTensor)]
  public var nodes: [Node]
  public var quantizationAnnotations: [QuantizationAnnotation]
  public var metadata: TextDictionary
  public var unknownFields: UnknownFields

  public init(name: String = "", inputs: [Value] = [], outputs: [Value] = [], nodes: [Node] = []) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.nodes = nodes
    docString = ""
    valueInfo = []
    initializers = []
    sparseInitializers = []
    quantizationAnnotations = []
    metadata = [:]
    unknownFields = UnknownFields()
  }
}

/// Names of the tensors that hold the scale, zero point and the like of a quantised tensor.
public struct QuantizationAnnotation: Sendable {
  public var tensorName: String
  public var parameters: TextDictionary
  public var unknownFields = UnknownFields()

  public init(tensorName: String, parameters: TextDictionary) {
    self.tensorName = tensorName
    self.parameters = parameters
  }
}
