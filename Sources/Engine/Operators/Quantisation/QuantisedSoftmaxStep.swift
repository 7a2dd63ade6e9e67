import Glibc
import NNFormat

/// Softmax of 8-bit numbers along an axis, by a table of exponentials.
struct QuantisedSoftmaxStep: Step {
  let source: ByteScalingInputs
  let target: ByteScalingInputs
  let axis: Int
  /// Whether all axes from that one on count as one, as before version 13.
  let flattens: Bool
  let kernel = "quantised softmax"

  var outputTypes: [ElementType] { [source.isSigned ? .int8 : .uint8] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    try source.check(inputs)
    try target.check(inputs)
    let rank = max(shape.count, 1)
    let first = try Extents.axis(axis, rank: rank)
    let length = try flattens ? Extents.count(Array(shape.dropFirst(first))) : shape.isEmpty ? 1 : shape[first]
    let inner = try flattens ? 1 : Extents.count(Array(shape.dropFirst(first + 1)))
    let outer = length * inner == 0 ? 0 : count / (length * inner)
    let step = self
    return Work([shape]) { (memory) throws(EngineError) in
      let x = unsafe memory.input(0).assumingMemoryBound(to: UInt8.self)
      let y = unsafe memory.output(0).assumingMemoryBound(to: UInt8.self)
      let result = step.target.read(memory)
      let softmax = CodeSoftmax(
        step.source.read(memory).scale, length: length, result: result, isSigned: step.source.isSigned)
      for block in 0..<outer {
        for column in 0..<inner {
          let start = block * length * inner + column
          unsafe softmax.run(x + start, y + start, stride: inner)
        }
      }
    }
  }
}

/// The exponentials of the 256 distances from the largest number, scaled up so that small ones keep their bits.
private struct CodeSoftmax {
  private let exponentials: InlineArray<256, Float>
  private let length: Int
  private let steps: Float
  private let zero: Int32
  private let flip: UInt8
  private let range: IntegerRange

  init(_ scale: Float, length: Int, result: ByteScaling, isSigned: Bool) {
    // The sum of `length` exponentials stays below the largest float by a factor of e^5.
    let headroom = max(0, log(Double(Float.greatestFiniteMagnitude / Float(max(length, 1)))) - 5) / Double(scale)
    var table = InlineArray<256, Float>(repeating: 0)
    for code in 0..<256 { table[code] = Float(exp((Double(code) - 255 + headroom) * Double(scale))) }
    exponentials = table
    self.length = length
    steps = (1 / result.scale).rounded(.down)
    zero = result.zero
    flip = isSigned ? 0x80 : 0
    range = isSigned ? .int8 : .uint8
  }

  func run(_ x: UnsafePointer<UInt8>, _ y: UnsafeMutablePointer<UInt8>, stride: Int) {
    var highest = 0
    for index in 0..<length { highest = unsafe max(highest, Int(x[index * stride] ^ flip)) }
    let shift = 255 - highest
    var sum: Float = 0
    for index in 0..<length { sum += unsafe exponentials[Int(x[index * stride] ^ flip) + shift] }
    for index in 0..<length {
      let share = unsafe exponentials[Int(x[index * stride] ^ flip) + shift] * steps / sum
      unsafe y[index * stride] = UInt8(truncatingIfNeeded: range.quantised(share, zero: zero))
    }
  }
}
