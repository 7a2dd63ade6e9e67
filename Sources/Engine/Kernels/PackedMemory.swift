import Glibc

/// Memory for packed weights, on a 64-byte boundary, on huge pages where it pays.
///
/// `@unchecked Sendable`: its owner writes it before it is shared, and nobody afterwards.
@safe final class PackedMemory: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  /// - Throws: `EngineError` of kind `shapeMismatch` when the system has no such block.
  init(byteCount: Int) throws(EngineError) {
    self.byteCount = byteCount
    unsafe base = try RawMemory.allocate(max(byteCount, 1))
  }

  deinit { unsafe free(base) }

  /// A copy of values, `fill` behind them up to whole vectors of 16.
  convenience init<Value: BitwiseCopyable>(columns values: [Value], fill: Value) throws(EngineError) {
    let count = (values.count + 15) / 16 * 16
    try self.init(byteCount: count * MemoryLayout<Value>.stride)
    let target = unsafe base.bindMemory(to: Value.self, capacity: count)
    for index in 0..<count {
      let value = index < values.count ? values[index] : fill
      unsafe target[index] = value
    }
  }

  func pointer<Value>(_: Value.Type) -> UnsafePointer<Value> {
    unsafe UnsafePointer(base.assumingMemoryBound(to: Value.self))
  }
}

/// One value a column as the kernels read them.
package struct ColumnValues<Value: BitwiseCopyable & Sendable>: Sendable {
  private let memory: PackedMemory

  package init(_ values: [Value], fill: Value) throws(EngineError) {
    memory = try PackedMemory(columns: values, fill: fill)
  }

  package var base: UnsafePointer<Value> { unsafe memory.pointer(Value.self) }
  package var byteCount: Int { memory.byteCount }
}
