import NNFormat

/// Reductions along axes.
package enum ReductionOperators {
  package static let rows: [OperatorImplementation] = [
    row("ReduceSum", .sum, axesInputSince: 13), row("ReduceMean", .mean), row("ReduceMax", .max),
    row("ReduceMin", .min), row("ReduceProd", .product), row("ReduceL1", .l1), row("ReduceL2", .l2),
    row("ReduceSumSquare", .sumSquare), row("ReduceLogSum", .logSum), row("ReduceLogSumExp", .logSumExp),
    pool("GlobalAveragePool", .mean), pool("GlobalMaxPool", .max),
  ]

  /// A reduction of all axes but the first two.
  private static func pool(_ name: String, _ reduction: Reduction) -> OperatorImplementation {
    OperatorImplementation(name) { context throws(EngineError) in
      let type = try context.type(0)
      let options = ReductionOptions(
        reduction: reduction, axes: nil, usesInput: false, keepsAxes: true, emptyMeansNone: true, firstAxis: 2)
      guard let step = ScalarTypes.real(type, ReductionMaker(options: options)) else { throw context.unsupported(type) }
      return step
    }
  }

  private static func row(
    _ name: String, _ reduction: Reduction, axesInputSince version: Int = 18
  ) -> OperatorImplementation {
    OperatorImplementation(name) { context throws(EngineError) in
      let usesInput = context.version >= version
      let options = ReductionOptions(
        reduction: reduction, axes: usesInput ? nil : context.node.ints("axes"), usesInput: usesInput,
        keepsAxes: context.int("keepdims", default: 1) != 0,
        emptyMeansNone: context.int("noop_with_empty_axes", default: 0) != 0)
      let type = try context.type(0)
      if type == .bool, reduction == .max || reduction == .min {
        // Of bytes of which any but 0 is true, the largest is whether any is, the smallest whether all are.
        let step = ReductionStep<UInt8>(options: options) { source, plan, base in
          integerReduction(reduction, source, plan, base) == 0 ? 0 : 1
        }
        return RetypedStep([.bool], step)
      }
      if let step = ScalarTypes.real(type, ReductionMaker(options: options)) { return step }
      if let step = ScalarTypes.integer(type, ReductionMaker(options: options)) { return step }
      throw context.unsupported(type)
    }
  }
}

/// What is accumulated.
enum Reduction: Sendable { case sum, mean, max, min, product, l1, l2, sumSquare, logSum, logSumExp }

struct ReductionOptions: Sendable {
  let reduction: Reduction
  let axes: [Int]?
  /// Whether the axes are input 1.
  let usesInput: Bool
  let keepsAxes: Bool
  /// Whether no axes means that nothing is reduced, instead of everything.
  let emptyMeansNone: Bool
  /// Where it is not 0, the first of the axes that are reduced, to the last.
  var firstAxis = 0

  func axes(_ inputs: StepInputs, rank: Int) throws(EngineError) -> [Int] {
    let given = usesInput && inputs.has(1) ? try inputs.ints(1) : axes ?? []
    if firstAxis > 0 { return Array(min(firstAxis, rank)..<rank) }
    if given.isEmpty { return emptyMeansNone ? [] : Array(0..<rank) }
    return try Extents.axes(given, rank: rank)
  }
}

private struct ReductionMaker: ArithmeticOperators.StepMaker {
  let options: ReductionOptions

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    ReductionStep<T>(options: options) { source, nest, base in
      integerReduction(options.reduction, source, nest, base)
    }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    ReductionStep<T>(options: options) { source, nest, base in
      T(realReduction(options.reduction, source, nest, base))
    }
  }
}

/// One value for each position along the axes that stay.
struct ReductionStep<T: TensorScalar>: Step {
  let options: ReductionOptions
  /// Reduces what the nest walks over, starting at an offset.
  let reduce: @Sendable (Elements<T>, LoopNest, Int) -> T

  var outputTypes: [ElementType] { [T.elementType] }
  var contentInputs: [Int] { options.usesInput ? [1] : [] }
  var kernel: String { "reduce \(options.reduction)" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let axes = Set(try options.axes(inputs, rank: shape.count))
    let strides = Extents.strides(shape)
    let kept = shape.indices.filter { !axes.contains($0) }
    let reduced = shape.indices.filter { axes.contains($0) }
    let outer = LoopNest(kept.map { shape[$0] }, strides: [kept.map { strides[$0] }])
    let inner = LoopNest(reduced.map { shape[$0] }, strides: [reduced.map { strides[$0] }])
    let result = shape.indices.compactMap { axes.contains($0) ? (options.keepsAxes ? 1 : nil) : shape[$0] }
    let resultCount = try Extents.count(result)
    let reduce = reduce
    if T.self == Float.self, kept.allSatisfy({ axis in reduced.allSatisfy { axis < $0 } }), !reduced.isEmpty,
      let row = RowForm(options.reduction, length: inner.rows * inner.rowLength)
    {
      return Work([result], cost: .elements(count)) { (memory) throws(EngineError) in
        unsafe row.reduction.apply(
          memory.input(0).assumingMemoryBound(to: Float.self), memory.output(0).assumingMemoryBound(to: Float.self),
          rows: resultCount, columns: row.length, pool: memory.pool, finish: row.finish)
      }
    }
    return Work([result], cost: .elements(count)) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: resultCount)
      var index = 0
      for row in 0..<outer.rows {
        let start = outer.offset(of: row, in: 0)
        for column in 0..<outer.rowLength {
          target[index] = reduce(source, inner, start + column * outer.rowStrides[0])
          index += 1
        }
      }
    }
  }
}

/// A reduction of float32 rows by a vector kernel.
private struct RowForm {
  let reduction: RowReduction
  let length: Int
  let finish: (Double) -> Double

  /// `nil` for reductions without a kernel.
  init?(_ kind: Reduction, length: Int) {
    self.length = length
    switch kind {
    case .sum: (reduction, finish) = (.sum, { $0 })
    case .mean: (reduction, finish) = (.sum, { $0 / Double(length) })
    case .max: (reduction, finish) = (.largest, { $0 })
    case .min: (reduction, finish) = (.smallest, { $0 })
    case .l1: (reduction, finish) = (.magnitudeSum, { $0 })
    case .l2: (reduction, finish) = (.squareSum, { $0.squareRoot() })
    case .sumSquare: (reduction, finish) = (.squareSum, { $0 })
    case .logSum: (reduction, finish) = (.sum, { Double.log($0) })
    case .product, .logSumExp: return nil
    }
  }
}

/// Calls `body` with the elements that a nest walks over, in order.
@inline(__always)
private func walk<T>(_ source: Elements<T>, _ nest: LoopNest, _ base: Int, _ body: (T) -> Void) {
  let stride = nest.rowStrides[0]
  for row in 0..<nest.rows {
    let start = base + nest.offset(of: row, in: 0)
    for index in 0..<nest.rowLength { body(source[start + index * stride]) }
  }
}

private func integerReduction<T: FixedWidthInteger>(
  _ reduction: Reduction, _ source: Elements<T>, _ nest: LoopNest, _ base: Int
) -> T {
  var total: T = 0
  switch reduction {
  case .sum: walk(source, nest, base) { total &+= $0 }
  case .mean:
    var sum: Int128 = 0
    walk(source, nest, base) { sum += Int128($0) }
    let count = Int128(nest.rows * nest.rowLength)
    total = count == 0 ? 0 : T(truncatingIfNeeded: sum / count)
  case .max:
    total = .min
    walk(source, nest, base) { total = Swift.max(total, $0) }
  case .min:
    total = .max
    walk(source, nest, base) { total = Swift.min(total, $0) }
  case .product:
    total = 1
    walk(source, nest, base) { total &*= $0 }
  case .l1: walk(source, nest, base) { total &+= $0 < 0 ? 0 &- $0 : $0 }
  case .sumSquare: walk(source, nest, base) { total &+= $0 &* $0 }
  case .l2, .logSum, .logSumExp:
    var sum = 0.0
    walk(source, nest, base) { value in
      let real = Double(value)
      sum += reduction == .l2 ? real * real : reduction == .logSum ? real : Double.exp(real)
    }
    let result = reduction == .l2 ? sum.squareRoot() : Double.log(sum)
    total = T(exactly: result.rounded(.towardZero)) ?? 0
  }
  return total
}

/// Accumulates in double precision, in order.
private func realReduction<T: RealScalar>(
  _ reduction: Reduction, _ source: Elements<T>, _ nest: LoopNest, _ base: Int
) -> Double {
  var total = 0.0
  switch reduction {
  case .sum: walk(source, nest, base) { total += Double($0) }
  case .mean:
    walk(source, nest, base) { total += Double($0) }
    total /= Double(nest.rows * nest.rowLength)
  case .max:
    total = -.infinity
    walk(source, nest, base) { total = total.isNaN || total > Double($0) ? total : Double($0) }
  case .min:
    total = .infinity
    walk(source, nest, base) { total = total.isNaN || total < Double($0) ? total : Double($0) }
  case .product:
    total = 1
    walk(source, nest, base) { total *= Double($0) }
  case .l1: walk(source, nest, base) { total += Double($0).magnitude }
  case .l2, .sumSquare:
    walk(source, nest, base) { total += Double($0) * Double($0) }
    if reduction == .l2 { total = total.squareRoot() }
  case .logSum:
    walk(source, nest, base) { total += Double($0) }
    total = Double.log(total)
  case .logSumExp:
    var highest = -Double.infinity
    walk(source, nest, base) { highest = highest.isNaN || highest > Double($0) ? highest : Double($0) }
    guard highest.isFinite else { return highest }
    walk(source, nest, base) { total += Double.exp(Double($0) - highest) }
    total = highest + Double.log(total)
  }
  return total
}
