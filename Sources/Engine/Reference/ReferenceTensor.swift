import NNFormat

/// A value of the reference interpreter: every number as a double, whatever its element type.
///
/// Integers beyond 2^53 lose their low bits; the interpreter is an oracle for tests, not for such models.
package struct ReferenceTensor {
  package var elementType: ElementType
  package var shape: [Int]
  package var values: [Double]

  package init(_ elementType: ElementType, _ shape: [Int], _ values: [Double]) {
    self.elementType = elementType
    self.shape = shape
    self.values = values.map { ReferenceTensor.rounded($0, to: elementType) }
  }

  /// Reads a tensor.
  package init(_ tensor: Tensor) throws(EngineError) {
    elementType = tensor.elementType
    shape = tensor.shape
    do throws(FormatError) {
      switch tensor.elementType {
      case .float32: values = try tensor.elements(as: Float.self).map { Double($0) }
      case .float64: values = try tensor.elements(as: Double.self)
      case .int8: values = try tensor.elements(as: Int8.self).map { Double($0) }
      case .int16: values = try tensor.elements(as: Int16.self).map { Double($0) }
      case .int32: values = try tensor.elements(as: Int32.self).map { Double($0) }
      case .int64: values = try tensor.elements(as: Int64.self).map { Double($0) }
      case .uint8: values = try tensor.elements(as: UInt8.self).map { Double($0) }
      case .uint16: values = try tensor.elements(as: UInt16.self).map { Double($0) }
      case .uint32: values = try tensor.elements(as: UInt32.self).map { Double($0) }
      case .uint64: values = try tensor.elements(as: UInt64.self).map { Double($0) }
      case .bool: values = try unsafe tensor.withBytes { bytes in unsafe bytes.map { $0 == 0 ? 0 : 1 } }
      case .float16:
        values = try ReferenceTensor.patterns(tensor).map { Double(Float16(bitPattern: $0)) }
      case .bfloat16:
        values = try ReferenceTensor.patterns(tensor).map { Double(Float(bitPattern: UInt32($0) << 16)) }
      default: values = try tensor.doubles()
      }
    } catch {
      throw EngineError(.unsupported, error.message)
    }
  }

  private static func patterns(_ tensor: Tensor) throws(FormatError) -> [UInt16] {
    try unsafe tensor.withBytes { bytes in
      (0..<tensor.count).map { unsafe bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self) }
    }
  }

  /// Writes a tensor of the same type.
  package func tensor() throws(EngineError) -> Tensor {
    switch elementType {
    case .float32: return Tensor(values.map { Float($0) }, shape: shape)
    case .float64: return Tensor(values, shape: shape)
    case .int8: return Tensor(values.map { Int8($0) }, shape: shape)
    case .int16: return Tensor(values.map { Int16($0) }, shape: shape)
    case .int32: return Tensor(values.map { Int32($0) }, shape: shape)
    case .int64: return Tensor(values.map { Int64($0) }, shape: shape)
    case .uint8: return Tensor(values.map { UInt8($0) }, shape: shape)
    case .uint16: return Tensor(values.map { UInt16($0) }, shape: shape)
    case .uint32: return Tensor(values.map { UInt32($0) }, shape: shape)
    case .uint64: return Tensor(values.map { UInt64($0) }, shape: shape)
    case .bool: return Tensor(values.map { $0 != 0 }, shape: shape)
    case .float16, .bfloat16:
      let bits = values.map { value in
        elementType == .float16 ? Float16(value).bitPattern : Float(value).bfloat16Bits
      }
      do {
        return try Tensor(elementType: elementType, shape: shape, storage: .owned(AlignedBytes(copying: bits)))
      } catch {
        throw EngineError(.unsupported, error.message)
      }
    default:
      do {
        return try Tensor(values, shape: shape).converted(to: elementType)
      } catch {
        throw EngineError(.unsupported, error.message)
      }
    }
  }

  /// The nearest value that the type can hold.
  private static func rounded(_ value: Double, to type: ElementType) -> Double {
    switch type {
    case .float32: Double(Float(value))
    case .float16: Double(Float16(value))
    case .bfloat16: Double(Float(bitPattern: UInt32(Float(value).bfloat16Bits) << 16))
    default: SmallFloat.format(of: type).map { Double($0.values[Int($0.encode(value, saturates: true))]) } ?? value
    }
  }

  /// The element at a multi-index.
  package func at(_ index: [Int]) -> Double { values[offset(index)] }

  package func offset(_ index: [Int]) -> Int { zip(shape, index).reduce(0) { $0 * $1.0 + $1.1 } }

  /// The element at a multi-index of a shape that this one broadcasts to.
  package func broadcastAt(_ index: [Int]) -> Double {
    at(zip(shape, index.suffix(shape.count)).map { $0 == 1 ? 0 : $1 })
  }

  package var ints: [Int] { values.map { Int($0) } }

  /// All multi-indices of a shape, in row-major order.
  package static func indices(_ shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { prefixes, extent in prefixes.flatMap { prefix in (0..<extent).map { prefix + [$0] } } }
  }

  /// A value computed element by element.
  package static func build(_ type: ElementType, _ shape: [Int], _ element: ([Int]) -> Double) -> ReferenceTensor {
    ReferenceTensor(type, shape, indices(shape).map(element))
  }
}
