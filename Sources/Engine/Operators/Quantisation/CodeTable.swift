import NNFormat

/// Scale and zero point of a whole tensor of 8-bit numbers.
struct ByteScaling: Sendable {
  let scale: Float
  let zero: Int32
}

/// The inputs that hold the scale and the zero point of a tensor of 8-bit numbers.
struct ByteScalingInputs: Sendable {
  let scale: Int
  let zero: Int?
  let isSigned: Bool

  /// - Throws: `EngineError` of kind `unsupported` for a scale that is no float32 or a zero point of another type than
  ///   the numbers.
  init(_ context: NodeContext, scale: Int, zero: Int, type: ElementType) throws(EngineError) {
    guard type == .int8 || type == .uint8 else { throw context.unsupported(type) }
    let scaleType = try context.type(scale)
    guard scaleType == .float32 else { throw context.unsupported(scaleType) }
    if context.has(zero) {
      let zeroType = try context.type(zero)
      guard zeroType == type else { throw context.unsupported(zeroType) }
    }
    self.scale = scale
    self.zero = context.has(zero) ? zero : nil
    isSigned = type == .int8
  }

  var range: IntegerRange { isSigned ? .int8 : .uint8 }

  /// - Throws: `EngineError` of kind `shapeMismatch` unless there is one of each.
  func check(_ inputs: StepInputs) throws(EngineError) {
    for input in [scale] + (zero.map { [$0] } ?? []) where try inputs.view(input).count != 1 {
      throw EngineError(.shapeMismatch, "input \(input) is not one value for the whole tensor")
    }
  }

  func read(_ memory: StepMemory) -> ByteScaling {
    var number: Int32 = 0
    if let zero {
      let code = unsafe memory.input(zero).load(as: UInt8.self)
      number = isSigned ? Int32(Int8(bitPattern: code)) : Int32(code)
    }
    return ByteScaling(scale: unsafe memory.input(scale).load(as: Float.self), zero: number)
  }
}

/// The result for each of the 256 numbers that a byte can be.
struct CodeTable {
  private(set) var codes: InlineArray<256, UInt8>

  /// The codes of function(x) for the numbers x that the codes stand for.
  init(
    isSigned: Bool, from source: ByteScaling, to target: ByteScaling, _ function: (Float) -> Float
  ) {
    codes = InlineArray(repeating: 0)
    let range = isSigned ? IntegerRange.int8 : .uint8
    for code in 0..<256 {
      let byte = UInt8(truncatingIfNeeded: code)
      let number = isSigned ? Int32(Int8(bitPattern: byte)) : Int32(byte)
      let value = function(source.scale * Float(number - source.zero))
      codes[code] = UInt8(truncatingIfNeeded: range.quantised(value / target.scale, zero: target.zero))
    }
  }

  func apply(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, count: Int) {
    for index in 0..<count { unsafe target[index] = codes[Int(source[index])] }
  }
}

/// A function of one 8-bit number after another.
struct CodeTableStep: Step {
  let source: ByteScalingInputs
  let target: ByteScalingInputs
  let kernel: String
  let function: @Sendable (Float) -> Float

  var outputTypes: [ElementType] { [source.isSigned ? .int8 : .uint8] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    try source.check(inputs)
    try target.check(inputs)
    let step = self
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      let table = CodeTable(
        isSigned: step.source.isSigned, from: step.source.read(memory), to: step.target.read(memory), step.function)
      unsafe table.apply(
        memory.input(0).assumingMemoryBound(to: UInt8.self), memory.output(0).assumingMemoryBound(to: UInt8.self),
        count: count)
    }
  }
}
