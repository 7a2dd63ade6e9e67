import NNFormat

/// Makes something for an integer type.
package protocol IntegerVisitor {
  associatedtype Result
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> Result
}

/// Makes something for a float type in which steps compute.
package protocol RealVisitor {
  associatedtype Result
  func visit<T: RealScalar>(_: T.Type) -> Result
}

/// From element types to static Swift types.
package enum ScalarTypes {
  package static func signedInteger<V: IntegerVisitor>(_ type: ElementType, _ visitor: V) -> V.Result? {
    switch type {
    case .int8: visitor.visit(Int8.self)
    case .int16: visitor.visit(Int16.self)
    case .int32: visitor.visit(Int32.self)
    case .int64: visitor.visit(Int64.self)
    default: nil
    }
  }

  package static func integer<V: IntegerVisitor>(_ type: ElementType, _ visitor: V) -> V.Result? {
    switch type {
    case .uint8: visitor.visit(UInt8.self)
    case .uint16: visitor.visit(UInt16.self)
    case .uint32: visitor.visit(UInt32.self)
    case .uint64: visitor.visit(UInt64.self)
    default: signedInteger(type, visitor)
    }
  }

  package static func real<V: RealVisitor>(_ type: ElementType, _ visitor: V) -> V.Result? {
    switch type {
    case .float32: visitor.visit(Float.self)
    case .float64: visitor.visit(Double.self)
    default: nil
    }
  }

  /// A step for any number type, or the error that names node and type.
  package static func numeric<V: IntegerVisitor & RealVisitor>(
    _ type: ElementType, _ visitor: V, _ context: NodeContext
  ) throws(EngineError) -> any Step where V.Result == any Step {
    if let step = real(type, visitor) ?? integer(type, visitor) { return step }
    throw context.unsupported(type)
  }
}
