import NNFormat

/// MatMulInteger: the sums themselves.
struct MatMulIntegerStep: Step {
  var product: IntegerMatMul
  let outputTypes: [ElementType] = [.int32]
  let kernel = "integer gemm"

  func prepared(_ pool: ThreadPool) throws(EngineError) -> any Step {
    MatMulIntegerStep(product: try product.prepared(pool))
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var scratch = ScratchLayout()
    let work = try product.resolve(inputs.shape(0), inputs.shape(1), inputs, &scratch)
    return Work([work.stack.shape], scratchByteCount: scratch.byteCount, cost: work.cost) {
      (memory) throws(EngineError) in
      work.readLeft(memory)
      unsafe work.multiply(memory, into: memory.output(0).assumingMemoryBound(to: Int32.self))
    }
  }
}

/// A product of quantised matrices with floating-point scales, to float32 or to quantised numbers again.
struct ScaledMatMulStep: Step {
  /// The inputs that hold the scales of both sides; those of the left side are absent where it is quantised here.
  struct Scales: Sendable {
    let left: Int?
    let right: Int
    let type: ElementType
  }

  /// What becomes of the scaled sums.
  enum Result: Sendable {
    /// float32, plus one value for each column where an input holds them.
    case float(bias: Int?)
    /// 8-bit numbers of the scale and zero point that two inputs hold.
    case quantised(scale: Int, zero: Int?, type: ElementType, range: IntegerRange)
  }

  var product: IntegerMatMul
  let scales: Scales
  let result: Result

  var outputTypes: [ElementType] {
    switch result {
    case .float: [.float32]
    case .quantised(_, _, let type, _): [type]
    }
  }
  let kernel = "integer gemm"

  func prepared(_ pool: ThreadPool) throws(EngineError) -> any Step {
    ScaledMatMulStep(product: try product.prepared(pool), scales: scales, result: result)
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var scratch = ScratchLayout()
    let (leftShape, rightShape) = (try inputs.shape(0), try inputs.shape(product.right.input))
    let work = try product.resolve(leftShape, rightShape, inputs, &scratch)
    let finish = try ScaledSums(self, work, inputs, &scratch)
    let count = try Extents.count(work.stack.shape)
    let sums = try scratch.reserve(Int32.self, count)
    let isDynamic = product.left == nil
    return Work([work.stack.shape], scratchByteCount: scratch.byteCount, cost: work.cost) {
      (memory) throws(EngineError) in
      var leftScale: Float = 1
      if isDynamic {
        leftScale = unsafe work.quantiseLeft(memory.input(0).assumingMemoryBound(to: Float.self), memory)
      } else {
        work.readLeft(memory)
      }
      let sums = unsafe sums.pointer(in: memory)
      unsafe work.multiply(memory, into: sums)
      unsafe finish.run(sums, leftScale: leftScale, memory)
    }
  }
}

/// Scaling of integer sums, bound to shapes.
private struct ScaledSums: Sendable {
  private let step: ScaledMatMulStep
  private let work: ResolvedIntegerMatMul
  private let left: LineParameters
  private let right: LineParameters
  private let leftScales: ScratchBlock<Float>
  private let rightScales: ScratchBlock<Float>

  init(
    _ step: ScaledMatMulStep, _ work: ResolvedIntegerMatMul, _ inputs: StepInputs, _ scratch: inout ScratchLayout
  ) throws(EngineError) {
    self.step = step
    self.work = work
    let stack = work.stack
    let leftShape = try step.scales.left.map { input throws(EngineError) in try inputs.shape(input) } ?? []
    left = try LineParameters(leftShape, lines: stack.rows, matrices: work.leftMatrices, "scale")
    right = try LineParameters(
      inputs.shape(step.scales.right), lines: stack.columns, matrices: work.rightMatrices, "scale")
    leftScales = try scratch.reserve(Float.self, left.count)
    rightScales = try scratch.reserve(Float.self, right.count)
    switch step.result {
    case .float(let bias):
      guard let bias else { return }
      let shape = try inputs.shape(bias)
      guard shape == [stack.columns] else {
        throw EngineError(.shapeMismatch, "the bias of shape \(Shape(shape)) is not one for each column")
      }
    case .quantised(let scale, let zero, _, _):
      let counts = (
        try inputs.view(scale).count, try zero.map { input throws(EngineError) in try inputs.view(input).count }
      )
      guard counts.0 == 1, counts.1 ?? 1 == 1 else {
        throw EngineError(.shapeMismatch, "the scale and the zero point of the result are not one each")
      }
    }
  }

  func run(_ sums: UnsafePointer<Int32>, leftScale: Float, _ memory: StepMemory) {
    let (leftScales, rightScales) = unsafe (leftScales.pointer(in: memory), rightScales.pointer(in: memory))
    if let input = step.scales.left {
      unsafe OperandReading.floats(memory.input(input), step.scales.type, count: left.count, into: leftScales)
    } else {
      unsafe leftScales[0] = leftScale
    }
    unsafe OperandReading.floats(
      memory.input(step.scales.right), step.scales.type, count: right.count, into: rightScales)
    let (rows, columns) = (work.stack.rows, work.stack.columns)
    switch step.result {
    case .float(let biasInput):
      let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      let bias = unsafe biasInput.map { unsafe memory.input($0).assumingMemoryBound(to: Float.self) }
      work.stack.forEach { leftMatrix, rightMatrix, result in
        for row in 0..<rows {
          let scale = unsafe leftScales[left.index(leftMatrix, row)]
          let start = (result * rows + row) * columns
          for column in 0..<columns {
            let factor = unsafe scale * rightScales[right.index(rightMatrix, column)]
            let value = unsafe Float(sums[start + column]) * factor
            unsafe target[start + column] = unsafe bias.map { unsafe value + $0[column] } ?? value
          }
        }
      }
    case .quantised(let scaleInput, let zeroInput, let type, let range):
      var (scale, zero): (Float, Int32) = (1, 0)
      unsafe OperandReading.floats(memory.input(scaleInput), step.scales.type, count: 1, into: &scale)
      unsafe OperandReading.integers(
        zeroInput.map { unsafe memory.input($0) }, type, count: 1, into: &zero)
      let target = unsafe memory.output(0).assumingMemoryBound(to: UInt8.self)
      work.stack.forEach { leftMatrix, rightMatrix, result in
        for row in 0..<rows {
          let leftScale = unsafe leftScales[left.index(leftMatrix, row)]
          let start = (result * rows + row) * columns
          for column in 0..<columns {
            let factor = unsafe leftScale * rightScales[right.index(rightMatrix, column)] / scale
            let value = unsafe Float(sums[start + column]) * factor
            unsafe target[start + column] = UInt8(truncatingIfNeeded: range.quantised(value, zero: zero))
          }
        }
      }
    }
  }
}
