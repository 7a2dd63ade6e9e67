import NNFormat

/// Running sums and products along an axis.
package enum CumulativeOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("CumSum", since: 11) { context throws(EngineError) in
      try make(context, CumulativeMaker(form: CumulativeForm(context), isProduct: false))
    },
    OperatorImplementation("CumProd", since: 26) { context throws(EngineError) in
      try make(context, CumulativeMaker(form: CumulativeForm(context), isProduct: true))
    },
  ]

  private static func make(_ context: NodeContext, _ maker: CumulativeMaker) throws(EngineError) -> any Step {
    try ScalarTypes.numeric(context.type(0), maker, context)
  }
}

/// The attributes of a running total.
struct CumulativeForm: Sendable {
  /// Whether an element's own value is left out of its total.
  let isExclusive: Bool
  /// Whether totals run from the end.
  let isReverse: Bool
  let axisType: ElementType

  init(_ context: NodeContext) throws(EngineError) {
    isExclusive = context.int("exclusive", default: 0) != 0
    isReverse = context.int("reverse", default: 0) != 0
    axisType = try context.indexType(1)
  }
}

private struct CumulativeMaker: ArithmeticOperators.StepMaker {
  let form: CumulativeForm
  let isProduct: Bool

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    isProduct
      ? CumulativeStep<T>(form: form, kernel: "cumProd", start: 1) { $0 &* $1 }
      : CumulativeStep<T>(form: form, kernel: "cumSum", start: 0) { $0 &+ $1 }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    isProduct
      ? CumulativeStep<T>(form: form, kernel: "cumProd", start: 1) { $0 * $1 }
      : CumulativeStep<T>(form: form, kernel: "cumSum", start: 0) { $0 + $1 }
  }
}

/// The total of all elements up to each one along the axis that input 1 names, which does not change the shape.
struct CumulativeStep<T: TensorScalar>: Step {
  let form: CumulativeForm
  let kernel: String
  let start: T
  let join: @Sendable (T, T) -> T

  var outputTypes: [ElementType] { [T.elementType] }

  init(form: CumulativeForm, kernel: String, start: T, join: @escaping @Sendable (T, T) -> T) {
    self.form = form
    self.kernel = kernel
    self.start = start
    self.join = join
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    guard try inputs.view(1).count == 1 else { throw EngineError(.shapeMismatch, "the axis is not one number") }
    let strides = Extents.strides(shape)
    let (form, start, join) = (form, start, join)
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      let axis = try Extents.axis(memory.indices(1, form.axisType, count: 1)[0], rank: shape.count)
      guard count > 0 else { return }
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: count)
      let (length, stride) = (shape[axis], strides[axis])
      for block in 0..<count / (length * stride) {
        for column in 0..<stride {
          let first = block * length * stride + column
          var total = start
          for position in 0..<length {
            let index = first + (form.isReverse ? length - 1 - position : position) * stride
            let next = join(total, source[index])
            target[index] = form.isExclusive ? total : next
            total = next
          }
        }
      }
    }
  }
}
