/// A named constant parameter of a node.
public struct Attribute: Sendable {
  public var name: String
  public var value: AttributeValue
  public var docString: String
  /// In a function body: the name of the function's attribute that supplies the value; empty otherwise. When it is set,
  /// only the kind of `value` counts.
  public var referencedName: String
  public var unknownFields: UnknownFields

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
  public var values: Tensor
  public var indices: Tensor
  public var shape: [Int]
  public var unknownFields = UnknownFields()

  public init(values: Tensor, indices: Tensor, shape: [Int]) {
    self.values = values
    self.indices = indices
    self.shape = shape
  }
}
