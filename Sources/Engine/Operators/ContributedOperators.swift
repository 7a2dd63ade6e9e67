import NNFormat

/// Operators that ONNX Runtime's optimizer writes into float models.
package enum ContributedOperators {
  private static let domain = "com.microsoft"

  package static let rows: [OperatorImplementation] =
    [
      contributed("Gelu") { context throws(EngineError) in try ActivationOperators.step(.gelu, context) },
      contributed("QuickGelu") { context throws(EngineError) in
        try ActivationOperators.step(.swish(alpha: context.float("alpha", default: 1.702)), context)
      },
      contributed("FastGelu") { context throws(EngineError) in try biased(.geluTanh, context) },
      contributed("BiasGelu") { context throws(EngineError) in try biased(.gelu, context) },
      contributed("FusedMatMul") { context throws(EngineError) in
        let type = try context.commonType(0..<2)
        let options = FusedMatMulOptions(context)
        if type == .float32 { return FloatFusedMatMulStep(options: options) }
        guard type == .float64 else { throw context.unsupported(type) }
        return PlainFusedMatMulStep<Double>(options: options)
      },
      contributed("FusedGemm") { context throws(EngineError) in
        let product = try MatrixOperators.gemm(context)
        return ActivatedStep(product, try activation(context.node), type: try context.type(0))
      },
      contributed("SkipLayerNormalization") { context throws(EngineError) in try skip(context, isCentred: true) },
      contributed("SkipSimplifiedLayerNormalization") { context throws(EngineError) in
        try skip(context, isCentred: false)
      },
    ]
    + ["", domain].flatMap { domain in
      [
        OperatorImplementation("SimplifiedLayerNormalization", domain: domain) { context throws(EngineError) in
          try row(context, isCentred: false)
        }
      ]
    } + [
      contributed("LayerNormalization") { context throws(EngineError) in try row(context, isCentred: true) }
    ]

  private static func contributed(
    _ name: String, make: @escaping OperatorImplementation.Maker
  ) -> OperatorImplementation {
    OperatorImplementation(name, domain: domain, make: make)
  }

  private static func row(_ context: NodeContext, isCentred: Bool) throws(EngineError) -> any Step {
    let type = try context.commonType()
    let maker = RowMaker(context, isCentred: isCentred, givesMean: isCentred)
    guard let step = ScalarTypes.real(type, maker) else { throw context.unsupported(type) }
    return step
  }

  private static func biased(_ activation: Activation, _ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.commonType()
    guard context.has(1) else { return try ActivationOperators.step(activation, context) }
    guard let sum = ScalarTypes.real(type, RowSumMaker()) else { throw context.unsupported(type) }
    return ActivatedStep(sum, activation, type: type)
  }

  private static func skip(_ context: NodeContext, isCentred: Bool) throws(EngineError) -> any Step {
    let type = try context.commonType()
    let maker = SkipMaker(
      normalization: RowNormalization(isCentred: isCentred, epsilon: context.float("epsilon", default: 1e-12)))
    guard let step = ScalarTypes.real(type, maker) else { throw context.unsupported(type) }
    return step
  }

  /// The function that a FusedGemm applies.
  ///
  /// - Throws: `EngineError` of kind `unsupported` that names a function which is not known.
  package static func activation(_ node: Node) throws(EngineError) -> Activation {
    func parameter(_ name: String, _ fallback: Float) -> Float { node.float("activation_\(name)", default: fallback) }
    switch node.text("activation", default: "") {
    case "": return .identity
    case "Relu": return .relu
    case "Sigmoid": return .sigmoid
    case "Tanh": return .tanh
    case "Softplus": return .softplus
    case "Softsign": return .softsign
    case "LeakyRelu": return .leakyRelu(slope: parameter("alpha", 0.01))
    case "Elu": return .elu(alpha: parameter("alpha", 1))
    case "Selu": return .selu(alpha: parameter("alpha", 1.673_263_2), gamma: parameter("gamma", 1.050_701))
    case "ThresholdedRelu": return .thresholdedRelu(alpha: parameter("alpha", 1))
    case "HardSigmoid": return .hardSigmoid(alpha: parameter("alpha", 0.2), beta: parameter("beta", 0.5))
    case let name:
      throw EngineError(.unsupported, "the activation \(name) is not supported", node: node.label)
    }
  }
}

private struct RowSumMaker: RealVisitor {
  func visit<T: RealScalar>(_: T.Type) -> any Step { BroadcastToFirstStep(inner: AddMaker().visit(T.self)) }
}

private struct SkipMaker: RealVisitor {
  let normalization: RowNormalization
  func visit<T: RealScalar>(_: T.Type) -> any Step { SkipNormalizationStep<T>(normalization: normalization) }
}

/// A step over two operands of which the second broadcasts to the first.
private struct BroadcastToFirstStep: Step {
  let inner: any Step

  var outputTypes: [ElementType] { inner.outputTypes }
  var kernel: String { inner.kernel }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let work = try inner.resolve(inputs)
    guard work.outputShapes == [try inputs.shape(0)] else {
      throw EngineError(
        .shapeMismatch, "\(Shape(try inputs.shape(1))) does not broadcast to \(Shape(try inputs.shape(0)))")
    }
    return work
  }
}

/// A float step whose first output passes a function.
struct ActivatedStep: Step {
  private let inner: any Step
  private let activation: Activation
  private let type: ElementType

  /// - Parameter type: the type of the output, float32 or float64.
  init(_ inner: any Step, _ activation: Activation, type: ElementType) {
    self.inner = inner
    self.activation = activation
    self.type = type
  }

  var outputTypes: [ElementType] { inner.outputTypes }
  var contentInputs: [Int] { inner.contentInputs }
  var kernel: String { "\(inner.kernel) \(activation.name)" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var work = try inner.resolve(inputs)
    let count = try Extents.count(work.outputShapes.first ?? [])
    let (run, activation, type) = (work.run, activation, type)
    work.run = { (memory) throws(EngineError) in
      try run(memory)
      if type == .float32 {
        let result = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
        unsafe activation.apply(result, result, count: count, pool: memory.pool)
      } else {
        let result = memory.output(0, Double.self, count: count)
        for index in 0..<count { result[index] = activation.scalar(result[index]) }
      }
    }
    return work
  }
}

/// The sum of values, what is skipped to them and a bias, normalised over the last axis.
///
/// Inputs: values, skip, scale, then offset and bias, or only the bias where it is not centred. Outputs: the result, mean
/// and inverse deviation of each row, and the sum.
struct SkipNormalizationStep<T: RealScalar>: Step {
  let normalization: RowNormalization

  var outputTypes: [ElementType] { [T.elementType, .float32, .float32, T.elementType] }
  var kernel: String { "skip \(normalization.isCentred ? "layer" : "rms")Normalization" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let layout = try RowLayout(inputs.shape(0), axis: -1)
    let (shape, rows, length) = (layout.shape, layout.rows, layout.length)
    let skip = try inputs.shape(1)
    let repeated = Array(skip.drop { $0 == 1 })
    guard skip.count <= shape.count, Array(shape.suffix(repeated.count)) == repeated else {
      throw EngineError(.shapeMismatch, "the skipped value of shape \(Shape(skip)) does not fit \(Shape(shape))")
    }
    let offsetInput = normalization.isCentred ? 3 : nil
    let biasInput = normalization.isCentred ? 4 : 3
    for case let index? in [2, offsetInput, biasInput] where index == 2 || inputs.has(index) {
      guard try inputs.view(index).count == length else {
        throw EngineError(
          .shapeMismatch, "input \(index) has shape \(Shape(try inputs.shape(index))) for rows of \(length)")
      }
    }
    let count = rows * length
    let skipCount = skip.reduce(1, *)
    let normalization = normalization
    let hasOffset = offsetInput.map { inputs.has($0) } ?? false
    let hasBias = inputs.has(biasInput)
    return Work([shape, layout.statistics, layout.statistics, shape], cost: .elements(count, operations: 10)) {
      (memory) throws(EngineError) in
      guard count > 0 else { return }
      let result = unsafe memory.output(0).assumingMemoryBound(to: T.self)
      let sum = unsafe memory.optionalOutput(3)?.assumingMemoryBound(to: T.self) ?? result
      unsafe addRow(
        memory.input(0).assumingMemoryBound(to: T.self), memory.input(1).assumingMemoryBound(to: T.self), sum,
        rows: count / skipCount, columns: skipCount, pool: memory.pool)
      if hasBias {
        unsafe addRow(
          UnsafePointer(sum), memory.input(biasInput).assumingMemoryBound(to: T.self), sum, rows: rows, columns: length,
          pool: memory.pool)
      }
      unsafe normalization.apply(
        UnsafePointer(sum), result, rows: rows, length: length, scale: memory.input(2).assumingMemoryBound(to: T.self),
        offset: hasOffset ? memory.input(3).assumingMemoryBound(to: T.self) : nil,
        means: memory.optionalOutput(1)?.assumingMemoryBound(to: Float.self),
        inverses: memory.optionalOutput(2)?.assumingMemoryBound(to: Float.self), pool: memory.pool)
    }
  }
}

/// z = x + y for [rows x columns] of x and one row y; `z` may be `x`.
@unsafe private func addRow<T: RealScalar>(
  _ x: UnsafePointer<T>, _ y: UnsafePointer<T>, _ z: UnsafeMutablePointer<T>, rows: Int, columns: Int,
  pool: ThreadPool
) {
  if T.self == Float.self {
    unsafe BinaryOperation.add.apply(
      .matrix(UnsafeRawPointer(x).assumingMemoryBound(to: Float.self), stride: columns),
      .row(UnsafeRawPointer(y).assumingMemoryBound(to: Float.self)),
      UnsafeMutableRawPointer(z).assumingMemoryBound(to: Float.self), rows: rows, columns: columns, stride: columns,
      pool: pool)
    return
  }
  for row in 0..<rows {
    for column in 0..<columns { unsafe z[row * columns + column] = x[row * columns + column] + y[column] }
  }
}
