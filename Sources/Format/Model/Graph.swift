/// A constant tensor of a graph with its name.
public struct Initializer: Sendable {
  /// The name.
  public var name: String
  /// The elements with type and shape.
  public var tensor: Tensor

  /// A named constant.
  public init(name: String, tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}

/// A dataflow graph: nodes in execution order, the values between them and the constants they use.
public struct Graph: Sendable {
  /// The name.
  public var name: String
  /// A text for people.
  public var docString: String
  /// What the graph takes; older files list initializers here too.
  public var inputs: [Value]
  /// What the graph gives.
  public var outputs: [Value]
  /// Types of intermediate values, as far as they are stated.
  public var valueInfo: [Value]
  /// The constants.
  public var initializers: [Initializer]
  /// Constants in coordinate form.
  public var sparseInitializers: [(name: String, tensor: SparseTensor)]
  /// The operations; each after those whose results it uses.
  public var nodes: [Node]
  /// Which tensors hold the scales of quantised values.
  public var quantizationAnnotations: [QuantizationAnnotation]
  /// Entries for programs and people.
  public var metadata: TextDictionary
  /// What the file says beyond the other properties.
  public var unknownFields: UnknownFields

  /// A graph without constants.
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
  /// The quantised tensor.
  public var tensorName: String
  /// Roles such as `SCALE_TENSOR` to tensor names.
  public var parameters: TextDictionary
  /// What the file says beyond the other properties.
  public var unknownFields = UnknownFields()

  /// An annotation of a tensor.
  public init(tensorName: String, parameters: TextDictionary) {
    self.tensorName = tensorName
    self.parameters = parameters
  }
}
