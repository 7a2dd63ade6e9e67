/// The version of one operator set that a model uses.
public struct OperatorSetImport: Sendable, Hashable {
  /// Empty for the standard set.
  public var domain: String
  /// The set's version.
  public var version: Int
  /// Plays no part in equality.
  public var unknownFields = UnknownFields()

  /// A version of an operator set.
  public init(domain: String = "", version: Int) {
    self.domain = domain
    self.version = version
  }

  /// Whether domain and version are equal.
  public static func == (left: OperatorSetImport, right: OperatorSetImport) -> Bool {
    left.domain == right.domain && left.version == right.version
  }

  /// Hashes what `==` compares.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(domain)
    hasher.combine(version)
  }
}

/// A training step: graphs that give state its first value and its next one.
public struct TrainingInfo: Sendable {
  /// Gives the state its first value.
  public var initialization: Graph?
  /// Computes the next value of the state.
  public var algorithm: Graph?
  /// Initializer names to outputs of `initialization`.
  public var initializationBindings: TextDictionary = [:]
  /// Initializer names to outputs of `algorithm`.
  public var updateBindings: TextDictionary = [:]
  /// What the file says beyond the other properties.
  public var unknownFields = UnknownFields()

  /// A step without graphs.
  public init() {}
}

/// A model-local function: an operator defined by a graph of others.
public struct Function: Sendable {
  /// The operator that calls the function.
  public var name: String
  /// The operator set the function or model belongs to.
  public var domain: String
  /// Tells functions of one name apart.
  public var overload: String
  /// Names of the arguments inside of the body.
  public var inputs: [String]
  /// Names of the results inside of the body.
  public var outputs: [String]
  /// Names of attributes that a call must give.
  public var attributeNames: [String]
  /// Attributes that a call may give, with their defaults.
  public var attributes: [Attribute]
  /// The body.
  public var nodes: [Node]
  /// The operator sets in use.
  public var operatorSets: [OperatorSetImport]
  /// Types of values in the body, as far as they are stated.
  public var valueInfo: [Value]
  /// A text for people.
  public var docString: String
  /// Entries for programs and people.
  public var metadata: TextDictionary
  /// What the file says beyond the other properties.
  public var unknownFields: UnknownFields

  /// A function without attributes.
  public init(name: String, domain: String, inputs: [String], outputs: [String], nodes: [Node]) {
    self.name = name
    self.domain = domain
    self.inputs = inputs
    self.outputs = outputs
    self.nodes = nodes
    overload = ""
    attributeNames = []
    attributes = []
    operatorSets = []
    valueInfo = []
    docString = ""
    metadata = [:]
    unknownFields = UnknownFields()
  }
}

/// The faithful image of an ONNX model, and the one neutral form that every network takes on its way to the engine.
public struct Model: Sendable {
  /// The version of the file format.
  public var irVersion: Int
  /// The operator sets in use.
  public var operatorSets: [OperatorSetImport]
  /// The program that wrote the model.
  public var producerName: String
  /// That program's version.
  public var producerVersion: String
  /// The operator set the function or model belongs to.
  public var domain: String
  /// The model's own version.
  public var modelVersion: Int
  /// A text for people.
  public var docString: String
  /// The network.
  public var graph: Graph
  /// Operators that the model defines itself.
  public var functions: [Function]
  /// Training steps.
  public var trainingInfo: [TrainingInfo]
  /// Entries for programs and people.
  public var metadata: TextDictionary
  /// What the file says beyond the other properties.
  public var unknownFields: UnknownFields

  /// A model of a graph.
  public init(graph: Graph, operatorSets: [OperatorSetImport], irVersion: Int) {
    self.graph = graph
    self.operatorSets = operatorSets
    self.irVersion = irVersion
    producerName = ""
    producerVersion = ""
    domain = ""
    modelVersion = 0
    docString = ""
    functions = []
    trainingInfo = []
    metadata = [:]
    unknownFields = UnknownFields()
  }

  /// The version of an operator set that the model imports; the standard set is also known as `ai.onnx`.
  public func operatorSetVersion(domain: String = "") -> Int? {
    let isStandard = domain.isEmpty || domain == "ai.onnx"
    return operatorSets.first {
      isStandard ? ($0.domain.isEmpty || $0.domain == "ai.onnx") : $0.domain == domain
    }?.version
  }
}
