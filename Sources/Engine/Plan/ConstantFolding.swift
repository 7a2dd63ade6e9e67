import NNFormat

/// Fixes the element type of every value and runs, once, the nodes whose inputs are all constant.
package enum ConstantFolding {
  /// Folding may not blow a model up: a result larger than this and than a few times its inputs is left to the run.
  private static let largestResult = 16 << 20
  /// The same for all results of a model together, beside a few times what it holds.
  private static let largestSum = 256 << 20
  private static let largestSumGrowth = 8

  package static func apply(to draft: inout Draft, options: EngineOptions, pool: ThreadPool) throws(EngineError) {
    var kept: [DraftNode] = []
    let rightSides = options.fusion ? Fusion.rightSides(draft) : []
    var chosen = ChosenBranches()
    // The next node is the last one, so that a branch takes the place of its node.
    var waiting = Array(draft.nodes.reversed())
    while var node = waiting.popLast() {
      chosen.bindInputs(of: &node)
      if case .conditional(let scope) = node.operation {
        waiting += try chosen.choose(node, scope, &draft).reversed()
        continue
      }
      let step = try StepFactory.step(for: node, in: draft, pool: pool)
      guard step.outputTypes.count >= node.outputs.count else {
        throw EngineError(
          .unsupported, "\(node.outputs.count) outputs are more than are supported", node: node.origin.label)
      }
      for (output, type) in zip(node.outputs, step.outputTypes) {
        if let output { draft.values[output].elementType = type }
      }
      let isConstant = node.inputs.allSatisfy { $0 == nil || draft.constant($0) != nil }
      let waits = isConstant && Fusion.keepsCodes(node, rightSides, draft)
      if isConstant, !waits, try fold(node, step, into: &draft, options, pool) { continue }
      kept.append(node)
    }
    draft.nodes = kept
    chosen.bindOutputs(of: &draft)
  }

  /// Folds what waited for layers that keep codes and was not taken by one.
  package static func finish(_ draft: inout Draft, options: EngineOptions, pool: ThreadPool) throws(EngineError) {
    var kept: [DraftNode] = []
    for node in draft.nodes {
      let isConstant = node.isStandard && node.inputs.allSatisfy { $0 == nil || draft.constant($0) != nil }
      if isConstant, try fold(node, StepFactory.step(for: node, in: draft, pool: pool), into: &draft, options, pool) {
        continue
      }
      kept.append(node)
    }
    draft.nodes = kept
  }

  private static func fold(
    _ node: DraftNode, _ step: any Step, into draft: inout Draft, _ options: EngineOptions, _ pool: ThreadPool
  ) throws(EngineError) -> Bool {
    do {
      var inputs: [Constant?] = []
      for input in node.inputs { inputs.append(try draft.constant(input)?.aligned()) }
      let left = largestSum + largestSumGrowth * draft.givenByteCount - draft.foldedByteCount
      let runner = SingleStepRunner(options: options, pool: pool)
      let inputBytes = inputs.reduce(0) { $0 + ($1?.byteCount ?? 0) }
      guard
        let results = try runner.run(
          step, inputs: inputs, outputCount: node.outputs.count,
          limit: min(max(largestResult, inputBytes * step.foldingGrowth), left))
      else { return false }
      for (output, result) in zip(node.outputs, results) {
        draft.foldedByteCount += result.byteCount
        if let output { draft.values[output].constant = result }
      }
      return true
    } catch {
      throw EngineError(error.kind, error.message, node: error.node ?? node.origin.label)
    }
  }
}

/// Runs one step on constants.
package struct SingleStepRunner {
  let options: EngineOptions
  let pool: ThreadPool

  /// The outputs, or `nil` when they would take more than `limit` bytes.
  package func run(
    _ step: any Step, inputs: [Constant?], outputCount: Int, limit: Int
  ) throws(EngineError) -> [Constant]? {
    let views = inputs.map { constant in
      constant.map { unsafe InputView(elementType: $0.elementType, shape: $0.shape, contents: $0.base) }
    }
    let work = try step.resolve(StepInputs(views))
    var slots: [UnsafeMutableRawPointer?] = unsafe inputs.map { constant in
      unsafe constant.map { unsafe UnsafeMutableRawPointer(mutating: $0.base) }
    }
    var blocks: [AlignedBytes] = []
    for (index, shape) in work.outputShapes.enumerated() where index < outputCount {
      let byteCount = try StepSizes.byteCount(step.outputTypes[index], shape, options)
      guard byteCount <= limit else { return nil }
      let block = try unsafe AlignedBytes(value: byteCount) { _ in }
      blocks.append(block)
      unsafe slots.append(block.withBytes { bytes in unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress) })
    }
    let scratch = try RawMemory(byteCount: StepSizes.checkedScratch(work.scratchByteCount, options))
    let strings = StringArena()
    try unsafe slots.withUnsafeBufferPointer { buffer throws(EngineError) in
      guard let base = buffer.baseAddress else { return }
      try unsafe work.run(
        StepMemory(
          slots: base, inputCount: inputs.count, outputCount: blocks.count, scratch: scratch.base, pool: pool,
          strings: strings))
    }
    var results: [Constant] = []
    for (index, block) in blocks.enumerated() {
      results.append(
        try Constant(elementType: step.outputTypes[index], shape: work.outputShapes[index], bytes: block))
    }
    return results
  }
}

/// Byte counts of values, checked against overflow and the memory limit.
package enum StepSizes {
  package static func byteCount(
    _ type: ElementType, _ shape: [Int], _ options: EngineOptions
  ) throws(EngineError) -> Int {
    guard let count = checkedProduct(shape), let bytes = type.carriedByteCount(of: count) else {
      throw EngineError(.shapeMismatch, "a value of shape \(shape) does not fit into memory")
    }
    guard bytes <= options.memoryLimit else { throw .overLimit("values of shape \(shape)", bytes, options) }
    return bytes
  }

  package static func checkedScratch(_ byteCount: Int, _ options: EngineOptions) throws(EngineError) -> Int {
    guard byteCount >= 0 else { throw .noMemory(byteCount) }
    guard byteCount <= options.memoryLimit else { throw .overLimit("intermediate results", byteCount, options) }
    return byteCount
  }
}
