/// The version of one operator set that a model uses.
public struct OperatorSetImport: Sendable, Hashable {
  /// Empty for the standard set.
  public var domain: String
  public var version: Int
  /// Plays no part in equality.
  public var unknownFields = UnknownFields()

  public init(domain: String = "", version: Int) {
    self.domain = domain
    self.version = version
  }

  public static func == (left: OperatorSetImport, right: OperatorSetImport) -> Bool {
    left.domain == right.domain && left.version == right.version
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(domain)
    hasher.combine(version)
  }
}

/// A training step: graphs that give state its first value and its next one.
public struct TrainingInfo: Sendable {
  public var initialization: Graph?
  public var algorithm: Graph?
  /// Initializer names to outputs of `initialization`.
  public var initializationBindings: TextDictionary = [:]
  /// Initializer names to outputs of `algorithm`.
  public var updateBindings: TextDictionary = [:]
  public var unknownFields = UnknownFields()

  public init() {}
}

/// A model-local function: an operator defined by a graph of others.
public struct Function: Sendable {
  public var name: String
  public var domain: String
  public var overload: String
  public var inputs: [String]
  public var outputs: [String]
  /// Names of attributes that a call must give.
  public var attributeNames: [String]
  /// Attributes that a call may give, with their defaults.
  public var attributes: [Attribute]
  public var nodes: [Node]
  public var operatorSets: [OperatorSetImport]
  public var valueInfo: [Value]
  public var docString: String
  public var metadata: TextDictionary
  public var unknownFields: UnknownFields

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
  public var irVersion: Int
  public var operatorSets: [OperatorSetImport]
  public var producerName: String
  public var producerVersion: String
  public var domain: String
  public var modelVersion: Int
  public var docString: String
  public var graph: Graph
  public var functions: [Function]
  public var trainingInfo: [TrainingInfo]
  public var metadata: TextDictionary
  public var unknownFields: UnknownFields

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
