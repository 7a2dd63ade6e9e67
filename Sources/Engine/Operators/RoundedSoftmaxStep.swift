import NNFormat

/// Softmax of 16-bit floats as the function body of the standard states it: differences, exponentials, their sum and the
/// quotients (or logarithms) are each rounded to the type.
///
/// Computes on float32 values that the type can hold; `WideningStep` brings them.
struct RoundedSoftmaxStep: Step {
  let axis: Int
  let flattens: Bool
  let isLogarithmic: Bool
  /// The nearest value of the type.
  let rounded: @Sendable (Float) -> Float

  let outputTypes: [ElementType] = [.float32]
  var kernel: String { isLogarithmic ? "logSoftmax" : "softmax" }

  /// The step for float16 or bfloat16; `nil` for other types.
  static func step(_ type: ElementType, axis: Int, flattens: Bool, isLogarithmic: Bool) -> (any Step)? {
    let rounded: @Sendable (Float) -> Float
    switch type {
    case .float16: rounded = { Float(Float16($0)) }
    case .bfloat16: rounded = { Float(bitPattern: UInt32($0.bfloat16Bits) << 16) }
    default: return nil
    }
    let step = RoundedSoftmaxStep(axis: axis, flattens: flattens, isLogarithmic: isLogarithmic, rounded: rounded)
    return WideningStep(step, inputTypes: [type], narrow: type)
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let layout = try AxisLayout(shape, axis: axis, flattens: flattens)
    return Work([shape], inPlaceInputs: [0], cost: .elements(layout.count, operations: 5)) {
      [self] (memory) throws(EngineError) in
      let source = memory.input(0, Float.self, count: layout.count)
      let target = memory.output(0, Float.self, count: layout.count)
      layout.forEachLine { start in line(source, target, start: start, length: layout.length, stride: layout.inner) }
    }
  }

  private func line(
    _ source: Elements<Float>, _ target: MutableElements<Float>, start: Int, length: Int, stride: Int
  ) {
    var highest = -Float.infinity
    for index in 0..<length { highest = Float.maximum(highest, source[start + index * stride]) }
    var sum: Float = 0
    for position in Swift.stride(from: start, to: start + length * stride, by: stride) {
      let difference = rounded(source[position] - highest)
      let exponential = rounded(Float.exp(difference))
      sum += exponential
      target[position] = isLogarithmic ? difference : exponential
    }
    sum = rounded(sum)
    let logarithm = rounded(Float.log(sum))
    for position in Swift.stride(from: start, to: start + length * stride, by: stride) {
      target[position] = isLogarithmic ? target[position] - logarithm : target[position] / sum
    }
  }
}
