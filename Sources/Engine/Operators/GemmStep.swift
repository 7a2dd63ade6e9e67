import NNFormat

/// The attributes of Gemm.
struct GemmOptions: Sendable {
  let alpha: Double
  let beta: Double
  let transA: Bool
  let transB: Bool
}

struct GemmMaker: ArithmeticOperators.StepMaker {
  let options: GemmOptions

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    GemmStep<T>(options: options, multiplyAdd: { $2 &+ $0 &* $1 }, zero: 0, one: 1) { scale, value in
      scale == 1 ? value : T(exactly: (scale * Double(value)).rounded(.towardZero)) ?? 0
    }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    GemmStep<T>(options: options, multiplyAdd: { $2 + $0 * $1 }, zero: 0, one: 1) { scale, value in T(scale) * value }
  }
}

/// alpha · A' · B' + beta · C with operands that are no constants; the general form behind the fused dense layer.
struct GemmStep<T: TensorScalar>: Step {
  let options: GemmOptions
  let multiplyAdd: @Sendable (T, T, T) -> T
  let zero: T
  let one: T
  let scaled: @Sendable (Double, T) -> T

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { "plain gemm" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shapes = try GemmShapes(inputs, options)
    let (rows, depth, columns) = (shapes.rows, shapes.depth, shapes.columns)
    let shape = [rows, columns]
    let count = rows * columns
    let offsetStrides = shapes.offsetStrides
    let offsetCount = offsetStrides == nil ? 0 : try inputs.view(2).count
    let (a, b) = (try inputs.shape(0), try inputs.shape(1))
    let (countA, countB) = (try Extents.count(a), try Extents.count(b))
    let (options, multiplyAdd, zero, one, scaled) = (options, multiplyAdd, zero, one, scaled)
    let stepA = options.transA ? (1, rows) : (depth, 1)
    let stepB = options.transB ? (1, depth) : (columns, 1)
    return Work([shape], cost: .products(rows: rows, depth: depth, columns: columns)) { (memory) throws(EngineError) in
      let a = memory.input(0, T.self, count: countA)
      let b = memory.input(1, T.self, count: countB)
      let result = memory.output(0, T.self, count: count)
      let offsets = offsetStrides == nil ? nil : memory.input(2, T.self, count: offsetCount)
      for row in 0..<rows {
        for column in 0..<columns {
          var sum = zero
          for k in 0..<depth {
            sum = multiplyAdd(a[row * stepA.0 + k * stepA.1], b[k * stepB.0 + column * stepB.1], sum)
          }
          let value = scaled(options.alpha, sum)
          guard let offsets, let offsetStrides else {
            result[row * columns + column] = value
            continue
          }
          let offset = offsets[row * offsetStrides[0] + column * offsetStrides[1]]
          result[row * columns + column] = multiplyAdd(one, value, scaled(options.beta, offset))
        }
      }
    }
  }
}
