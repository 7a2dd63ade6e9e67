/// Elements of less than 8 bits. In a tensor they share bytes, low bits first; unpacked, each takes a byte of its own:
/// signed integers with their sign, everything else as its bits.
package enum PackedElements {
  /// Whether elements of a type share bytes.
  package static func isPacked(_ type: ElementType) -> Bool { type.bitWidth.map { $0 < 8 } ?? false }

  /// Spreads `count` elements.
  ///
  /// - Precondition: `source` holds them all, `target` has `count` bytes.
  package static func unpack(
    _ source: UnsafeRawBufferPointer, _ type: ElementType, count: Int, into target: UnsafeMutableRawBufferPointer
  ) {
    for index in 0..<count { unsafe target[index] = unsafe element(index, of: source, type) }
  }

  /// Joins `count` elements, of each of which only the low bits count.
  ///
  /// - Precondition: `source` has `count` bytes, `target` has room and holds zeros.
  package static func pack(
    _ source: UnsafeRawBufferPointer, _ type: ElementType, count: Int, into target: UnsafeMutableRawBufferPointer
  ) {
    for index in 0..<count { unsafe store(source[index], as: type, in: target, at: index) }
  }

  /// One element.
  @inline(__always)
  package static func element(_ index: Int, of bytes: UnsafeRawBufferPointer, _ type: ElementType) -> UInt8 {
    let width = type.bitWidth ?? 8
    let (byte, shift) = place(of: index, width)
    var bits = unsafe bytes[byte] >> shift
    if shift + width > 8 { unsafe bits |= bytes[byte + 1] << (8 - shift) }
    guard type == .int4 || type == .int2 else { return bits & UInt8(truncatingIfNeeded: 1 << width - 1) }
    return UInt8(bitPattern: Int8(bitPattern: bits << (8 - width)) >> (8 - width))
  }

  /// Adds one element to bytes that hold zeros in its place.
  @inline(__always)
  package static func store(
    _ element: UInt8, as type: ElementType, in bytes: UnsafeMutableRawBufferPointer, at index: Int
  ) {
    let width = type.bitWidth ?? 8
    let (byte, shift) = place(of: index, width)
    let bits = element & UInt8(truncatingIfNeeded: 1 << width - 1)
    unsafe bytes[byte] |= bits << shift
    if shift + width > 8 { unsafe bytes[byte + 1] |= bits >> (8 - shift) }
  }

  /// The byte where an element starts, and the bits before it. Multiplying the index itself could overflow.
  @inline(__always)
  private static func place(of index: Int, _ width: Int) -> (byte: Int, shift: Int) {
    let bit = index % 8 * width
    return (index / 8 * width + bit / 8, bit % 8)
  }

  /// `count` elements of an array of bytes that holds them all.
  package static func unpacked(_ bytes: [UInt8], _ type: ElementType, count: Int) -> [UInt8] {
    var elements = [UInt8](repeating: 0, count: count)
    unsafe bytes.withUnsafeBytes { source in
      unsafe elements.withUnsafeMutableBytes { target in unsafe unpack(source, type, count: count, into: target) }
    }
    return elements
  }

  /// The bytes of a tensor of these elements.
  package static func packed(_ elements: [UInt8], _ type: ElementType) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: type.byteCount(of: elements.count) ?? 0)
    unsafe elements.withUnsafeBytes { source in
      unsafe bytes.withUnsafeMutableBytes { target in
        unsafe pack(source, type, count: elements.count, into: target)
      }
    }
    return bytes
  }
}
