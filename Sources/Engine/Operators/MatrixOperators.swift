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

  @Sendable private static func gemm(_ context: NodeContext) throws(EngineError) -> any Step {
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
    Gemm.scratchByteCountWithPacking(rows: rows, depth: depth, columns: columns, threads: 1)
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

/// The product of stacks of matrices, as NumPy's `matmul`: leading axes broadcast, vectors gain an axis
/// and lose it again.
struct MatMulStep<Product: MatrixProduct>: Step {
  let product: Product

  var outputTypes: [ElementType] { [Product.Scalar.elementType] }
  var kernel: String { product.kernel }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (left, right) = (try inputs.shape(0), try inputs.shape(1))
    guard !left.isEmpty, !right.isEmpty else {
      throw EngineError(.shapeMismatch, "a scalar has no matrix product")
    }
    let a = left.count == 1 ? [1] + left : left
    let b = right.count == 1 ? right + [1] : right
    let (rows, depth, columns) = (a[a.count - 2], a[a.count - 1], b[b.count - 1])
    guard depth == b[b.count - 2] else {
      throw EngineError(.shapeMismatch, "\(Shape(left)) times \(Shape(right)): the inner extents differ")
    }
    let (stackA, stackB) = (Array(a.dropLast(2)), Array(b.dropLast(2)))
    let stack = try Extents.broadcast([stackA, stackB])
    var shape = stack
    if left.count > 1 { shape.append(rows) }
    if right.count > 1 { shape.append(columns) }
    _ = try Extents.count(stack + [rows, columns])
    let nest = LoopNest(
      stack,
      strides: [Extents.strides(of: stackA, in: stack), Extents.strides(of: stackB, in: stack), Extents.strides(stack)])
    let product = product
    return Work(
      [shape], scratchByteCount: product.scratchByteCount(rows: rows, depth: depth, columns: columns)
    ) { (memory) throws(EngineError) in
      let a = unsafe memory.input(0).assumingMemoryBound(to: Product.Scalar.self)
      let b = unsafe memory.input(1).assumingMemoryBound(to: Product.Scalar.self)
      let c = unsafe memory.output(0).assumingMemoryBound(to: Product.Scalar.self)
      for row in 0..<nest.rows {
        for index in 0..<nest.rowLength {
          let from = (
            nest.offset(of: row, in: 0) + index * nest.rowStrides[0],
            nest.offset(of: row, in: 1) + index * nest.rowStrides[1]
          )
          let to = nest.offset(of: row, in: 2) + index * nest.rowStrides[2]
          unsafe product.run(
            rows: rows, depth: depth, columns: columns, a: a + from.0 * rows * depth, b: b + from.1 * depth * columns,
            c: c + to * rows * columns, memory: memory)
        }
      }
    }
  }
}
