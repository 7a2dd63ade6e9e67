import NNFormat

/// Selections whose result's size depends on elements, and reversal of sequences.
package enum SelectionOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Compress", since: 9, sixteenBit: .native) { context throws(EngineError) in
      let type = try context.type(0)
      guard try context.type(1) == .bool else { throw context.unsupported(try context.type(1)) }
      let axis = context.node.attribute("axis").map { _ in context.int("axis", default: 0) }
      return CompressStep(outputTypes: [type], axis: axis, width: try StridedCopy.width(type, context))
    },
    OperatorImplementation("NonZero", since: 9, sixteenBit: .native) { context throws(EngineError) in
      let type = try context.type(0)
      return NonZeroStep(type: type, width: try StridedCopy.width(type, context))
    },
    OperatorImplementation("ReverseSequence", since: 10, sixteenBit: .native) { context throws(EngineError) in
      let type = try context.type(0)
      return ReverseStep(
        outputTypes: [type], batchAxis: context.int("batch_axis", default: 1),
        timeAxis: context.int("time_axis", default: 0), lengthType: try context.indexType(1),
        width: try StridedCopy.width(type, context))
    },
  ]
}

/// The slices along an axis for which input 1 is true; of the flattened value without an axis.
///
/// Where input 1 is shorter than the axis the rest is left out.
struct CompressStep: Step {
  let outputTypes: [ElementType]
  let axis: Int?
  let width: Int
  let contentInputs = [1]
  let kernel = "compress"

  init(outputTypes: [ElementType], axis: Int?, width: Int) {
    self.outputTypes = outputTypes
    self.axis = axis
    self.width = width
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let given = try inputs.shape(0)
    let shape = axis == nil ? [try Extents.count(given)] : given
    let axis = try Extents.axis(axis ?? 0, rank: shape.count)
    let condition = try inputs.view(1)
    guard condition.shape.count == 1, condition.count <= shape[axis], let truths = unsafe condition.contents else {
      throw EngineError(
        .shapeMismatch, "a condition of shape \(Shape(condition.shape)) does not fit axis \(axis) of \(Shape(shape))")
    }
    let chosen = (0..<condition.count).filter { unsafe truths.load(fromByteOffset: $0, as: UInt8.self) != 0 }
    var result = shape
    result[axis] = chosen.count
    _ = try Extents.count(result)
    let block = Extents.product(shape.dropFirst(axis + 1), times: width)
    let outer = Extents.product(shape.prefix(axis))
    let extent = shape[axis]
    return Work([result]) { (memory) throws(EngineError) in
      for row in 0..<outer {
        for (position, place) in chosen.enumerated() {
          unsafe (memory.output(0) + (row * chosen.count + position) * block).copyMemory(
            from: memory.input(0) + (row * extent + place) * block, byteCount: block)
        }
      }
    }
  }
}

/// The places of all elements that are not zero: one row for each axis.
struct NonZeroStep: Step {
  let type: ElementType
  let width: Int
  let outputTypes: [ElementType] = [.int64]
  let contentInputs = [0]
  let kernel = "nonZero"

  init(type: ElementType, width: Int) {
    self.type = type
    self.width = width
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let view = try inputs.view(0)
    guard let contents = unsafe view.contents else {
      throw EngineError(.invalidGraph, "the elements of input 0 are not known")
    }
    // A float's zero may have a sign, which is its highest bit in every type that has one.
    let isSigned = type.isFloatingPoint && type != .float8e8m0
    let places = (0..<view.count).filter { index in
      var bits: UInt8 = 0
      for byte in 0..<width {
        let part = unsafe contents.load(fromByteOffset: index * width + byte, as: UInt8.self)
        bits |= isSigned && byte == width - 1 ? part << 1 : part
      }
      return bits != 0
    }
    let (shape, strides) = (view.shape, Extents.strides(view.shape))
    return Work([[shape.count, places.count]]) { (memory) throws(EngineError) in
      let target = memory.output(0, Int64.self, count: shape.count * places.count)
      for (position, place) in places.enumerated() {
        for axis in shape.indices {
          target[axis * places.count + position] = Int64(place / strides[axis] % shape[axis])
        }
      }
    }
  }
}

/// The first elements of each sequence in reverse order, as many as input 1 says.
struct ReverseStep: Step {
  let outputTypes: [ElementType]
  let batchAxis: Int
  let timeAxis: Int
  let lengthType: ElementType
  let width: Int

  var kernel: String { "reverseSequence" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let axes = Set([try Extents.axis(batchAxis, rank: shape.count), try Extents.axis(timeAxis, rank: shape.count)])
    guard axes == [0, 1], try inputs.shape(1) == [shape[batchAxis < 0 ? batchAxis + shape.count : batchAxis]] else {
      throw EngineError(
        .shapeMismatch,
        "axes \(batchAxis) and \(timeAxis) are not the first two, or \(Shape(try inputs.shape(1))) are no lengths")
    }
    let isBatchFirst = (batchAxis < 0 ? batchAxis + shape.count : batchAxis) == 0
    let (batch, time) = isBatchFirst ? (shape[0], shape[1]) : (shape[1], shape[0])
    let block = Extents.product(shape.dropFirst(2), times: width)
    let lengthType = lengthType
    return Work([shape]) { (memory) throws(EngineError) in
      let lengths = memory.indices(1, lengthType, count: batch)
      for sequence in 0..<batch {
        let length = lengths[sequence]
        guard length >= 0, length <= time else {
          throw EngineError(.invalidInput, "a sequence of \(length) is longer than the \(time) that are there")
        }
        for step in 0..<time {
          let from = step < length ? length - 1 - step : step
          let (target, source) =
            isBatchFirst
            ? (sequence * time + step, sequence * time + from) : (step * batch + sequence, from * batch + sequence)
          unsafe (memory.output(0) + target * block).copyMemory(
            from: memory.input(0) + source * block, byteCount: block)
        }
      }
    }
  }
}
