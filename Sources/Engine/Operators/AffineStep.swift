import NNFormat

/// x · scale + offset along the last axis.
struct AffineStep: Step {
  let outputTypes: [ElementType] = [.float32]
  let kernel = "affine"
  private let scale: PackedBias
  private let offset: PackedBias
  private let columns: Int

  /// - Precondition: `scale` and `offset` are equally long.
  init(scale: [Float], offset: [Float]) {
    precondition(scale.count == offset.count, "a scale for each offset")
    columns = scale.count
    self.scale = PackedBias(scale)
    self.offset = PackedBias(offset)
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    guard let last = shape.last, last == columns else {
      throw EngineError(.shapeMismatch, "\(Shape(shape)) has not \(columns) values along its last axis")
    }
    let rows = try Extents.count(Array(shape.dropLast()))
    let (scale, offset, columns) = (scale, offset, columns)
    return Work(
      [shape], inPlaceInputs: [0],
      cost: StepCost(
        operations: 2 * Double(rows) * Double(columns), constantByteCount: scale.byteCount + offset.byteCount)
    ) { (memory) throws(EngineError) in
      guard let scale = unsafe scale.base, let offset = unsafe offset.base else { return }
      unsafe RowFunctions.affine(
        memory.input(0).assumingMemoryBound(to: Float.self), memory.output(0).assumingMemoryBound(to: Float.self),
        rows: rows, columns: columns, scale: scale, offset: offset, pool: memory.pool)
    }
    .byRows(
      RowWork(rows: rows, estimate: RowFunctions.affineEstimate(rows * columns)) { memory, rows in
        guard let scale = unsafe scale.base, let offset = unsafe offset.base else { return }
        let start = rows.lowerBound * columns
        unsafe RowFunctions.affine(
          memory.input(0).assumingMemoryBound(to: Float.self) + start,
          memory.output(0).assumingMemoryBound(to: Float.self) + start, rows: rows.count, columns: columns,
          scale: scale, offset: offset, pool: .single)
      })
  }
}
