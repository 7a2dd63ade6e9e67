import NNFormat

/// A tensor whose elements lie as the engine carries them, at a fixed address.
///
/// The address is that of the mapped file or of a block in memory, neither of which moves while the constant lives.
@safe package final class Constant: Sendable {
  package let elementType: ElementType
  package let shape: [Int]
  /// The tensor that the constant was made of, with its elements packed; `nil` when it was computed.
  package let original: Tensor?
  /// The first byte, possibly unaligned. `nonisolated(unsafe)` holds because nothing writes to it.
  package nonisolated(unsafe) let base: UnsafeRawPointer
  /// The elements where they do not lie in `original` itself.
  private let carried: AlignedBytes?

  package var count: Int { shape.reduce(1, *) }

  /// Bytes of the elements as the engine carries them.
  package var byteCount: Int { elementType.carriedByteCount(of: count) ?? 0 }

  /// - Throws: `EngineError` of kind `invalidGraph` when the elements cannot be read.
  package init(_ tensor: Tensor) throws(EngineError) {
    var tensor = tensor
    var carried: AlignedBytes?
    var address: UnsafeRawPointer?
    do throws(FormatError) {
      if case .deferred(_, let load) = tensor.storage {
        tensor = try Tensor(elementType: tensor.elementType, shape: tensor.shape, storage: .owned(load()))
      }
      if CarriedElements.areDense(tensor.elementType) {
        unsafe address = try tensor.withBytes { bytes in bytes.baseAddress }
      } else {
        let bytes = try CarriedElements.carry(tensor)
        carried = bytes
        unsafe address = bytes.withBytes { bytes in bytes.baseAddress }
      }
    } catch {
      throw EngineError(.invalidGraph, "a constant cannot be read: \(error.message)")
    }
    elementType = tensor.elementType
    shape = tensor.shape
    original = tensor
    self.carried = carried
    unsafe base = address ?? Constant.nothing
  }

  /// A constant in coordinate form, written out.
  ///
  /// - Throws: `EngineError` of kind `invalidGraph` when its indices do not fit.
  package convenience init(_ sparse: SparseTensor) throws(EngineError) {
    let dense: Tensor
    do throws(FormatError) { dense = try sparse.dense() } catch {
      throw EngineError(.invalidGraph, "a sparse constant cannot be read: \(error.message)")
    }
    try self.init(dense)
  }

  /// A constant over carried elements that were computed.
  ///
  /// - Throws: `EngineError` of kind `invalidGraph` when there are not as many as the shape says.
  package init(elementType: ElementType, shape: [Int], bytes: AlignedBytes) throws(EngineError) {
    var bytes = bytes
    if elementType == .string {
      // The strings of a run do not outlive it.
      let strings = try CarriedElements.tensor(elementType, shape, bytes)
      do throws(FormatError) { bytes = try CarriedElements.carry(strings) } catch {
        throw EngineError(.invalidGraph, error.message)
      }
    }
    guard let count = checkedProduct(shape), let needed = elementType.carriedByteCount(of: count),
      bytes.count >= needed
    else { throw EngineError(.invalidGraph, "\(bytes.count) bytes do not hold \(elementType.name)\(shape)") }
    self.elementType = elementType
    self.shape = shape
    original = nil
    carried = bytes
    unsafe base = bytes.withBytes { bytes in bytes.baseAddress } ?? Constant.nothing
  }

  /// The same elements at an address aligned for their type; a copy only where the file has them unaligned.
  package func aligned() throws(EngineError) -> Constant {
    guard unsafe UInt(bitPattern: base) % UInt(elementType.carriedWidth) != 0 else { return self }
    let byteCount = byteCount
    let bytes = try unsafe AlignedBytes(value: byteCount) { buffer in
      unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(start: base, count: byteCount))
    }
    return try Constant(elementType: elementType, shape: shape, bytes: bytes)
  }

  /// The elements of an integer vector or scalar.
  package var ints: [Int]? {
    let view = unsafe InputView(elementType: elementType, shape: shape, contents: base)
    return try? StepInputs([view]).ints(0)
  }

  /// The elements as doubles, for float types up to 64 bits.
  package var doubles: [Double]? {
    let count = count
    switch elementType {
    case .float32:
      return (0..<count).map { unsafe Double(base.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self)) }
    case .float64:
      return (0..<count).map { unsafe base.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
    case .float16:
      return (0..<count).map { unsafe Double(base.loadUnaligned(fromByteOffset: $0 * 2, as: Float16.self)) }
    case .bfloat16:
      return (0..<count).map { unsafe Double(bfloat16: base.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self)) }
    default: return nil
    }
  }

  /// A valid address for constants without elements.
  private nonisolated(unsafe) static let nothing = UnsafeRawPointer(
    UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))
}

extension Double {
  /// The value of a bfloat16 pattern.
  package init(bfloat16 bits: UInt16) { self = Double(Float(bitPattern: UInt32(bits) << 16)) }
}
