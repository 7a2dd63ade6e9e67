import NNFormat

/// alpha · A' · B' + beta · C in float32 with a right side that is no constant, packed on each run.
struct FloatGemmStep: Step {
  let options: GemmOptions
  let outputTypes: [ElementType] = [.float32]
  let kernel = "gemm"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shapes = try GemmShapes(inputs, options)
    let (rows, depth, columns) = (shapes.rows, shapes.depth, shapes.columns)
    let (options, offsetStrides) = (options, shapes.offsetStrides)
    let scratch = Gemm.scratchByteCountWithPacking(rows: rows, depth: depth, columns: columns)
    return Work(
      [[rows, columns]], scratchByteCount: scratch, cost: .products(rows: rows, depth: depth, columns: columns)
    ) { (memory) throws(EngineError) in
      guard rows > 0, columns > 0 else { return }
      let target = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      unsafe Gemm.run(
        rows: rows, depth: depth, columns: columns, a: memory.input(0).assumingMemoryBound(to: Float.self),
        lda: options.transA ? rows : depth, isTransposedA: options.transA,
        b: memory.input(1).assumingMemoryBound(to: Float.self), ldb: options.transB ? depth : columns,
        isTransposedB: options.transB, alpha: Float(options.alpha), c: target, ldc: columns,
        scratch: memory.scratch, pool: memory.pool)
      guard let offsetStrides else { return }
      let offsets = unsafe memory.input(2).assumingMemoryBound(to: Float.self)
      let beta = Float(options.beta)
      for row in 0..<rows {
        let source = unsafe offsets + row * offsetStrides[0]
        for column in 0..<columns {
          unsafe target[row * columns + column] += beta * source[column * offsetStrides[1]]
        }
      }
    }
  }
}

/// The extents of a Gemm, checked.
struct GemmShapes {
  let rows: Int
  let depth: Int
  let columns: Int
  /// How C moves along rows and columns of the result; `nil` without C.
  let offsetStrides: [Int]?

  init(_ inputs: StepInputs, _ options: GemmOptions) throws(EngineError) {
    let (a, b) = (try inputs.shape(0), try inputs.shape(1))
    guard a.count == 2, b.count == 2 else {
      throw EngineError(.shapeMismatch, "Gemm takes matrices, not \(Shape(a)) and \(Shape(b))")
    }
    (rows, depth) = options.transA ? (a[1], a[0]) : (a[0], a[1])
    let inner = options.transB ? b[1] : b[0]
    columns = options.transB ? b[0] : b[1]
    guard depth == inner else {
      throw EngineError(
        .shapeMismatch, "\(Shape([rows, depth])) times \(Shape([inner, columns])): the inner extents differ")
    }
    let shape = [rows, columns]
    _ = try Extents.count(shape)
    guard inputs.has(2) else {
      offsetStrides = nil
      return
    }
    let c = try inputs.shape(2)
    guard try Extents.broadcast([c, shape]) == shape else {
      throw EngineError(.shapeMismatch, "C of shape \(Shape(c)) does not broadcast to \(Shape(shape))")
    }
    offsetStrides = Extents.strides(of: c, in: shape)
  }
}
