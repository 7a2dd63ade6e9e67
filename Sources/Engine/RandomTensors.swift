import NNFormat

/// Tensors of numbers drawn from a seed, for trying networks out.
package struct RandomTensors {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// Numbers for an input as float32: from -1 to below 1, or 0 and 1 for integers, which are indices as a rule and small
  /// ones exist in any table.
  ///
  /// - Throws: `FormatError` of kind `limit` when the shape holds more than 2^28 elements.
  package mutating func numbers(for input: Value, shape: [Int]) throws(FormatError) -> Tensor {
    guard let count = checkedProduct(shape), count <= 1 << 28 else {
      throw FormatError(.limit, "the input \"\(input.name)\" of shape \(Shape(shape)) is too large to try")
    }
    let isInteger = input.elementType?.isInteger ?? false
    var values = [Float](repeating: 0, count: count)
    for index in values.indices { values[index] = isInteger ? Float(next() % 2) : unit() }
    return Tensor(values, shape: shape)
  }

  private mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  /// A number from -1 to below 1.
  private mutating func unit() -> Float { Float(next() >> 40) / Float(1 << 23) - 1 }
}
