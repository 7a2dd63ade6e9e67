typealias AttributeKind = AttributeRule.Kind

extension AttributeRule.Kind {
  /// Numbers of `AttributeProto.AttributeType`.
  private static let protobufTypes: [(kind: Self, number: Int)] = [
    (.float, 1), (.int, 2), (.string, 3), (.tensor, 4), (.graph, 5), (.floats, 6), (.ints, 7), (.strings, 8),
    (.tensors, 9), (.graphs, 10), (.sparseTensor, 11), (.sparseTensors, 12), (.type, 13), (.types, 14),
  ]

  init?(protobufType: Int) {
    guard let row = Self.protobufTypes.first(where: { $0.number == protobufType }) else { return nil }
    self = row.kind
  }

  var protobufType: Int { Self.protobufTypes.first { $0.kind == self }?.number ?? 0 }

  /// What stands for the value of an attribute that a function's caller supplies.
  var emptyValue: AttributeValue {
    let tensor = Tensor([Float]())
    return switch self {
    case .float: .float(0)
    case .int: .int(0)
    case .string: .string([])
    case .tensor: .tensor(tensor)
    case .graph: .graph(Graph())
    case .sparseTensor: .sparseTensor(SparseTensor(values: tensor, indices: Tensor([Int64]()), shape: [0]))
    case .type: .type(.tensor(.float32, nil))
    case .floats: .floats([])
    case .ints: .ints([])
    case .strings: .strings([])
    case .tensors: .tensors([])
    case .graphs: .graphs([])
    case .sparseTensors: .sparseTensors([])
    case .types: .types([])
    }
  }
}
