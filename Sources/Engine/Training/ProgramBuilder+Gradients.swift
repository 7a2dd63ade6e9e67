import NNFormat

extension ProgramBuilder {
  /// Prepares the gradients from the loss back to the parameters.
  ///
  /// The first gradient that reaches a value is written where the value's gradient is; later ones are written beside it
  /// and added, in one fixed order.
  mutating func buildGradients() throws(EngineError) {
    let losses = graph.heads.map(\.lossValue)
    for value in losses where graph.needsGradient[value] { _ = try gradientPlace(of: value) }
    for entry in graph.activityPenalties where graph.needsGradient[entry.value] {
      // The penalty's gradient is what the sum starts with; the loss's own value keeps what the loss writes.
      if !losses.contains(entry.value) { _ = try gradientPlace(of: entry.value) }
    }
    for position in nodes.indices.reversed() {
      let node = graph.nodes[nodes[position].index]
      let outputs = node.draft.outputs.compactMap { $0 }
      guard outputs.contains(where: { gradientOfValue[$0] != nil }),
        node.draft.inputs.contains(where: { $0.map { graph.needsGradient[$0] } ?? false })
      else { continue }
      guard let rule = node.rule else {
        throw EngineError(
          .unsupported, "the operator has no gradient, so that the network cannot be trained",
          node: node.draft.origin.label)
      }
      do throws(EngineError) { try prepareGradient(position, node, rule) } catch {
        throw EngineError(error.kind, error.message, node: error.node ?? node.draft.origin.label)
      }
    }
  }

  private mutating func prepareGradient(
    _ position: Int, _ node: TrainingGraph.TrainingNode, _ rule: GradientRule
  ) throws(EngineError) {
    let shapes = node.draft.outputs.map { output in output.flatMap { values[$0]?.shape } ?? [] }
    let work = try rule.make(try context(nodes[position].index, outputShapes: shapes))
    scratchByteCount = max(scratchByteCount, try StepSizes.checkedScratch(work.scratchByteCount, graph.options))
    var targets: [ValuePlace] = []
    var sums: [ValuePlace?] = []
    for input in node.draft.inputs {
      guard let input, graph.needsGradient[input] else {
        targets.append(.nowhere)
        sums.append(nil)
        continue
      }
      if let existing = gradientOfValue[input] {
        targets.append(try arena(count: existing.count))
        sums.append(existing)
      } else {
        targets.append(try gradientPlace(of: input))
        sums.append(nil)
      }
    }
    gradients.append(PreparedGradient(node: position, work: work, targets: targets, sums: sums))
  }

  private mutating func arena(count: Int) throws(EngineError) -> ValuePlace {
    defer { arenaEnd += MemoryPlan.rounded(count * 4) }
    return .arena(offset: arenaEnd, count: count)
  }

  /// Where the gradient of a value is: a parameter's beside the parameter, others in the arena.
  private mutating func gradientPlace(of value: Int) throws(EngineError) -> ValuePlace {
    if let place = gradientOfValue[value] { return place }
    let place: ValuePlace
    if let index = graph.parameterOfValue[value] {
      let floats = graph.memory.gradient(index)
      place = unsafe .fixed(UnsafeMutableRawPointer(floats.base), count: floats.count)
    } else {
      place = try arena(count: values[value]?.shape.reduce(1, *) ?? 0)
    }
    gradientOfValue[value] = place
    return place
  }
}

/// The finished layout of a program.
struct ProgramLayout {
  var slots: [ValuePlace] = []
  var forwards: [TrainingProgram.Forward] = []
  var backwards: [TrainingProgram.Backward] = []
  var inputs: [ValuePlace] = []
  var heads: [(output: ValuePlace, outputShape: [Int], logits: ValuePlace, lossGradient: ValuePlace?)] = []
  var penalised: [(value: ValuePlace, gradient: ValuePlace?, penalty: Penalty)] = []
  var products: [(label: String, place: ValuePlace)] = []
  var arenaByteCount = 0
  var scratchByteCount = 0
}

extension ProgramBuilder {
  /// Lists the addresses: for each node its inputs, outputs, gradients of outputs and gradients of inputs; then the places
  /// of sums.
  func layout() -> ProgramLayout {
    var layout = ProgramLayout()
    layout.inputs = inputs
    layout.arenaByteCount = arenaEnd
    layout.scratchByteCount = scratchByteCount
    let gradientOfNode = Dictionary(gradients.map { ($0.node, $0) }) { first, _ in first }
    var starts: [Int] = []
    for (position, prepared) in nodes.enumerated() {
      let node = graph.nodes[prepared.index]
      starts.append(layout.slots.count)
      layout.slots += node.draft.inputs.map { input in input.flatMap { values[$0]?.place } ?? .nowhere }
      let outputs = node.draft.outputs.prefix(prepared.outputCount)
      layout.slots += outputs.map { output in output.flatMap { values[$0]?.place } ?? .nowhere }
      layout.slots += outputs.map { output in output.flatMap { gradientOfValue[$0] } ?? .nowhere }
      layout.slots += gradientOfNode[position]?.targets ?? node.draft.inputs.map { _ in .nowhere }
      let label = node.draft.origin.label
      layout.forwards.append(
        TrainingProgram.Forward(
          label: label, slot: starts[position], run: prepared.run, plain: prepared.plain,
          inputCount: node.draft.inputs.count, outputCount: prepared.outputCount, saved: prepared.saved))
      for case let output? in outputs where graph.draft.values[output].elementType == .float32 {
        if let place = values[output]?.place { layout.products.append((label, place)) }
      }
    }
    for gradient in gradients {
      let forward = layout.forwards[gradient.node]
      var additions: [(source: Int, target: Int)] = []
      for (input, sum) in gradient.sums.enumerated() {
        guard let sum else { continue }
        additions.append((forward.slot + forward.inputCount + 2 * forward.outputCount + input, layout.slots.count))
        layout.slots.append(sum)
      }
      layout.backwards.append(
        TrainingProgram.Backward(
          forward: gradient.node, run: gradient.work.run, additions: additions,
          fusedParameter: graph.nodes[nodes[gradient.node].index].fusedParameter))
    }
    layout.heads = graph.heads.map { head in
      (
        values[head.outputValue]?.place ?? .nowhere, values[head.outputValue]?.shape ?? [],
        values[head.lossValue]?.place ?? .nowhere, gradientOfValue[head.lossValue]
      )
    }
    for entry in graph.activityPenalties {
      guard let place = values[entry.value]?.place else { continue }
      layout.penalised.append((place, gradientOfValue[entry.value], entry.penalty))
    }
    return layout
  }
}
