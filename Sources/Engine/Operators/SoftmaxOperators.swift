import NNFormat

/// Softmax and its logarithm, in the forms before and since version 13.
package enum SoftmaxOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Softmax") { context throws(EngineError) in try make(context, isLogarithmic: false) },
    OperatorImplementation("LogSoftmax") { context throws(EngineError) in try make(context, isLogarithmic: true) },
  ]

  private static func make(_ context: NodeContext, isLogarithmic: Bool) throws(EngineError) -> any Step {
    let flattens = context.version < 13
    let axis = context.int("axis", default: flattens ? 1 : -1)
    let type = try context.type(0)
    let maker = SoftmaxMaker(axis: axis, flattens: flattens, isLogarithmic: isLogarithmic)
    guard let step = ScalarTypes.real(type, maker) else { throw context.unsupported(type) }
    return step
  }
}

private struct SoftmaxMaker: RealVisitor {
  let axis: Int
  let flattens: Bool
  let isLogarithmic: Bool

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    SoftmaxStep<T>(axis: axis, flattens: flattens, isLogarithmic: isLogarithmic)
  }
}

/// exp(x) / sum(exp(x)) along one axis, or, in the flattening form, along all axes from that one on.
struct SoftmaxStep<T: RealScalar>: Step {
  let axis: Int
  let flattens: Bool
  let isLogarithmic: Bool

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { isLogarithmic ? "logSoftmax" : "softmax" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let rank = max(shape.count, 1)
    let first = flattens && axis == rank ? rank : try Extents.axis(axis, rank: rank)
    let length = flattens ? shape.dropFirst(first).reduce(1, *) : shape.isEmpty ? 1 : shape[first]
    let inner = flattens ? 1 : shape.dropFirst(first + 1).reduce(1, *)
    let outer = length * inner == 0 ? 0 : count / (length * inner)
    let isLogarithmic = isLogarithmic
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      if T.self == Float.self, inner == 1 {
        let source = unsafe memory.input(0).assumingMemoryBound(to: Float.self)
        let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
        if isLogarithmic {
          unsafe RowFunctions.logSoftmax(source, target, rows: outer, columns: length, pool: memory.pool)
        } else {
          unsafe RowFunctions.softmax(source, target, rows: outer, columns: length, pool: memory.pool)
        }
        return
      }
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: count)
      for block in 0..<outer {
        for column in 0..<inner {
          softmax(
            source, target, start: block * length * inner + column, length: length, stride: inner,
            isLogarithmic: isLogarithmic)
        }
      }
    }
  }
}

private func softmax<T: RealScalar>(
  _ source: Elements<T>, _ target: MutableElements<T>, start: Int, length: Int, stride: Int, isLogarithmic: Bool
) {
  var highest = -T.infinity
  for index in 0..<length { highest = T.maximum(highest, source[start + index * stride]) }
  var sum: T = 0
  for index in 0..<length { sum += T.exp(source[start + index * stride] - highest) }
  let logarithm = T.log(sum)
  for index in 0..<length {
    let shifted = source[start + index * stride] - highest
    target[start + index * stride] = isLogarithmic ? shifted - logarithm : T.exp(shifted) / sum
  }
}
