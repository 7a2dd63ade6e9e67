import NNFormat

/// A tensor that stays where it is, with the address of its bytes.
///
/// The address is that of the mapped file or of the owned block, neither of which moves while the tensor lives.
@safe package final class Constant: Sendable {
  package let tensor: Tensor
  /// The first byte, possibly unaligned. `nonisolated(unsafe)` holds because nothing writes to it.
  package nonisolated(unsafe) let base: UnsafeRawPointer

  package var elementType: ElementType { tensor.elementType }
  package var shape: [Int] { tensor.shape }
  package var count: Int { tensor.count }

  /// - Throws: `EngineError` of kind `unsupported` for strings, `invalidGraph` when the bytes cannot be read.
  package init(_ tensor: Tensor) throws(EngineError) {
    var tensor = tensor
    var address: UnsafeRawPointer?
    do throws(FormatError) {
      if case .deferred(_, let load) = tensor.storage {
        tensor = try Tensor(elementType: tensor.elementType, shape: tensor.shape, storage: .owned(load()))
      }
      unsafe address = try tensor.withBytes { bytes in bytes.baseAddress }
    } catch {
      throw EngineError(.invalidGraph, "a constant cannot be read: \(error.message)")
    }
    self.tensor = tensor
    unsafe base = address ?? Constant.nothing
  }

  /// The same elements at an address aligned for their type; a copy only where the file has them unaligned.
  package func aligned() throws(EngineError) -> Constant {
    let alignment = max((elementType.bitWidth ?? 8) / 8, 1)
    guard unsafe UInt(bitPattern: base) % UInt(min(alignment, 8)) != 0 else { return self }
    let byteCount = tensor.byteCount
    let bytes = unsafe AlignedBytes(count: byteCount) { buffer in
      unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(start: base, count: byteCount))
    }
    return try Constant(elementType: elementType, shape: shape, bytes: bytes)
  }

  /// A constant over bytes that were computed.
  package convenience init(elementType: ElementType, shape: [Int], bytes: AlignedBytes) throws(EngineError) {
    do {
      try self.init(Tensor(elementType: elementType, shape: shape, storage: .owned(bytes)))
    } catch let error as FormatError {
      throw EngineError(.invalidGraph, error.message)
    } catch let error as EngineError {
      throw error
    } catch {
      throw EngineError(.invalidGraph, "\(error)")
    }
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
