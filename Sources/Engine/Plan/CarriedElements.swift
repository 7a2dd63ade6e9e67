import NNFormat

/// The border between tensors and the engine: packed elements are spread and joined, strings become addresses and bytes
/// again.
package enum CarriedElements {
  /// Whether elements lie in a tensor as they do inside of the engine.
  package static func areDense(_ type: ElementType) -> Bool { type != .string && !PackedElements.isPacked(type) }

  /// The carried form of a tensor whose elements are packed or strings; strings and their addresses share the block.
  ///
  /// - Throws: `FormatError` when the elements cannot be read.
  package static func carry(_ tensor: Tensor) throws(FormatError) -> AlignedBytes {
    let count = tensor.count
    if case .strings(let strings) = tensor.storage { return try carry(strings) }
    return try unsafe tensor.withBytes { (source) throws(FormatError) in
      try unsafe AlignedBytes(count: count) { target in
        unsafe PackedElements.unpack(source, tensor.elementType, count: count, into: target)
      }
    }
  }

  private static func carry(_ strings: [[UInt8]]) throws(FormatError) -> AlignedBytes {
    let width = MemoryLayout<StringElement>.size
    let byteCount = strings.reduce(strings.count * width) { $0 + StringElement.recordByteCount($1.count) }
    return try unsafe AlignedBytes(count: byteCount) { block in
      guard let base = block.baseAddress else { return }
      var record = strings.count * width
      for (index, string) in strings.enumerated() where !string.isEmpty {
        let element = unsafe string.withUnsafeBytes { unsafe StringElement($0, record: base + record) }
        unsafe base.storeBytes(of: element, toByteOffset: index * width, as: StringElement.self)
        record += StringElement.recordByteCount(string.count)
      }
    }
  }

  /// The tensor of carried elements, which are copied only where they are packed or strings.
  ///
  /// - Throws: `EngineError` when there are not as many as the shape says.
  package static func tensor(
    _ type: ElementType, _ shape: [Int], _ carried: AlignedBytes
  ) throws(EngineError) -> Tensor {
    do throws(FormatError) {
      if areDense(type) { return try Tensor(elementType: type, shape: shape, storage: .owned(carried)) }
      guard let count = checkedProduct(shape), let needed = type.carriedByteCount(of: count), carried.count >= needed,
        let packed = type == .string ? 0 : type.byteCount(of: count)
      else { throw FormatError(.mismatch, "\(carried.count) bytes do not hold \(type.name)\(shape)") }
      let storage: TensorStorage = try unsafe carried.withBytes { (source) throws(FormatError) in
        if type == .string {
          return .strings(
            (0..<count).map { index in
              unsafe source.load(fromByteOffset: index * type.carriedWidth, as: StringElement.self).bytes
            })
        }
        return .owned(
          try unsafe AlignedBytes(count: packed) { target in
            unsafe PackedElements.pack(source, type, count: count, into: target)
          })
      }
      return try Tensor(elementType: type, shape: shape, storage: storage)
    } catch {
      throw EngineError(.invalidGraph, error.message)
    }
  }
}
