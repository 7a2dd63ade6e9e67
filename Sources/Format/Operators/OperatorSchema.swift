/// What the standard says of one version of an operator: how many inputs and outputs it takes, which attributes, and
/// how the types and shapes of its outputs follow.
///
/// An operator exists for this library when it has a row here; it runs when the engine has a row for it too.
public struct OperatorSchema: Sendable {
  /// The operator's type as nodes name it, `Gemm`.
  public let name: String
  /// Empty for the standard operator set.
  public let domain: String
  /// The first version of the operator set in which this form holds.
  public let sinceVersion: Int
  /// How many inputs a node may list; omitted optional ones inside the list count.
  public let inputCount: ClosedRange<Int>
  /// How many outputs a node may list.
  public let outputCount: ClosedRange<Int>
  /// The attributes that a node may carry.
  public let attributes: [AttributeRule]
  /// Whether the form is a runtime's own, which other readers of the domain need not know.
  public let isContributed: Bool
  /// Derives output types and shapes; called with every input's type as far as it is known.
  public let infer: InferenceRule

  /// A row of the table.
  public init(
    _ name: String, domain: String = "", since sinceVersion: Int, inputs: ClosedRange<Int>,
    outputs: ClosedRange<Int> = 1...1, attributes: [AttributeRule] = [], isContributed: Bool = false,
    infer: @escaping InferenceRule
  ) {
    self.name = name
    self.domain = domain
    self.sinceVersion = sinceVersion
    inputCount = inputs
    outputCount = outputs
    self.attributes = attributes
    self.isContributed = isContributed
    self.infer = infer
  }
}

/// Derives the outputs of one node from its inputs.
///
/// - Throws: `FormatError` of kind `mismatch` or `malformed` when the node contradicts the standard.
public typealias InferenceRule = @Sendable (inout InferenceContext) throws(FormatError) -> Void

/// One attribute that an operator takes.
public struct AttributeRule: Sendable {
  /// The kind of value an attribute holds.
  public enum Kind: Sendable, Hashable {
    case float, int, string, tensor, graph, sparseTensor, type
    case floats, ints, strings, tensors, graphs, sparseTensors, types
  }

  /// The attribute's name.
  public let name: String
  /// The kind of value that it must have.
  public let kind: Kind
  /// Whether every node must carry it.
  public let isRequired: Bool

  /// A rule for one attribute.
  public init(_ name: String, _ kind: Kind, required isRequired: Bool = false) {
    self.name = name
    self.kind = kind
    self.isRequired = isRequired
  }
}

/// What is known of a value before the network runs.
public struct InferredValue: Sendable, Hashable {
  /// `nil` when the type is not known, or the value is not a tensor.
  public var elementType: ElementType?
  /// `nil` when not even the rank is known.
  public var shape: Shape?
  /// The elements of a small integer vector or scalar that describes a shape, as far as they are known.
  public var contents: [Dimension]?

  /// A value of which nothing is known but what is given.
  public init(elementType: ElementType? = nil, shape: Shape? = nil, contents: [Dimension]? = nil) {
    self.elementType = elementType
    self.shape = shape
    self.contents = contents
  }
}

/// The inputs and outputs of the node whose types are being derived.
public struct InferenceContext: Sendable {
  /// The node itself, for its attributes.
  public let node: Node
  /// The version of the node's operator set that the model imports.
  public let version: Int
  /// One entry for each input of the node; `nil` for an omitted one. No extent is negative.
  public let inputs: [InferredValue?]
  /// One entry for each output of the node, to be filled.
  public var outputs: [InferredValue]

  /// A context in which nothing is known of the outputs yet.
  public init(node: Node, version: Int, inputs: [InferredValue?]) {
    self.node = node
    self.version = version
    self.inputs = inputs.map { $0?.consistent }
    outputs = Array(repeating: InferredValue(), count: node.outputs.count)
  }

  /// The input at `index` when it is given.
  public func input(_ index: Int) -> InferredValue? { index < inputs.count ? inputs[index] : nil }

  /// A contradiction in the node.
  public func mismatch(_ message: String) -> FormatError {
    FormatError(.mismatch, message, at: "node \(node.label)")
  }
}
