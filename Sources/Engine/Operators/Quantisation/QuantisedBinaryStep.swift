import NNFormat

/// The sum or product of two broadcast tensors of 8-bit numbers with a scale each.
struct QuantisedBinaryStep<Code: FixedWidthInteger & TensorScalar>: Step {
  enum Operation: Sendable {
    case add
    case multiply
  }

  let operation: Operation
  let left: ByteScalingInputs
  let right: ByteScalingInputs
  let result: ByteScalingInputs

  var outputTypes: [ElementType] { [Code.elementType] }
  var kernel: String { operation == .add ? "quantised add" : "quantised multiply" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (x, y) = (try inputs.shape(0), try inputs.shape(3))
    for operand in [left, right, result] { try operand.check(inputs) }
    let shape = try Extents.broadcast([x, y])
    _ = try Extents.count(shape)
    let nest = LoopNest(
      shape,
      strides: [Extents.strides(of: x, in: shape), Extents.strides(of: y, in: shape), Extents.strides(shape)])
    let step = self
    return Work([shape]) { (memory) throws(EngineError) in
      let x = unsafe memory.input(0).assumingMemoryBound(to: Code.self)
      let y = unsafe memory.input(3).assumingMemoryBound(to: Code.self)
      let z = unsafe memory.output(0).assumingMemoryBound(to: Code.self)
      let (left, right, result) = (step.left.read(memory), step.right.read(memory), step.result.read(memory))
      let (xStride, yStride) = (nest.rowStrides[0], nest.rowStrides[1])
      for row in 0..<nest.rows {
        let (x, y) = unsafe (x + nest.offset(of: row, in: 0), y + nest.offset(of: row, in: 1))
        let z = unsafe z + nest.offset(of: row, in: 2)
        switch step.operation {
        case .add:
          let sum = QuantisedSum(left, right, result, step.result.range)
          for index in 0..<nest.rowLength {
            unsafe z[index] = Code(
              truncatingIfNeeded: sum.code(Int32(x[index &* xStride]), Int32(y[index &* yStride])))
          }
        case .multiply:
          let factor = left.scale * right.scale / result.scale
          let offset = Float(result.zero)
          let range = step.result.range
          for index in 0..<nest.rowLength {
            let product = unsafe (Int32(x[index &* xStride]) &- left.zero) &* (Int32(y[index &* yStride]) &- right.zero)
            unsafe z[index] = Code(truncatingIfNeeded: range.rounded(Float(product) * factor + offset))
          }
        }
      }
    }
  }
}

/// The sum of two 8-bit numbers as ONNX Runtime forms it: both ratios of scales and one constant, each product added
/// with a single rounding.
private struct QuantisedSum {
  private let leftRatio: Double
  private let rightRatio: Double
  private let constant: Double
  private let range: IntegerRange

  init(_ left: ByteScaling, _ right: ByteScaling, _ result: ByteScaling, _ range: IntegerRange) {
    let (leftRatio, rightRatio) = (left.scale / result.scale, right.scale / result.scale)
    let moved = Float(Double(leftRatio) * Double(left.zero) + Double(rightRatio * Float(right.zero)))
    self.leftRatio = Double(leftRatio)
    self.rightRatio = Double(rightRatio)
    constant = Double(Float(result.zero) - moved)
    self.range = range
  }

  /// A product of 8 by 24 bits is exact in double precision, so that the sum is rounded once.
  @inline(__always)
  func code(_ left: Int32, _ right: Int32) -> Int32 {
    let partial = Float(Double(right) * rightRatio + constant)
    return range.rounded(Float(Double(left) * leftRatio + Double(partial)))
  }
}
