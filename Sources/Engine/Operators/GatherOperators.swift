import NNFormat

/// Selection by index.
package enum GatherOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Gather", sixteenBit: .native) { context throws(EngineError) in
      let type = try context.type(0)
      let width = try StridedCopy.width(type, context)
      let axis = context.int("axis", default: 0)
      switch try context.type(1) {
      case .int32: return GatherStep<Int32>(outputTypes: [type], axis: axis, width: width)
      case .int64: return GatherStep<Int64>(outputTypes: [type], axis: axis, width: width)
      case let other: throw context.unsupported(other)
      }
    }
  ]
}

/// Slices of input 0 along one axis, in the order that input 1 says. Indices below zero count from the end.
struct GatherStep<Index: FixedWidthInteger & TensorScalar>: Step {
  let outputTypes: [ElementType]
  let axis: Int
  let width: Int

  var kernel: String { "gather" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let indices = try inputs.shape(1)
    let axis = try Extents.axis(axis, rank: shape.count)
    let result = Array(shape.prefix(axis)) + indices + Array(shape.dropFirst(axis + 1))
    _ = try Extents.count(result)
    let extent = shape[axis]
    let count = try Extents.count(indices)
    let block = Extents.product(shape.dropFirst(axis + 1), times: width)
    let outer = Extents.product(shape.prefix(axis))
    let cost = StepCost(constantByteCount: outer * count * block, unreadInputs: [0])
    return Work([result], cost: cost) { (memory) throws(EngineError) in
      let wanted = memory.input(1, Index.self, count: count)
      let source = unsafe memory.input(0)
      let target = unsafe memory.output(0)
      for position in 0..<count {
        let given = Int(truncatingIfNeeded: wanted[position])
        let index = given < 0 ? given &+ extent : given
        guard index >= 0, index < extent else {
          throw EngineError(.invalidInput, "index \(given) is outside of an axis of \(extent)")
        }
        for row in 0..<outer {
          unsafe (target + (row * count + position) * block).copyMemory(
            from: source + (row * extent + index) * block, byteCount: block)
        }
      }
    }
  }
}
