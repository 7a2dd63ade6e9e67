import NNFormat

/// What QuantizeLinear of a node is: types, axis and rounding.
struct QuantizeOptions: Sendable {
  let inputType: ElementType
  let outputType: ElementType
  let operands: ScaleOperands
  let axis: Int
  let blockSize: Int
  /// The float type to which quotients are rounded.
  let precision: ElementType
  /// Whether values beyond a small float type become its largest number.
  let saturates: Bool
}

/// The quotients x / scale of a tensor, float32 line by line, ready to become codes.
private struct Quotients: Sendable {
  let layout: ScaleLayout
  let count: Int
  let place: ScaleOperands.Place
  /// float32 forms of elements of another type.
  let widened: ScratchBlock<Float>
  let options: QuantizeOptions
  let scratchByteCount: Int

  init(_ inputs: StepInputs, _ options: QuantizeOptions) throws(EngineError) {
    let shape = try inputs.shape(0)
    layout = try ScaleLayout(
      data: shape, scale: inputs.shape(1), axis: options.axis, blockSize: options.blockSize)
    count = try Extents.count(shape)
    var scratch = ScratchLayout()
    place = try options.operands.resolve(inputs, &scratch)
    widened = try scratch.reserve(Float.self, options.inputType == .float32 ? 0 : count)
    scratchByteCount = scratch.byteCount
    self.options = options
  }

  /// Reads the operands; the elements as float32.
  func elements(_ memory: StepMemory) -> UnsafePointer<Float> {
    options.operands.read(place, memory)
    guard options.inputType != .float32 else { return unsafe memory.input(0).assumingMemoryBound(to: Float.self) }
    unsafe OperandReading.floats(
      memory.input(0), options.inputType, count: count, into: widened.pointer(in: memory))
    return unsafe UnsafePointer(widened.pointer(in: memory))
  }
}

/// x / scale, rounded to the nearest integer with ties to even, plus the zero point, within the range of the type.
struct QuantizeStep<Code: FixedWidthInteger & TensorScalar>: Step {
  let options: QuantizeOptions
  let range: IntegerRange

  var outputTypes: [ElementType] { [options.outputType] }
  var kernel: String { "quantise" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let quotients = try Quotients(inputs, options)
    let (range, precision, count) = (range, options.precision, quotients.count)
    return Work([try inputs.shape(0)], scratchByteCount: quotients.scratchByteCount) { (memory) throws(EngineError) in
      let x = unsafe quotients.elements(memory)
      let scales = unsafe quotients.place.scales.pointer(in: memory)
      let zeros = unsafe quotients.place.zeros.pointer(in: memory)
      let y = unsafe memory.output(0).assumingMemoryBound(to: Code.self)
      if precision == .float32, MemoryLayout<Code>.size == 1, quotients.place.count == 1 {
        unsafe CodeFunctions.quantise(
          x, count: count, scale: scales[0], zero: zeros[0], lowest: range.lowest, highest: range.highest,
          into: memory.output(0).assumingMemoryBound(to: UInt8.self), pool: memory.pool)
        return
      }
      quotients.layout.forEachLine(count, memory.pool) { line in
        let (x, y) = unsafe (x + line.start, y + line.start)
        let (scales, zeros) = unsafe (scales + line.scale, zeros + line.scale)
        if precision != .float32 {
          for index in 0..<line.count {
            let parameter = index &* line.scaleStride
            let quotient = unsafe OperandReading.rounded(x[index] / scales[parameter], to: precision)
            unsafe y[index] = Code(truncatingIfNeeded: range.quantised(quotient, zero: zeros[parameter]))
          }
        } else if line.scaleStride == 0 {
          let (scale, zero) = unsafe (scales[0], zeros[0])
          for index in 0..<line.count {
            unsafe y[index] = Code(truncatingIfNeeded: range.quantised(x[index] / scale, zero: zero))
          }
        } else {
          for index in 0..<line.count {
            unsafe y[index] = Code(truncatingIfNeeded: range.quantised(x[index] / scales[index], zero: zeros[index]))
          }
        }
      }
    }
  }
}

/// x / scale as the nearest value of a small float type.
struct QuantizeFloatStep: Step {
  let options: QuantizeOptions
  let format: SmallFloat
  let kernel = "quantise float"

  var outputTypes: [ElementType] { [options.outputType] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let quotients = try Quotients(inputs, options)
    let (options, format, count) = (options, format, quotients.count)
    return Work([try inputs.shape(0)], scratchByteCount: quotients.scratchByteCount) { (memory) throws(EngineError) in
      let x = unsafe quotients.elements(memory)
      let scales = unsafe quotients.place.scales.pointer(in: memory)
      let y = unsafe memory.output(0).assumingMemoryBound(to: UInt8.self)
      quotients.layout.forEachLine(count * 8, memory.pool) { line in
        for index in 0..<line.count {
          let scale = unsafe scales[line.scale + index * line.scaleStride]
          let quotient = unsafe OperandReading.rounded(x[line.start + index] / scale, to: options.precision)
          unsafe y[line.start + index] = format.encode(Double(quotient), saturates: options.saturates)
        }
      }
    }
  }
}
