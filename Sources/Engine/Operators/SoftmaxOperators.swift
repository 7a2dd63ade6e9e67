import NNFormat

/// Softmax, its logarithm and Hardmax, in the forms before and since version 13.
package enum SoftmaxOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Softmax", sixteenBit: .native) { context throws(EngineError) in
      try make(context, isLogarithmic: false)
    },
    OperatorImplementation("LogSoftmax", sixteenBit: .native) { context throws(EngineError) in
      try make(context, isLogarithmic: true)
    },
    OperatorImplementation("Hardmax") { context throws(EngineError) in
      let flattens = context.version < 13
      let type = try context.type(0)
      let maker = HardmaxMaker(axis: context.int("axis", default: flattens ? 1 : -1), flattens: flattens)
      guard let step = ScalarTypes.real(type, maker) else { throw context.unsupported(type) }
      return step
    },
  ]

  private static func make(_ context: NodeContext, isLogarithmic: Bool) throws(EngineError) -> any Step {
    let flattens = context.version < 13
    let axis = context.int("axis", default: flattens ? 1 : -1)
    let type = try context.type(0)
    if let step = RoundedSoftmaxStep.step(type, axis: axis, flattens: flattens, isLogarithmic: isLogarithmic) {
      return step
    }
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

private struct HardmaxMaker: RealVisitor {
  let axis: Int
  let flattens: Bool
  func visit<T: RealScalar>(_: T.Type) -> any Step { HardmaxStep<T>(axis: axis, flattens: flattens) }
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
    let layout = try AxisLayout(shape, axis: axis, flattens: flattens)
    let (count, length) = (layout.count, layout.length)
    let isLogarithmic = isLogarithmic
    return Work([shape], inPlaceInputs: [0], cost: .elements(count, operations: 5)) { (memory) throws(EngineError) in
      if T.self == Float.self, layout.inner == 1 {
        let source = unsafe memory.input(0).assumingMemoryBound(to: Float.self)
        let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
        if isLogarithmic {
          unsafe RowFunctions.logSoftmax(source, target, rows: layout.outer, columns: length, pool: memory.pool)
        } else {
          unsafe RowFunctions.softmax(source, target, rows: layout.outer, columns: length, pool: memory.pool)
        }
        return
      }
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: count)
      layout.forEachLine { start in
        softmax(source, target, start: start, length: length, stride: layout.inner, isLogarithmic: isLogarithmic)
      }
    }
    .byRows(layout.inner == 1 ? rowWork(layout) : nil)
  }

  private func rowWork(_ layout: AxisLayout) -> RowWork? {
    guard T.self == Float.self else { return nil }
    let (isLogarithmic, length) = (isLogarithmic, layout.length)
    return RowWork(rows: layout.outer, estimate: RowFunctions.softmaxEstimate(layout.count)) { memory, rows in
      let source = unsafe memory.input(0).assumingMemoryBound(to: Float.self) + rows.lowerBound * length
      let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self) + rows.lowerBound * length
      if isLogarithmic {
        unsafe RowFunctions.logSoftmax(source, target, rows: rows.count, columns: length, pool: .single)
      } else {
        unsafe RowFunctions.softmax(source, target, rows: rows.count, columns: length, pool: .single)
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
