/// One operation of a graph. Inputs and outputs are value names; an empty name stands for an omitted optional one.
public struct Node: Sendable {
  /// The name; may be empty.
  public var name: String
  /// The operator.
  public var operatorType: String
  /// The operator set: empty for the standard one (`ai.onnx`).
  public var domain: String
  /// Tells functions of one name apart.
  public var overload: String
  /// Names of the values that are used.
  public var inputs: [String]
  /// Names of the values that are made.
  public var outputs: [String]
  /// Constant parameters.
  public var attributes: [Attribute]
  /// A text for people.
  public var docString: String
  /// Entries for programs and people.
  public var metadata: TextDictionary
  /// What the file says beyond the other properties.
  public var unknownFields: UnknownFields

  /// A node from its parts.
  public init(
    name: String = "", _ operatorType: String, domain: String = "", inputs: [String], outputs: [String],
    attributes: [Attribute] = []
  ) {
    self.name = name
    self.operatorType = operatorType
    self.domain = domain
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
    overload = ""
    docString = ""
    metadata = [:]
    unknownFields = UnknownFields()
  }

  /// The value of an attribute, when the node has it.
  public func attribute(_ name: String) -> AttributeValue? { attributes.first { $0.name == name }?.value }

  /// An integer attribute or its default.
  public func int(_ name: String, default fallback: Int) -> Int {
    if case .int(let value) = attribute(name) { Int(value) } else { fallback }
  }

  /// A float attribute or its default.
  public func float(_ name: String, default fallback: Float) -> Float {
    if case .float(let value) = attribute(name) { value } else { fallback }
  }

  /// A list of integers, when the node has it.
  public func ints(_ name: String) -> [Int]? {
    if case .ints(let values) = attribute(name) { values.map(Int.init) } else { nil }
  }

  /// The element type that an attribute names by its ONNX code, or the default; `nil` for a code that is none.
  package func elementType(_ name: String, default fallback: ElementType) -> ElementType? {
    Int32(exactly: int(name, default: Int(fallback.rawValue))).flatMap(ElementType.init(rawValue:))
  }

  /// A text attribute or its default.
  public func text(_ name: String, default fallback: String) -> String {
    if case .string(let bytes) = attribute(name) { String(decoding: bytes, as: UTF8.self) } else { fallback }
  }

  /// How messages name the node: its name, or its first output when it has none, with its operator.
  public var label: String { "\"\(name.isEmpty ? outputs.first ?? "" : name)\" (\(operatorType))" }
}
