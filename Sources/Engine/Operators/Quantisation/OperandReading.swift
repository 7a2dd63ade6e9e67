import NNFormat

/// Reads scales, zero points and data of quantised operators in the types in which these compute.
enum OperandReading {
  /// Whether elements of a type can be read as float32.
  static func readsFloats(_ type: ElementType) -> Bool {
    switch type {
    case .float32, .float16, .bfloat16, .int32, .float8e8m0: true
    default: false
    }
  }

  /// Elements as float32; the type is one of `readsFloats`.
  static func floats(
    _ source: UnsafeRawPointer, _ type: ElementType, count: Int, into target: UnsafeMutablePointer<Float>
  ) {
    switch type {
    case .float32: unsafe target.update(from: source.assumingMemoryBound(to: Float.self), count: count)
    case .float16:
      let bits = unsafe source.assumingMemoryBound(to: UInt16.self)
      for index in 0..<count { unsafe target[index] = Float(Float16(bitPattern: bits[index])) }
    case .bfloat16:
      let bits = unsafe source.assumingMemoryBound(to: UInt16.self)
      for index in 0..<count { unsafe target[index] = Float(bitPattern: UInt32(bits[index]) << 16) }
    case .int32:
      let values = unsafe source.assumingMemoryBound(to: Int32.self)
      for index in 0..<count { unsafe target[index] = Float(values[index]) }
    case .float8e8m0:
      let codes = unsafe source.assumingMemoryBound(to: UInt8.self)
      for index in 0..<count { unsafe target[index] = ScaleExponent.decode(codes[index]) }
    default: break
    }
  }

  /// Carried integers of at most 32 bits; zeros without a source.
  static func integers(
    _ source: UnsafeRawPointer?, _ type: ElementType, count: Int, into target: UnsafeMutablePointer<Int32>
  ) {
    guard let source = unsafe source else {
      for index in 0..<count { unsafe target[index] = 0 }
      return
    }
    func read<Code: FixedWidthInteger>(_: Code.Type) {
      let codes = unsafe source.assumingMemoryBound(to: Code.self)
      for index in 0..<count { unsafe target[index] = Int32(truncatingIfNeeded: codes[index]) }
    }
    switch type.carrier {
    case .int8: read(Int8.self)
    case .int16: read(Int16.self)
    case .uint16: read(UInt16.self)
    case .int32: read(Int32.self)
    default: read(UInt8.self)
    }
  }

  /// Writes float32 as another float type of at least 16 bits.
  static func store(
    _ source: UnsafePointer<Float>, as type: ElementType, count: Int, into target: UnsafeMutableRawPointer
  ) {
    let bits = unsafe target.assumingMemoryBound(to: UInt16.self)
    switch type {
    case .float16: for index in 0..<count { unsafe bits[index] = Float16(source[index]).bitPattern }
    case .bfloat16: for index in 0..<count { unsafe bits[index] = source[index].bfloat16Bits }
    default: unsafe target.assumingMemoryBound(to: Float.self).update(from: source, count: count)
    }
  }

  /// The value rounded to what a float type holds.
  @inline(__always)
  static func rounded(_ value: Float, to type: ElementType) -> Float {
    switch type {
    case .float16: Float(Float16(value))
    case .bfloat16: Float(bitPattern: UInt32(value.bfloat16Bits) << 16)
    default: value
    }
  }
}

/// Scales and zero points of one tensor, read into scratch memory at the start of a run.
struct ScaleOperands: Sendable {
  let scaleInput: Int
  let zeroInput: Int?
  let scaleType: ElementType
  let zeroType: ElementType

  struct Place: Sendable {
    let count: Int
    let scales: ScratchBlock<Float>
    let zeros: ScratchBlock<Int32>
  }

  /// - Throws: `EngineError` of kind `shapeMismatch` when there are not as many zero points as scales.
  func resolve(_ inputs: StepInputs, _ scratch: inout ScratchLayout) throws(EngineError) -> Place {
    let count = try inputs.view(scaleInput).count
    if let zeroInput, inputs.has(zeroInput) {
      let zeros = try inputs.view(zeroInput).count
      guard zeros == count else {
        throw EngineError(.shapeMismatch, "there are \(count) scales and \(zeros) zero points")
      }
    }
    return try Place(
      count: count, scales: scratch.reserve(Float.self, count), zeros: scratch.reserve(Int32.self, count))
  }

  func read(_ place: Place, _ memory: StepMemory) {
    unsafe OperandReading.floats(
      memory.input(scaleInput), scaleType, count: place.count, into: place.scales.pointer(in: memory))
    let zeros = unsafe zeroInput.flatMap { unsafe memory.optionalInput($0) }.map { UnsafeRawPointer($0) }
    unsafe OperandReading.integers(zeros, zeroType, count: place.count, into: place.zeros.pointer(in: memory))
  }
}
