import NNFormat

/// Runs the steps of a plan whose shapes depend on computed elements, preparing each when its inputs are there.
///
/// Every value keeps a block of its own, which grows to the largest size it ever had.
final class DynamicRun {
  private let plan: ExecutionPlan
  private let strings: StringArena
  private var memory: [RawMemory?]
  /// Bytes of all blocks.
  private var byteCount = 0

  init(plan: ExecutionPlan, strings: StringArena) {
    self.plan = plan
    self.strings = strings
    memory = Array(repeating: nil, count: plan.elementTypes.count)
  }

  /// Runs what the static steps left.
  ///
  /// - Returns: a copy of each output.
  func run(_ resolution: Resolution, inputs: [UnsafeRawPointer]) throws(EngineError) -> [Tensor] {
    var values = resolution.values
    for value in values.indices {
      if case .input(let input)? = values[value]?.place {
        values[value]?.place = unsafe .fixed(inputs[input])
      }
    }
    for index in resolution.dynamicSteps {
      do throws(EngineError) {
        try run(plan.steps[index], &values)
      } catch {
        throw EngineError(error.kind, error.message, node: error.node ?? plan.steps[index].label)
      }
    }
    var tensors: [Tensor] = []
    for (index, value) in plan.outputValues.enumerated() {
      guard let resolved = values[value], case .fixed(let source) = resolved.place else {
        throw EngineError(.invalidGraph, "the output \"\(plan.outputs[index].name)\" was not computed")
      }
      let byteCount = resolved.byteCount
      let block = try unsafe AlignedBytes(value: byteCount) { buffer in
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(start: source, count: byteCount))
      }
      tensors.append(try CarriedElements.tensor(plan.outputType(index), resolved.shape, block))
    }
    return tensors
  }

  private func run(_ step: ExecutionPlan.BoundStep, _ values: inout [ResolvedValue?]) throws(EngineError) {
    var views: [InputView?] = []
    var slots: [UnsafeMutableRawPointer?] = unsafe []
    for input in step.inputs {
      guard let input, let resolved = values[input], case .fixed(let pointer) = resolved.place else {
        views.append(nil)
        unsafe slots.append(nil)
        continue
      }
      views.append(
        unsafe InputView(
          elementType: plan.elementTypes[input] ?? .float32, shape: resolved.shape, contents: pointer))
      unsafe slots.append(UnsafeMutableRawPointer(mutating: pointer))
    }
    let work = try step.step.resolve(StepInputs(views))
    for (position, output) in step.outputs.enumerated() where position < work.outputShapes.count {
      let shape = work.outputShapes[position]
      let byteCount = try StepSizes.byteCount(step.step.outputTypes[position], shape, plan.options)
      guard let output else {
        // An omitted output still needs room when the step computes it together with another one.
        let spare = try RawMemory(byteCount: byteCount)
        spares.append(spare)
        unsafe slots.append(spare.base)
        continue
      }
      let block = try block(for: output, byteCount: byteCount)
      unsafe slots.append(block.base)
      values[output] = unsafe ResolvedValue(
        shape: shape, byteCount: byteCount, place: .fixed(UnsafeRawPointer(block.base)))
    }
    let scratch = try RawMemory(byteCount: StepSizes.checkedScratch(work.scratchByteCount, plan.options))
    let outputCount = unsafe slots.count - step.inputs.count
    try unsafe slots.withUnsafeBufferPointer { buffer throws(EngineError) in
      guard let base = buffer.baseAddress else { return }
      try unsafe work.run(
        StepMemory(
          slots: base, inputCount: step.inputs.count, outputCount: outputCount,
          scratch: scratch.base, pool: plan.pool, strings: strings))
    }
    spares.removeAll()
  }

  private var spares: [RawMemory] = []

  private func block(for value: Int, byteCount: Int) throws(EngineError) -> RawMemory {
    let more = max(byteCount - (memory[value]?.capacity ?? 0), 0)
    self.byteCount = try StepSizes.checkedScratch(self.byteCount + more, plan.options)
    if let block = memory[value] {
      try block.reserve(byteCount)
      return block
    }
    let block = try RawMemory(byteCount: byteCount)
    memory[value] = block
    return block
  }
}
