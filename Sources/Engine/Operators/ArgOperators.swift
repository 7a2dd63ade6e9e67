import NNFormat

/// Positions of extremes.
package enum ArgOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("ArgMax") { context throws(EngineError) in try make(context, isMaximum: true) },
    OperatorImplementation("ArgMin") { context throws(EngineError) in try make(context, isMaximum: false) },
  ]

  private static func make(_ context: NodeContext, isMaximum: Bool) throws(EngineError) -> any Step {
    let maker = ArgMaker(
      axis: context.int("axis", default: 0), keepsAxis: context.int("keepdims", default: 1) != 0,
      prefersLast: context.int("select_last_index", default: 0) != 0, isMaximum: isMaximum)
    return try ScalarTypes.numeric(context.type(0), maker, context)
  }
}

private struct ArgMaker: ArithmeticOperators.StepMaker {
  let axis: Int
  let keepsAxis: Bool
  let prefersLast: Bool
  let isMaximum: Bool

  func visit<T: FixedWidthInteger & TensorScalar>(_ type: T.Type) -> any Step { make(type) }
  func visit<T: RealScalar>(_ type: T.Type) -> any Step { make(type) }

  private func make<T: Comparable & TensorScalar>(_: T.Type) -> any Step {
    ArgStep<T>(axis: axis, keepsAxis: keepsAxis, prefersLast: prefersLast, isMaximum: isMaximum)
  }
}

/// The position along one axis of the largest or smallest element; among equal ones the first, or the last on request.
struct ArgStep<T: Comparable & TensorScalar>: Step {
  let axis: Int
  let keepsAxis: Bool
  let prefersLast: Bool
  let isMaximum: Bool

  var outputTypes: [ElementType] { [.int64] }
  var kernel: String { isMaximum ? "argMax" : "argMin" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let axis = try Extents.axis(axis, rank: shape.count)
    let length = shape[axis]
    let inner = shape.dropFirst(axis + 1).reduce(1, *)
    let outer = shape.prefix(axis).reduce(1, *)
    guard length > 0 || outer * inner == 0 else {
      throw EngineError(.shapeMismatch, "\(Shape(shape)) has no element along axis \(axis)")
    }
    var result = shape
    if keepsAxis { result[axis] = 1 } else { result.remove(at: axis) }
    let (prefersLast, isMaximum) = (prefersLast, isMaximum)
    return Work([result]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, Int64.self, count: outer * inner)
      for block in 0..<outer {
        for column in 0..<inner {
          let start = block * length * inner + column
          var (best, position) = (source[start], 0)
          for index in 1..<max(length, 1) {
            let value = source[start + index * inner]
            let wins = isMaximum ? value > best : value < best
            if wins || (prefersLast && value == best) { (best, position) = (value, index) }
          }
          target[block * inner + column] = Int64(position)
        }
      }
    }
  }
}
