/// What a network takes or gives: a tensor, or tensors in an order, or perhaps nothing.
public indirect enum TensorValue: Sendable {
  case tensor(Tensor)
  case sequence([TensorValue])
  /// A value that may be missing.
  case optional(TensorValue?)

  /// The tensor, when the value is one.
  public var tensor: Tensor? { if case .tensor(let tensor) = self { tensor } else { nil } }

  /// Whether the value is of a type. An element type of a sequence is looked for in every element, extents are not compared.
  public func isOf(_ type: ValueType) -> Bool {
    switch (self, type) {
    case (.tensor(let tensor), .tensor(let elementType, _)): tensor.elementType == elementType
    case (.sequence(let elements), .sequence(let type)): elements.allSatisfy { $0.isOf(type) }
    case (.optional(let value), .optional(let type)): value.map { $0.isOf(type) } ?? true
    default: false
    }
  }
}

extension ValueType: CustomStringConvertible {
  /// `float32`, `sequence(float32)`, `optional(sequence(int64))` ...
  public var description: String {
    switch self {
    case .tensor(let elementType, _): elementType.name
    case .sparseTensor(let elementType, _): "sparse(\(elementType.name))"
    case .sequence(let element): "sequence(\(element))"
    case .optional(let element): "optional(\(element))"
    case .map(let key, let value): "map(\(key.name), \(value))"
    }
  }
}
