import NNFormat

/// What DequantizeLinear of a node is: types and axis.
struct DequantizeOptions: Sendable {
  let inputType: ElementType
  let outputType: ElementType
  let operands: ScaleOperands
  let axis: Int
  let blockSize: Int
}

/// The numbers that codes stand for, before scaling: integers less their zero point, or the values of small floats.
protocol CodeReader: Sendable {
  associatedtype Code: BitwiseCopyable
  func value(_ code: Code, zero: Int32) -> Float
}

struct IntegerCodes<Code: FixedWidthInteger & TensorScalar>: CodeReader {
  @inline(__always)
  func value(_ code: Code, zero: Int32) -> Float { Float(Int32(truncatingIfNeeded: code) &- zero) }
}

/// Codes of one byte whose values stand in a table. Zero points of such types are zero.
struct TabulatedCodes: CodeReader {
  let values: [Float]

  @inline(__always)
  func value(_ code: UInt8, zero: Int32) -> Float { values[Int(code)] }
}

/// (x - zero point) · scale.
struct DequantizeStep<Reader: CodeReader>: Step {
  let options: DequantizeOptions
  let reader: Reader
  let kernel = "dequantise"
  /// From 2 bits to 32.
  let foldingGrowth = 32

  var outputTypes: [ElementType] { [options.outputType] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let layout = try ScaleLayout(
      data: shape, scale: inputs.shape(1), axis: options.axis, blockSize: options.blockSize)
    let count = try Extents.count(shape)
    var scratch = ScratchLayout()
    let place = try options.operands.resolve(inputs, &scratch)
    let isWide = options.outputType == .float32
    let wide = try scratch.reserve(Float.self, isWide ? 0 : count)
    let (options, reader) = (options, reader)
    return Work([shape], scratchByteCount: scratch.byteCount) { (memory) throws(EngineError) in
      options.operands.read(place, memory)
      let x = unsafe memory.input(0).assumingMemoryBound(to: Reader.Code.self)
      let scales = unsafe place.scales.pointer(in: memory)
      let zeros = unsafe place.zeros.pointer(in: memory)
      let target = unsafe isWide ? memory.output(0).assumingMemoryBound(to: Float.self) : wide.pointer(in: memory)
      layout.forEachLine(count, memory.pool) { line in
        let (x, y) = unsafe (x + line.start, target + line.start)
        let (scales, zeros) = unsafe (scales + line.scale, zeros + line.scale)
        if line.scaleStride == 0 {
          let (scale, zero) = unsafe (scales[0], zeros[0])
          for index in 0..<line.count { unsafe y[index] = reader.value(x[index], zero: zero) * scale }
        } else {
          for index in 0..<line.count { unsafe y[index] = reader.value(x[index], zero: zeros[index]) * scales[index] }
        }
      }
      if !isWide { unsafe OperandReading.store(target, as: options.outputType, count: count, into: memory.output(0)) }
    }
  }
}
