extension Resolver {
  /// The resolution: blocks placed in the arena, every address that does not come from the caller fixed.
  mutating func finish(_ inputShapes: [[Int]]) throws(EngineError) -> Resolution {
    var directOutputs = Set<Int>()
    if dynamicSteps.isEmpty {
      for (index, value) in plan.outputValues.enumerated() {
        if case .block(let block)? = values[value]?.place, outputOfBlock[block] == nil {
          outputOfBlock[block] = index
          directOutputs.insert(index)
        }
      }
    }
    for block in blocks.indices where outputOfBlock[block] != nil { blocks[block].byteCount = 0 }
    let groups = RowGroup.groups(pending.map { candidate($0.step, $0.work) }, plan.pool)
    for group in groups {
      keepApart(group)
      scratchByteCount = max(scratchByteCount, group.scratchByteCount)
    }
    let memory = MemoryPlan(blocks)
    let outputByteCount = plan.outputValues.reduce(0) { $0 + (values[$1]?.byteCount ?? 0) }
    _ = try StepSizes.checkedScratch(
      memory.byteCount + scratchByteCount + evaluatedByteCount + outputByteCount, plan.options)
    let slotCount = pending.reduce(plan.outputValues.count) { count, entry in
      count + plan.steps[entry.step].inputs.count + plan.steps[entry.step].outputs.count
    }
    let resolution = try Resolution(
      inputShapes: inputShapes, slotCount: slotCount, arenaByteCount: memory.byteCount,
      scratchByteCount: scratchByteCount, evaluated: evaluated,
      evaluatedStrings: evaluatedStrings)
    var slot = 0
    for (index, work) in pending {
      let step = plan.steps[index]
      resolution.steps.append(
        Resolution.ReadyStep(
          run: work.run, rowWork: work.rowWork, slot: slot, inputCount: step.inputs.count,
          outputCount: step.outputs.count, step: index, cost: work.cost,
          byteCount: work.cost.byteCount(of: step, values)))
      for value in step.inputs + step.outputs {
        if let value { bind(value, to: slot, in: resolution, memory) }
        slot += 1
      }
    }
    resolution.groups = groups
    resolution.values = values
    resolution.dynamicSteps = dynamicSteps
    bindOutputs(from: slot, direct: directOutputs, in: resolution, memory)
    for value in values.indices {
      if case .block(let block)? = values[value]?.place, outputOfBlock[block] == nil {
        unsafe resolution.values[value]?.place = .fixed(UnsafeRawPointer(resolution.arena.base + memory.offsets[block]))
      }
    }
    return resolution
  }

  /// The block that holds a value.
  private func block(_ value: Int?) -> Int? {
    if let value, case .block(let block)? = values[value]?.place { block } else { nil }
  }

  private func candidate(_ index: Int, _ work: Work) -> RowGroup.Candidate {
    let step = plan.steps[index]
    return RowGroup.Candidate(
      work: work.rowWork, inputs: step.inputs.map(block), outputs: step.outputs.map(block),
      constantByteCount: work.cost.constantByteCount,
      byteCount: step.outputs.reduce(0) { $0 + ($1.flatMap { values[$0]?.byteCount } ?? 0) })
  }

  /// Lets blocks that are alive during any step of a group live during all of them: its steps do not follow each other
  /// for all rows alike.
  private mutating func keepApart(_ group: RowGroup) {
    let steps = pending[group.steps.lowerBound].step...pending[group.steps.upperBound - 1].step
    for index in blocks.indices where blocks[index].lifetime.overlaps(steps) {
      let lifetime = blocks[index].lifetime
      blocks[index].lifetime =
        min(lifetime.lowerBound, steps.lowerBound)...max(lifetime.upperBound, steps.upperBound)
    }
  }

  private func bind(_ value: Int, to slot: Int, in resolution: Resolution, _ memory: MemoryPlan) {
    switch values[value]?.place {
    case .fixed(let pointer): unsafe resolution.slots[slot] = UnsafeMutableRawPointer(mutating: pointer)
    case .input(let input): resolution.inputPatches.append((slot, input))
    case .block(let block):
      if let output = outputOfBlock[block] {
        resolution.outputPatches.append((slot, output))
      } else {
        unsafe resolution.slots[slot] = unsafe resolution.arena.base + memory.offsets[block]
      }
    case nil: break
    }
  }

  private func bindOutputs(
    from firstSlot: Int, direct: Set<Int>, in resolution: Resolution, _ memory: MemoryPlan
  ) {
    guard dynamicSteps.isEmpty else { return }
    for (index, value) in plan.outputValues.enumerated() {
      guard let resolved = values[value] else { continue }
      resolution.outputShapes.append(resolved.shape)
      resolution.outputByteCounts.append(resolved.byteCount)
      if direct.contains(index) { continue }
      bind(value, to: firstSlot + index, in: resolution, memory)
      resolution.copies.append(
        Resolution.OutputCopy(output: index, slot: firstSlot + index, byteCount: resolved.byteCount))
    }
  }
}

extension StepCost {
  /// Bytes that a run of a step reads and writes.
  func byteCount(of step: ExecutionPlan.BoundStep, _ values: [ResolvedValue?]) -> Int {
    let read = step.inputs.indices.reduce(constantByteCount) { sum, position in
      guard let input = step.inputs[position], !unreadInputs.contains(position) else { return sum }
      return sum + (values[input]?.byteCount ?? 0)
    }
    return step.outputs.reduce(read) { $0 + ($1.flatMap { values[$0]?.byteCount } ?? 0) }
  }
}
