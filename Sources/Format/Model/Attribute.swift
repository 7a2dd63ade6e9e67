/// A named constant parameter of a node.
public struct Attribute: Sendable {
  /// The name the operator knows the attribute by.
  public var name: String
  /// The value with its kind.
  public var value: AttributeValue
  /// A text for people.
  public var docString: String
  /// In a function body: the name of the function's attribute that supplies the value; empty otherwise. When it is set,
  /// only the kind of `value` counts.
  public var referencedName: String
  /// What the file says beyond the other properties.
  public var unknownFields: UnknownFields

  /// An attribute with a value.
  public init(_ name: String, _ value: AttributeValue, docString: String = "") {
    self.name = name
    self.value = value
    self.docString = docString
    referencedName = ""
    unknownFields = UnknownFields()
  }
}

/// The value of an attribute, one case for each kind of ONNX `AttributeProto`.
public indirect enum AttributeValue: Sendable {
  case float(Float)
  case int(Int64)
  /// Bytes, UTF-8 by convention.
  case string([UInt8])
  case tensor(Tensor)
  case graph(Graph)
  case sparseTensor(SparseTensor)
  case type(ValueType)
  case floats([Float])
  case ints([Int64])
  case strings([[UInt8]])
  case tensors([Tensor])
  case graphs([Graph])
  case sparseTensors([SparseTensor])
  case types([ValueType])

  /// A string attribute from text.
  public static func text(_ text: String) -> AttributeValue { .string(Array(text.utf8)) }
}

/// A tensor in coordinate form: values and their positions.
public struct SparseTensor: Sendable {
  /// The value with its kind.
  public var values: Tensor
  /// Their positions: linear, or one row of coordinates each.
  public var indices: Tensor
  /// Extents of the tensor that is stood for.
  public var shape: [Int]
  /// What the file says beyond the other properties.
  public var unknownFields = UnknownFields()

  /// A sparse tensor from its parts.
  public init(values: Tensor, indices: Tensor, shape: [Int]) {
    self.values = values
    self.indices = indices
    self.shape = shape
  }
}
