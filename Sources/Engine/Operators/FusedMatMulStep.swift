import NNFormat

/// The attributes of FusedMatMul.
struct FusedMatMulOptions: Sendable {
  let alpha: Float
  let transA: Bool
  let transB: Bool
  let transBatchA: Bool
  let transBatchB: Bool

  init(_ context: NodeContext) {
    func isSet(_ name: String) -> Bool { context.int(name, default: 0) != 0 }
    alpha = context.float("alpha", default: 1)
    (transA, transB) = (isSet("transA"), isSet("transB"))
    (transBatchA, transBatchB) = (isSet("transBatchA"), isSet("transBatchB"))
  }
}

/// A stack of matrices inside of an array, with the places where they start and their rows lie.
private struct OperandStack {
  let batch: [Int]
  let batchStrides: [Int]
  /// Extents of a matrix before the transposition of its two axes.
  let rows: Int
  let columns: Int
  let rowStride: Int

  /// - Parameters:
  ///   - vectorIsColumn: what an array of rank 1 is.
  ///   - batchIsInside: whether the first axis is that of the rows, with the batch axes between it and the columns.
  init(_ shape: [Int], vectorIsColumn: Bool, batchIsInside: Bool) {
    let isVector = shape.count == 1
    let shape = isVector ? (vectorIsColumn ? shape + [1] : [1] + shape) : shape
    let strides = Extents.strides(shape)
    let last = shape.count - 1
    columns = shape[last]
    if batchIsInside {
      batch = Array(shape[1..<last])
      batchStrides = Array(strides[1..<last])
      (rows, rowStride) = (shape[0], strides[0])
    } else {
      batch = Array(shape[..<(last - 1)])
      batchStrides = Array(strides[..<(last - 1)])
      (rows, rowStride) = (shape[last - 1], strides[last - 1])
    }
  }

  /// Strides that walk the stack as if it had a broadcast shape.
  func strides(in target: [Int]) -> [Int] {
    let shift = target.count - batch.count
    return target.indices.map { $0 < shift || batch[$0 - shift] == 1 ? 0 : batchStrides[$0 - shift] }
  }
}

/// A FusedMatMul for known shapes.
private struct FusedMatMulShapes {
  let a: OperandStack
  let b: OperandStack
  let rows: Int
  let depth: Int
  let columns: Int
  let shape: [Int]
  let cost: StepCost
  let transA: Bool
  let transB: Bool
  /// Walks over the matrices of both operands and of the result.
  let nest: LoopNest

  init(_ inputs: StepInputs, _ options: FusedMatMulOptions) throws(EngineError) {
    let (left, right) = (try inputs.shape(0), try inputs.shape(1))
    guard !left.isEmpty, !right.isEmpty else { throw EngineError(.shapeMismatch, "a scalar has no matrix product") }
    // Transpositions of a vector mean nothing.
    (transA, transB) = (options.transA && left.count > 1, options.transB && right.count > 1)
    a = OperandStack(left, vectorIsColumn: false, batchIsInside: options.transBatchA && left.count > 2)
    b = OperandStack(right, vectorIsColumn: true, batchIsInside: options.transBatchB && right.count > 2)
    (rows, depth) = transA ? (a.columns, a.rows) : (a.rows, a.columns)
    columns = transB ? b.rows : b.columns
    guard depth == (transB ? b.columns : b.rows) else {
      throw EngineError(.shapeMismatch, "\(Shape(left)) times \(Shape(right)): the inner extents differ")
    }
    let stack = try Extents.broadcast([a.batch, b.batch])
    _ = try Extents.count(stack + [rows, columns])
    shape = stack + (left.count > 1 ? [rows] : []) + (right.count > 1 ? [columns] : [])
    let size = rows * columns
    cost = .products(Extents.product(stack), rows: rows, depth: depth, columns: columns)
    nest = LoopNest(
      stack, strides: [a.strides(in: stack), b.strides(in: stack), Extents.strides(stack).map { $0 * size }])
  }

  /// Calls `body` with where the matrices of both operands and of the result start, for every product.
  func forEachProduct(_ body: (Int, Int, Int) -> Void) {
    nest.forEachTriple(body)
  }
}

/// alpha · A' · B' of stacks of float32 matrices, each packed on each run.
struct FloatFusedMatMulStep: Step {
  let options: FusedMatMulOptions
  let outputTypes: [ElementType] = [.float32]
  let kernel = "gemm"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shapes = try FusedMatMulShapes(inputs, options)
    let alpha = options.alpha
    let scratch = Gemm.scratchByteCountWithPacking(
      rows: shapes.rows, depth: shapes.depth, columns: shapes.columns)
    return Work([shapes.shape], scratchByteCount: scratch, cost: shapes.cost) { (memory) throws(EngineError) in
      guard shapes.rows > 0, shapes.columns > 0 else { return }
      let a = unsafe memory.input(0).assumingMemoryBound(to: Float.self)
      let b = unsafe memory.input(1).assumingMemoryBound(to: Float.self)
      let c = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      shapes.forEachProduct { left, right, result in
        unsafe Gemm.run(
          rows: shapes.rows, depth: shapes.depth, columns: shapes.columns, a: a + left, lda: shapes.a.rowStride,
          isTransposedA: shapes.transA, b: b + right, ldb: shapes.b.rowStride, isTransposedB: shapes.transB,
          alpha: alpha, c: c + result, ldc: shapes.columns, scratch: memory.scratch, pool: memory.pool)
      }
    }
  }
}

/// alpha · A' · B' of stacks of matrices by plain loops.
struct PlainFusedMatMulStep<T: RealScalar>: Step {
  let options: FusedMatMulOptions
  let kernel = "plain gemm"

  var outputTypes: [ElementType] { [T.elementType] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shapes = try FusedMatMulShapes(inputs, options)
    let (countA, countB) = (try inputs.view(0).count, try inputs.view(1).count)
    let count = try Extents.count(shapes.shape)
    let stepsA = shapes.transA ? (1, shapes.a.rowStride) : (shapes.a.rowStride, 1)
    let stepsB = shapes.transB ? (1, shapes.b.rowStride) : (shapes.b.rowStride, 1)
    let alpha = T(options.alpha)
    return Work([shapes.shape], cost: shapes.cost) { (memory) throws(EngineError) in
      let a = memory.input(0, T.self, count: countA)
      let b = memory.input(1, T.self, count: countB)
      let c = memory.output(0, T.self, count: count)
      shapes.forEachProduct { left, right, result in
        for row in 0..<shapes.rows {
          for column in 0..<shapes.columns {
            var sum: T = 0
            for k in 0..<shapes.depth {
              sum += a[left + row * stepsA.0 + k * stepsA.1] * b[right + k * stepsB.0 + column * stepsB.1]
            }
            c[result + row * shapes.columns + column] = alpha * sum
          }
        }
      }
    }
  }
}
