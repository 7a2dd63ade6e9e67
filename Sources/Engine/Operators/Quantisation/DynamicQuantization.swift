import NNFormat

/// Scale and zero point of a tensor from its own range, as DynamicQuantizeLinear defines them for uint8.
struct DynamicQuantization: Sendable {
  let scale: Float
  let zero: Int32
  private static let range = IntegerRange.uint8

  /// The range of `count` values, zero included.
  init(_ x: UnsafePointer<Float>, count: Int, pool: ThreadPool) {
    self.init(range: unsafe CodeFunctions.range(x, count: count, pool: pool))
  }

  /// A range that holds zero.
  init(range: (lowest: Float, highest: Float)) {
    let (lowest, highest) = range
    scale = highest == lowest ? 1 : (highest - lowest) / 255
    zero = Self.range.rounded(0 - lowest / scale)
  }

  /// Writes the codes of `count` values.
  func write(_ x: UnsafePointer<Float>, count: Int, into y: UnsafeMutablePointer<UInt8>, pool: ThreadPool) {
    unsafe CodeFunctions.quantise(
      x, count: count, scale: scale, zero: zero, lowest: Self.range.lowest, highest: Self.range.highest, into: y,
      pool: pool)
  }
}

extension IntegerRange {
  static let uint8 = IntegerRange(lowest: 0, highest: 255)
  static let int8 = IntegerRange(lowest: -128, highest: 127)

  private init(lowest: Int32, highest: Int32) {
    self.lowest = lowest
    self.highest = highest
  }
}

/// Codes, scale and zero point of a float32 tensor.
struct DynamicQuantizeStep: Step {
  let outputTypes: [ElementType] = [.uint8, .float32, .uint8]
  let kernel = "quantise dynamically"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    return Work([shape, [], []]) { (memory) throws(EngineError) in
      let x = unsafe memory.input(0).assumingMemoryBound(to: Float.self)
      let quantization = unsafe DynamicQuantization(x, count: count, pool: memory.pool)
      if let codes = unsafe memory.optionalOutput(0) {
        let y = unsafe codes.assumingMemoryBound(to: UInt8.self)
        unsafe quantization.write(x, count: count, into: y, pool: memory.pool)
      }
      if let scale = unsafe memory.optionalOutput(1) { unsafe scale.storeBytes(of: quantization.scale, as: Float.self) }
      if let zero = unsafe memory.optionalOutput(2) {
        unsafe zero.storeBytes(of: UInt8(truncatingIfNeeded: quantization.zero), as: UInt8.self)
      }
    }
  }
}
