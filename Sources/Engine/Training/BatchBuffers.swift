import NNFormat

/// A program with the memory of a batch: inputs, targets, weights and the losses.
@safe final class BatchBuffers {
  let program: TrainingProgram
  let batch: TrainingBatch
  let heads: [HeadBuffers]
  private let memory: RawMemory

  init(_ program: TrainingProgram, targetRowCount: Int) throws(EngineError) {
    self.program = program
    var heads: [HeadBuffers] = []
    var wanted = 0
    for (head, places) in zip(program.graph.heads, program.heads) {
      heads.append(try HeadBuffers(head, places, batchRows: program.rows, offset: wanted))
      wanted += heads.last?.targetRowCount ?? 0
    }
    self.heads = heads
    guard targetRowCount == wanted else {
      let shapes = program.heads.map { "\(Shape(Array($0.outputShape.dropFirst())))" }.joined(separator: " and ")
      throw EngineError(
        .invalidInput,
        "the network gives \(shapes) a row, for which the loss needs \(wanted) target value\(wanted == 1 ? "" : "s"), but the data has \(targetRowCount)"
      )
    }
    let targetCount = program.rows * targetRowCount
    let size = MemoryPlan.rounded(targetCount * 4)
    memory = try RawMemory(byteCount: size + program.rows * 4)
    let inputBytes = zip(program.graph.draft.inputs, program.inputShapes).map { input, shape in
      (program.graph.draft.values[input].elementType ?? .float32).carriedWidth * shape.dropFirst().reduce(1, *)
    }
    batch = unsafe TrainingBatch(
      inputs: inputBytes.indices.map { unsafe program.input($0) }, inputRowBytes: inputBytes,
      targets: Floats(memory.base, count: targetCount), targetRowCount: targetRowCount,
      weights: Floats(memory.base + size, count: program.rows))
  }

  /// The losses of the batch in one, and their gradients where the program has places for them.
  ///
  /// - Throws: `EngineError` of kind `invalidInput` for a class number outside of the network's classes.
  func evaluateLoss() throws(EngineError) -> Double {
    var total = 0.0
    for index in heads.indices {
      heads[index].take(batch)
      total += try heads[index].head.weight * heads[index].evaluateLoss()
    }
    return total
  }

  func update(_ metric: inout MetricState, of head: Int) {
    let head = heads[head]
    unsafe metric.update(
      head.places.output, head.targets, rows: head.rows, scratch: head.scratch.base.assumingMemoryBound(to: Double.self)
    )
  }

  /// Whether a loss writes its gradient there.
  func isLossGradient(_ gradient: Floats) -> Bool {
    for index in heads.indices where unsafe heads[index].places.lossGradient?.base == gradient.base { return true }
    return false
  }

  /// The label of the first step whose values are not all numbers, in execution order.
  var firstInvalidStep: String? {
    for product in program.products {
      for index in 0..<product.values.count where !product.values[index].isFinite { return product.label }
    }
    return nil
  }
}
