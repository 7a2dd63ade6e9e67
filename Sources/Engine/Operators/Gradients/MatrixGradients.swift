import NNFormat

/// Gradients of matrix products.
enum MatrixGradients {
  static let rules: [GradientRule] = [
    GradientRule("Gemm", make: gemm), GradientRule("MatMul", make: matMul),
  ]

  /// Y = alpha A' B' + beta C: dA' = alpha dY B'ᵀ, dB' = alpha A'ᵀ dY, dC = beta dY summed over what C repeats.
  @Sendable private static func gemm(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let node = context.node
    let isTransposed = (node.int("transA", default: 0) != 0, node.int("transB", default: 0) != 0)
    let (alpha, beta) = (node.float("alpha", default: 1), node.float("beta", default: 1))
    let (a, output) = (try context.shape(0), context.outputShapes[0])
    let (rows, columns) = (output[0], output[1])
    let depth = isTransposed.0 ? a[0] : a[1]
    let left = ProductGradient(
      rows: rows, depth: depth, columns: columns, isTransposedA: isTransposed.0, isTransposedB: isTransposed.1,
      alpha: alpha)
    let offset = context.wants(2) ? BroadcastSum(from: output, to: try context.shape(2)) : nil
    return GradientWork(scratchByteCount: left.scratchByteCount) { memory throws(EngineError) in
      let dy = memory.outputGradient(0)
      if let target = memory.inputGradient(0) {
        unsafe left.left(dy, memory.input(1), into: target, memory.scratch, memory.pool)
      }
      if let target = memory.inputGradient(1) {
        unsafe left.right(memory.input(0), dy, into: target, memory.scratch, memory.pool)
      }
      if let target = memory.inputGradient(2), let offset {
        offset.run(dy, into: target, memory.pool)
        if beta != 1 { for index in 0..<target.count { target[index] *= beta } }
      }
    }
  }

  /// Stacks of matrices, whose leading axes broadcast; vectors count as matrices of one row or column.
  @Sendable private static func matMul(_ context: GradientContext) throws(EngineError) -> GradientWork {
    var (a, b) = (try context.shape(0), try context.shape(1))
    if a.count == 1 { a = [1] + a }
    if b.count == 1 { b.append(1) }
    let (rows, depth, columns) = (a[a.count - 2], a[a.count - 1], b[b.count - 1])
    if b.count == 2 {
      // One matrix on the right: the stack on the left is one tall matrix.
      let product = ProductGradient(
        rows: a.dropLast().reduce(1, *), depth: depth, columns: columns, isTransposedA: false, isTransposedB: false,
        alpha: 1)
      return GradientWork(scratchByteCount: product.scratchByteCount) { memory throws(EngineError) in
        let dy = memory.outputGradient(0)
        if let target = memory.inputGradient(0) {
          unsafe product.left(dy, memory.input(1), into: target, memory.scratch, memory.pool)
        }
        if let target = memory.inputGradient(1) {
          unsafe product.right(memory.input(0), dy, into: target, memory.scratch, memory.pool)
        }
      }
    }
    return try stacked(a, b, rows: rows, depth: depth, columns: columns)
  }

  private static func stacked(
    _ a: [Int], _ b: [Int], rows: Int, depth: Int, columns: Int
  ) throws(EngineError) -> GradientWork {
    let stack = try Extents.broadcast([Array(a.dropLast(2)), Array(b.dropLast(2))])
    let nest = LoopNest(
      stack,
      strides: [
        Extents.strides(of: Array(a.dropLast(2)), in: stack), Extents.strides(of: Array(b.dropLast(2)), in: stack),
      ])
    var places: [(Int, Int)] = []
    for row in 0..<nest.rows {
      let starts = (nest.offset(of: row, in: 0), nest.offset(of: row, in: 1))
      for index in 0..<nest.rowLength {
        places.append((starts.0 + index * nest.rowStrides[0], starts.1 + index * nest.rowStrides[1]))
      }
    }
    let product = ProductGradient(
      rows: rows, depth: depth, columns: columns, isTransposedA: false, isTransposedB: false, alpha: 1)
    let sizes = (rows * depth, depth * columns, rows * columns)
    let order = places
    let temporary = MemoryPlan.rounded(max(sizes.0, sizes.1) * 4)
    return GradientWork(scratchByteCount: temporary + product.scratchByteCount) { memory throws(EngineError) in
      let dy = memory.outputGradient(0)
      let scratch = unsafe memory.scratch + temporary
      for side in 0...1 {
        guard let target = memory.inputGradient(side) else { continue }
        target.fill(0)
        let size = side == 0 ? sizes.0 : sizes.1
        let part = unsafe Floats(memory.scratch, count: size)
        for (index, place) in order.enumerated() {
          let gradient = dy.part(index * sizes.2..<(index + 1) * sizes.2)
          let start = (side == 0 ? place.0 : place.1) * size
          let other = side == 0 ? place.1 * sizes.1 : place.0 * sizes.0
          if side == 0 {
            unsafe product.left(
              gradient, memory.input(1).part(other..<other + sizes.1), into: part, scratch, memory.pool)
          } else {
            unsafe product.right(
              memory.input(0).part(other..<other + sizes.0), gradient, into: part, scratch, memory.pool)
          }
          for element in 0..<size { target[start + element] += part[element] }
        }
      }
    }
  }
}

/// The two gradients of one product of matrices, float32, by the engine's Gemm.
struct ProductGradient {
  let rows: Int
  let depth: Int
  let columns: Int
  let isTransposedA: Bool
  let isTransposedB: Bool
  let alpha: Float

  var scratchByteCount: Int {
    max(
      Gemm.scratchByteCountWithPacking(rows: rows, depth: columns, columns: depth),
      Gemm.scratchByteCountWithPacking(rows: depth, depth: rows, columns: columns),
      Gemm.scratchByteCountWithPacking(rows: columns, depth: rows, columns: depth),
      Gemm.scratchByteCountWithPacking(rows: depth, depth: columns, columns: rows))
  }

  /// dA from dY and B.
  func left(_ dy: Floats, _ b: Floats, into target: Floats, _ scratch: UnsafeMutableRawPointer, _ pool: ThreadPool) {
    guard target.count > 0 else { return }
    if isTransposedA {
      // A is stored [depth x rows]: dA = alpha B' dYᵀ.
      unsafe Gemm.run(
        rows: depth, depth: columns, columns: rows, a: b.base, lda: isTransposedB ? depth : columns,
        isTransposedA: isTransposedB, b: dy.base, ldb: columns, isTransposedB: true, alpha: alpha, c: target.base,
        ldc: rows, scratch: scratch, pool: pool)
    } else {
      unsafe Gemm.run(
        rows: rows, depth: columns, columns: depth, a: dy.base, lda: columns, b: b.base,
        ldb: isTransposedB ? depth : columns, isTransposedB: !isTransposedB, alpha: alpha, c: target.base, ldc: depth,
        scratch: scratch, pool: pool)
    }
  }

  /// dB from A and dY.
  func right(_ a: Floats, _ dy: Floats, into target: Floats, _ scratch: UnsafeMutableRawPointer, _ pool: ThreadPool) {
    guard target.count > 0 else { return }
    if isTransposedB {
      // B is stored [columns x depth]: dB = alpha dYᵀ A'.
      unsafe Gemm.run(
        rows: columns, depth: rows, columns: depth, a: dy.base, lda: columns, isTransposedA: true, b: a.base,
        ldb: isTransposedA ? rows : depth, isTransposedB: isTransposedA, alpha: alpha, c: target.base, ldc: depth,
        scratch: scratch, pool: pool)
    } else {
      unsafe Gemm.run(
        rows: depth, depth: rows, columns: columns, a: a.base, lda: isTransposedA ? rows : depth,
        isTransposedA: !isTransposedA, b: dy.base, ldb: columns, alpha: alpha, c: target.base, ldc: columns,
        scratch: scratch, pool: pool)
    }
  }
}
