import NNFormat

/// A string inside of the engine: the address of its record, the number of its bytes and then the bytes. Address 0 is the
/// empty string.
///
/// A record lives as long as the constant, the input or the `StringArena` that holds it. Two strings are equal when their
/// bytes are, wherever they lie.
@safe package struct StringElement: TensorScalar, Hashable {
  package static var elementType: ElementType { .string }

  private let address: UInt

  /// The empty string.
  package init() { address = 0 }

  /// Writes a record and gives its element.
  ///
  /// - Precondition: `record` is aligned to 8 and has `recordByteCount(bytes.count)` bytes.
  package init(_ bytes: UnsafeRawBufferPointer, record: UnsafeMutableRawPointer) {
    unsafe record.storeBytes(of: bytes.count, as: Int.self)
    if let source = bytes.baseAddress {
      unsafe (record + MemoryLayout<Int>.size).copyMemory(from: source, byteCount: bytes.count)
    }
    address = UInt(bitPattern: record)
  }

  /// Room for a record of so many bytes, a multiple of 8.
  package static func recordByteCount(_ count: Int) -> Int { (count + 7) & ~7 + MemoryLayout<Int>.size }

  /// Calls `body` with the bytes.
  @inline(__always)
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    guard let record = unsafe UnsafeRawPointer(bitPattern: address) else {
      return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
    return unsafe body(
      UnsafeRawBufferPointer(start: record + MemoryLayout<Int>.size, count: record.load(as: Int.self)))
  }

  /// A copy of the bytes.
  package var bytes: [UInt8] { unsafe withBytes { unsafe [UInt8]($0) } }

  /// The bytes as text; what is no UTF-8 is replaced.
  package var text: String { unsafe withBytes { unsafe String(decoding: $0, as: UTF8.self) } }

  package static func == (left: StringElement, right: StringElement) -> Bool {
    if left.address == right.address { return true }
    return unsafe left.withBytes { own in
      unsafe right.withBytes { other in unsafe own.count == other.count && own.elementsEqual(other) }
    }
  }

  package func hash(into hasher: inout Hasher) { unsafe withBytes { unsafe hasher.combine(bytes: $0) } }
}

/// Strings that steps make during a run; they live until the next run of the same context. Not safe to share between
/// threads.
@safe package final class StringArena {
  private var blocks: [RawMemory] = []
  private var used = 0

  private static let blockByteCount = 1 << 16

  package init() {}

  /// A string of these bytes.
  ///
  /// - Throws: `EngineError` when the system has no memory for it.
  package func add(_ bytes: some Collection<UInt8>) throws(EngineError) -> StringElement {
    guard !bytes.isEmpty else { return StringElement() }
    let needed = StringElement.recordByteCount(bytes.count)
    if blocks.last.map({ $0.capacity - used < needed }) ?? true {
      blocks.append(try RawMemory(byteCount: max(needed, StringArena.blockByteCount)))
      used = 0
    }
    guard let block = blocks.last else { return StringElement() }
    defer { used += needed }
    let record = unsafe block.base + used
    return unsafe Array(bytes).withUnsafeBytes { unsafe StringElement($0, record: record) }
  }

  /// Forgets all strings; one block is kept for the next run.
  package func removeAll() {
    guard !blocks.isEmpty else { return }
    if blocks.count > 1 { blocks.removeSubrange(1...) }
    used = 0
  }
}
