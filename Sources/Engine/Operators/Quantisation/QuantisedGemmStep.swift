import NNFormat

/// QGemm: alpha · a_scale · b_scale · (A' · B' + C) as float32, or quantised where a scale of the result is given.
struct QuantisedGemmStep: Step {
  var product: IntegerMatMul
  let alpha: Float
  let hasOffset: Bool
  let hasScale: Bool
  let hasZero: Bool
  let output: ElementType
  let range: IntegerRange
  let kernel = "integer gemm"

  var outputTypes: [ElementType] { [output] }

  func prepared(_ pool: ThreadPool) throws(EngineError) -> any Step {
    var step = self
    step.product = try product.prepared(pool)
    return step
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (a, b) = (try inputs.shape(0), try inputs.shape(3))
    guard a.count == 2, b.count == 2 else {
      throw EngineError(.shapeMismatch, "QGemm takes matrices, not \(Shape(a)) and \(Shape(b))")
    }
    var scratch = ScratchLayout()
    let leftShape = product.left?.isTransposed == true ? a.reversed() : a
    let work = try product.resolve(leftShape, b, inputs, &scratch)
    let (rows, columns, shape) = (work.stack.rows, work.stack.columns, work.stack.shape)
    let single = hasScale ? [1, 7] + (hasZero ? [8] : []) : [1]
    for input in single where try inputs.view(input).count != 1 {
      throw EngineError(.shapeMismatch, "input \(input) is not one value")
    }
    let scales = try LineParameters(inputs.shape(4), lines: columns, matrices: 1, "scale")
    var offsetStrides = [0, 0]
    if hasOffset {
      let offset = try inputs.shape(6)
      guard try Extents.broadcast([offset, shape]) == shape else {
        throw EngineError(.shapeMismatch, "C of shape \(Shape(offset)) does not broadcast to \(Shape(shape))")
      }
      offsetStrides = Extents.strides(of: offset, in: shape)
    }
    let sums = try scratch.reserve(Int32.self, Extents.count(shape))
    let step = self
    let strides = offsetStrides
    return Work([shape], scratchByteCount: scratch.byteCount, cost: work.cost) { (memory) throws(EngineError) in
      work.readLeft(memory)
      let sums = unsafe sums.pointer(in: memory)
      unsafe work.multiply(memory, into: sums)
      if step.hasOffset {
        let offset = unsafe memory.input(6).assumingMemoryBound(to: Int32.self)
        for row in 0..<rows {
          for column in 0..<columns {
            unsafe sums[row * columns + column] &+= offset[row * strides[0] + column * strides[1]]
          }
        }
      }
      unsafe step.finish(sums, rows, columns, scales, memory)
    }
  }

  private func finish(
    _ sums: UnsafePointer<Int32>, _ rows: Int, _ columns: Int, _ parameters: LineParameters, _ memory: StepMemory
  ) {
    let leftScale = unsafe memory.input(1).load(as: Float.self)
    let scales = unsafe memory.input(4).assumingMemoryBound(to: Float.self)
    if !hasScale {
      let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      for row in 0..<rows {
        for column in 0..<columns {
          let factor = unsafe alpha * leftScale * scales[parameters.index(0, column)]
          unsafe target[row * columns + column] = Float(sums[row * columns + column]) * factor
        }
      }
      return
    }
    let scale = unsafe memory.input(7).load(as: Float.self)
    var zero: Int32 = 0
    unsafe OperandReading.integers(hasZero ? memory.input(8) : nil, output, count: 1, into: &zero)
    let target = unsafe memory.output(0).assumingMemoryBound(to: UInt8.self)
    for row in 0..<rows {
      for column in 0..<columns {
        let factor = unsafe alpha * leftScale * scales[parameters.index(0, column)] / scale
        let value = unsafe Float(sums[row * columns + column]) * factor
        unsafe target[row * columns + column] = UInt8(truncatingIfNeeded: range.quantised(value, zero: zero))
      }
    }
  }
}
