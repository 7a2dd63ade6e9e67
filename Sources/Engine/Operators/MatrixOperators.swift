import NNFormat

/// Matrix products.
package enum MatrixOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("MatMul", make: matMul),
    OperatorImplementation("Gemm", make: gemm),
  ]

  @Sendable private static func matMul(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.commonType(0..<2)
    if type == .float32 { return MatMulStep(product: FloatProduct()) }
    return try ScalarTypes.numeric(type, MatMulMaker(), context)
  }

  @Sendable static func gemm(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.commonType()
    let options = GemmOptions(
      alpha: Double(context.float("alpha", default: 1)), beta: Double(context.float("beta", default: 1)),
      transA: context.int("transA", default: 0) != 0, transB: context.int("transB", default: 0) != 0)
    if type == .float32 { return FloatGemmStep(options: options) }
    return try ScalarTypes.numeric(type, GemmMaker(options: options), context)
  }
}

/// A product of two matrices: c[rows x columns] = a[rows x depth] · b[depth x columns], all dense and row-major.
package protocol MatrixProduct: Sendable {
  associatedtype Scalar: TensorScalar
  var kernel: String { get }
  func scratchByteCount(rows: Int, depth: Int, columns: Int) -> Int
  func run(
    rows: Int, depth: Int, columns: Int, a: UnsafePointer<Scalar>, b: UnsafePointer<Scalar>,
    c: UnsafeMutablePointer<Scalar>, memory: StepMemory)
}

/// The vectorised float32 product, which packs the right side on each run.
struct FloatProduct: MatrixProduct {
  var kernel: String { "gemm" }

  func scratchByteCount(rows: Int, depth: Int, columns: Int) -> Int {
    Gemm.scratchByteCountWithPacking(rows: rows, depth: depth, columns: columns)
  }

  func run(
    rows: Int, depth: Int, columns: Int, a: UnsafePointer<Float>, b: UnsafePointer<Float>,
    c: UnsafeMutablePointer<Float>, memory: StepMemory
  ) {
    guard rows > 0, columns > 0 else { return }
    unsafe Gemm.run(
      rows: rows, depth: depth, columns: columns, a: a, lda: depth, b: b, ldb: columns, c: c, ldc: columns,
      scratch: memory.scratch, pool: memory.pool)
  }
}

/// The plain product of any scalar type, by one multiply-add for each term.
struct PlainProduct<Scalar: TensorScalar>: MatrixProduct {
  let multiplyAdd: @Sendable (Scalar, Scalar, Scalar) -> Scalar
  let zero: Scalar

  var kernel: String { "plain product" }
  func scratchByteCount(rows: Int, depth: Int, columns: Int) -> Int { 0 }

  func run(
    rows: Int, depth: Int, columns: Int, a: UnsafePointer<Scalar>, b: UnsafePointer<Scalar>,
    c: UnsafeMutablePointer<Scalar>, memory: StepMemory
  ) {
    for row in 0..<rows {
      let target = unsafe c + row * columns
      for column in 0..<columns { unsafe target[column] = zero }
      for k in 0..<depth {
        let factor = unsafe a[row * depth + k]
        let source = unsafe b + k * columns
        for column in 0..<columns { unsafe target[column] = multiplyAdd(factor, source[column], target[column]) }
      }
    }
  }
}

private struct MatMulMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    MatMulStep(product: PlainProduct<T>(multiplyAdd: { $2 &+ $0 &* $1 }, zero: 0))
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    MatMulStep(product: PlainProduct<T>(multiplyAdd: { $2 + $0 * $1 }, zero: 0))
  }
}

/// The product of stacks of matrices, as NumPy's `matmul`.
struct MatMulStep<Product: MatrixProduct>: Step {
  let product: Product

  var outputTypes: [ElementType] { [Product.Scalar.elementType] }
  var kernel: String { product.kernel }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let stack = try MatrixStack(inputs.shape(0), inputs.shape(1))
    let (rows, depth, columns) = (stack.rows, stack.depth, stack.columns)
    let product = product
    return Work(
      [stack.shape], scratchByteCount: product.scratchByteCount(rows: rows, depth: depth, columns: columns),
      cost: .products(stack.count, rows: rows, depth: depth, columns: columns)
    ) { (memory) throws(EngineError) in
      let a = unsafe memory.input(0).assumingMemoryBound(to: Product.Scalar.self)
      let b = unsafe memory.input(1).assumingMemoryBound(to: Product.Scalar.self)
      let c = unsafe memory.output(0).assumingMemoryBound(to: Product.Scalar.self)
      stack.forEach { left, right, result in
        unsafe product.run(
          rows: rows, depth: depth, columns: columns, a: a + left * rows * depth, b: b + right * depth * columns,
          c: c + result * rows * columns, memory: memory)
      }
    }
  }
}
