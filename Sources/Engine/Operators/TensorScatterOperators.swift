import NNFormat

/// Writing into caches of keys and values.
package enum TensorScatterOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("TensorScatter", since: 24, sixteenBit: .native) { context throws(EngineError) in
      let type = try context.commonType(0..<2)
      let mode = context.node.text("mode", default: "linear")
      guard mode == "linear" || mode == "circular" else { throw context.invalid("\"\(mode)\" is no mode of writing") }
      if context.has(2), try context.type(2) != .int64 { throw context.unsupported(try context.type(2)) }
      return try TensorScatterStep(
        outputTypes: [type], axis: context.int("axis", default: -2), isCircular: mode == "circular",
        width: StridedCopy.width(type, context), hasStarts: context.has(2))
    }
  ]
}

/// Input 0 with the slices of input 1 written along an axis, for each batch from the place on that input 2 says.
struct TensorScatterStep: Step {
  let outputTypes: [ElementType]
  let axis: Int
  /// Whether writing goes on at the front when it comes to the end.
  let isCircular: Bool
  let width: Int
  let hasStarts: Bool

  var kernel: String { "tensorScatter" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (shape, update) = (try inputs.shape(0), try inputs.shape(1))
    let axis = try Extents.axis(axis, rank: shape.count)
    let starts = hasStarts ? try inputs.shape(2) : [shape[0]]
    guard axis > 0, update.count == shape.count, starts == [shape[0]],
      shape.indices.allSatisfy({ $0 == axis ? update[$0] <= shape[$0] : update[$0] == shape[$0] })
    else {
      throw EngineError(.shapeMismatch, "\(Shape(update)) cannot be written into \(Shape(shape)) along axis \(axis)")
    }
    let byteCount = try Extents.count(shape) &* width
    let block = Extents.product(shape.dropFirst(axis + 1), times: width)
    let (length, steps, batches) = (shape[axis], update[axis], shape[0])
    let lines = Extents.product(shape[1..<axis])
    let (isCircular, hasStarts) = (isCircular, hasStarts)
    return Work([shape]) { (memory) throws(EngineError) in
      unsafe memory.output(0).copyMemory(from: memory.input(0), byteCount: byteCount)
      for batch in 0..<batches {
        let start = hasStarts ? memory.indices(2, .int64, count: batches)[batch] : 0
        guard start >= 0, isCircular || start <= length - steps else {
          throw EngineError(.invalidInput, "\(steps) slices do not fit from \(start) on into an axis of \(length)")
        }
        for line in batch * lines..<(batch + 1) * lines {
          for step in 0..<steps {
            let place = (start % max(length, 1) + step) % max(length, 1)
            unsafe (memory.output(0) + (line * length + place) * block).copyMemory(
              from: memory.input(1) + (line * steps + step) * block, byteCount: block)
          }
        }
      }
    }
  }
}
