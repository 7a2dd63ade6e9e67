extension InferredValue {
  /// What a constant tells: type, shape and, of a small integer tensor, its elements.
  ///
  /// Elements that cannot be read count as unknown; whoever computes with the tensor reports the failure.
  public init(_ tensor: Tensor) {
    self.init(elementType: tensor.elementType, shape: Shape(tensor.shape))
    guard let count = checkedProduct(tensor.shape), count <= maximumContentsCount else { return }
    contents = tensor.integerElements()
  }

  /// What a value of a graph states. Negative extents and empty names, which some exporters write, count as unknown.
  public init(_ value: Value) {
    guard case .tensor(let elementType, let shape) = value.type else {
      self.init()
      return
    }
    self.init(elementType: elementType, shape: shape)
    self = consistent
  }

  /// The value without what cannot hold: negative extents, empty names, and elements that are not as many as the
  /// shape says.
  var consistent: InferredValue {
    guard let shape else { return self }
    var result = self
    for (axis, dimension) in shape.dimensions.enumerated() {
      switch dimension {
      case .known(let extent) where extent < 0: result.shape?[axis] = .unknown
      case .symbolic(""): result.shape?[axis] = .unknown
      default: break
      }
    }
    if let contents, let count = shape.elementCount, count != contents.count { result.contents = nil }
    return result
  }

  /// The value with gaps filled by what another place says of it. Where the two contradict, this one holds.
  func completed(by other: InferredValue) -> InferredValue {
    var result = self
    result.elementType = elementType ?? other.elementType
    guard let shape else {
      result.shape = other.shape
      return result
    }
    if let stated = other.shape, stated.rank == shape.rank {
      result.shape = Shape(zip(shape.dimensions, stated.dimensions).map { $0 == .unknown ? $1 : $0 })
    }
    return result
  }
}

extension Tensor {
  fileprivate func integerElements() -> [Dimension]? {
    switch elementType {
    case .int64: integers(Int64.self)
    case .int32: integers(Int32.self)
    case .int16: integers(Int16.self)
    case .int8: integers(Int8.self)
    case .uint64: integers(UInt64.self)
    case .uint32: integers(UInt32.self)
    case .uint16: integers(UInt16.self)
    case .uint8: integers(UInt8.self)
    default: nil
    }
  }

  private func integers<Scalar: TensorScalar & FixedWidthInteger>(_: Scalar.Type) -> [Dimension]? {
    guard let elements = try? elements(as: Scalar.self) else { return nil }
    return elements.map { Int(exactly: $0).map(Dimension.known) ?? .unknown }
  }
}
