import NNFormat

/// Operators that make values out of nothing but parameters.
package enum GeneratorOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Constant", sixteenBit: .native, make: constant),
    OperatorImplementation("ConstantOfShape", since: 9, sixteenBit: .native, make: constantOfShape),
    OperatorImplementation("Range", since: 11, make: range),
  ]

  @Sendable private static func constant(_ context: NodeContext) throws(EngineError) -> any Step {
    guard context.node.attributes.count == 1, let attribute = context.node.attributes.first else {
      throw context.invalid("a constant has exactly one attribute")
    }
    switch attribute.value {
    case .tensor(let tensor): return try ConstantStep(Constant(tensor).aligned())
    case .sparseTensor(let sparse): return try ConstantStep(Constant(sparse))
    case .float(let value): return try ConstantStep(Constant(Tensor([value], shape: [])))
    case .floats(let values): return try ConstantStep(Constant(Tensor(values)))
    case .int(let value): return try ConstantStep(Constant(Tensor([value], shape: [])))
    case .ints(let values): return try ConstantStep(Constant(Tensor(values)))
    case .string(let value): return try strings([value], shape: [])
    case .strings(let values): return try strings(values, shape: [values.count])
    default:
      throw EngineError(
        .unsupported, "a constant in the attribute \"\(attribute.name)\" is not supported", node: context.node.label)
    }
  }

  private static func strings(_ values: [[UInt8]], shape: [Int]) throws(EngineError) -> any Step {
    guard let tensor = try? Tensor(elementType: .string, shape: shape, storage: .strings(values)) else {
      throw EngineError(.invalidGraph, "\(values.count) strings do not fill the shape \(shape)")
    }
    return try ConstantStep(Constant(tensor))
  }

  @Sendable private static func constantOfShape(_ context: NodeContext) throws(EngineError) -> any Step {
    var value = Tensor([Float(0)])
    if case .tensor(let tensor) = context.node.attribute("value") { value = tensor }
    guard value.count == 1 else { throw context.invalid("the value of ConstantOfShape is not one element") }
    let width = try StridedCopy.width(value.elementType, context)
    return FillStep(try Constant(value).aligned(), width: width)
  }

  @Sendable private static func range(_ context: NodeContext) throws(EngineError) -> any Step {
    try ScalarTypes.numeric(context.commonType(0..<3), RangeMaker(), context)
  }
}

/// A constant of the graph.
struct ConstantStep: Step {
  let constant: Constant
  var outputTypes: [ElementType] { [constant.elementType] }
  let kernel = "constant"

  init(_ constant: Constant) { self.constant = constant }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let constant = constant
    return Work([constant.shape]) { (memory) throws(EngineError) in
      unsafe memory.output(0).copyMemory(from: constant.base, byteCount: constant.byteCount)
    }
  }
}

/// One value everywhere in a shape that is an input.
struct FillStep: Step {
  let value: Constant
  let width: Int
  let contentInputs = [0]
  let kernel = "fill"
  var outputTypes: [ElementType] { [value.elementType] }

  init(_ value: Constant, width: Int) {
    self.value = value
    self.width = width
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.ints(0)
    guard checkedProduct(shape) != nil else { throw EngineError(.shapeMismatch, "\(shape) is no shape") }
    let copy = StridedCopy(shape: shape, strides: Array(repeating: 0, count: shape.count), width: width)
    let value = value
    return Work([shape]) { (memory) throws(EngineError) in
      unsafe copy.run(from: value.base, to: memory.output(0))
    }
  }
}

private struct RangeMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    RangeStep<T>(
      length: { start, limit, delta in
        guard delta != 0 else { return nil }
        let distance = Int128(limit) - Int128(start)
        let steps = (distance + Int128(delta) - (delta > 0 ? 1 : -1)) / Int128(delta)
        return Int(exactly: Swift.max(steps, 0))
      }, element: { start, delta, index in start &+ T(truncatingIfNeeded: index) &* delta })
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    RangeStep<T>(
      length: { start, limit, delta in
        let steps = ((Double(limit) - Double(start)) / Double(delta)).rounded(.up)
        return steps.isNaN ? nil : Int(exactly: Swift.max(steps, 0))
      }, element: { start, delta, index in start + T(index) * delta })
  }
}

/// start, start + delta, ... up to but without limit.
struct RangeStep<T: TensorScalar>: Step {
  /// The number of elements; `nil` when it is not finite.
  let length: @Sendable (T, T, T) -> Int?
  let element: @Sendable (T, T, Int) -> T
  let contentInputs = [0, 1, 2]
  let kernel = "range"
  var outputTypes: [ElementType] { [T.elementType] }

  init(
    length: @escaping @Sendable (T, T, T) -> Int?, element: @escaping @Sendable (T, T, Int) -> T
  ) {
    self.length = length
    self.element = element
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var parameters: [T] = []
    for index in 0..<3 {
      let view = try inputs.view(index)
      guard view.count == 1, let contents = unsafe view.contents else {
        throw EngineError(.shapeMismatch, "input \(index) of a range is no scalar")
      }
      parameters.append(unsafe contents.loadUnaligned(as: T.self))
    }
    let (start, delta) = (parameters[0], parameters[2])
    guard let count = length(start, parameters[1], delta) else {
      throw EngineError(.shapeMismatch, "a range from \(start) to \(parameters[1]) by \(delta) does not end")
    }
    let element = element
    return Work([[count]]) { (memory) throws(EngineError) in
      let target = memory.output(0, T.self, count: count)
      for index in 0..<count { target[index] = element(start, delta, index) }
    }
  }
}
