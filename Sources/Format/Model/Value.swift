/// The type of a value that flows through a graph.
public indirect enum ValueType: Sendable, Hashable {
  case tensor(ElementType, Shape?)
  case sparseTensor(ElementType, Shape?)
  case sequence(ValueType)
  case optional(ValueType)
  case map(key: ElementType, value: ValueType)
}

/// A named value of a graph: an input, an output or an intermediate result, with what is known of its type.
public struct Value: Sendable {
  /// The name that nodes refer to.
  public var name: String
  /// What is stated of the type.
  public var type: ValueType?
  /// A text for people.
  public var docString: String
  /// Entries for programs and people.
  public var metadata: TextDictionary
  /// What the file says beyond the other properties.
  public var unknownFields: UnknownFields

  /// A value from its parts.
  public init(
    name: String, type: ValueType? = nil, docString: String = "", metadata: TextDictionary = [:]
  ) {
    self.name = name
    self.type = type
    self.docString = docString
    self.metadata = metadata
    unknownFields = UnknownFields()
  }

  /// A tensor value.
  public init(name: String, elementType: ElementType, shape: Shape?) {
    self.init(name: name, type: .tensor(elementType, shape))
  }

  /// The element type when the value is a dense tensor.
  public var elementType: ElementType? {
    if case .tensor(let elementType, _) = type { elementType } else { nil }
  }

  /// The shape when the value is a dense tensor of known rank.
  public var shape: Shape? {
    if case .tensor(_, let shape) = type { shape } else { nil }
  }
}
