import NNFormat

/// Where a value of a program lies.
@safe enum ValuePlace {
  /// At an address that does not change.
  case fixed(UnsafeMutableRawPointer, count: Int)
  /// In the arena.
  case arena(offset: Int, count: Int)
  case nowhere

  var count: Int {
    switch self {
    case .fixed(_, let count), .arena(_, let count): count
    case .nowhere: 0
    }
  }

  func address(in base: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    switch self {
    case .fixed(let pointer, _): unsafe pointer
    case .arena(let offset, _): unsafe base + offset
    case .nowhere: nil
    }
  }

  func floats(in base: UnsafeMutableRawPointer) -> Floats? {
    unsafe address(in: base).map { unsafe Floats($0, count: count) }
  }
}

/// Binds a training graph to extents: values first, then gradients, then addresses.
struct ProgramBuilder {
  struct ValueState {
    var shape: [Int]
    var place: ValuePlace
    var contents: Bool
  }

  struct PreparedNode {
    let index: Int
    let run: GradientWork.Body?
    let plain: Work.Body?
    let saved: Int
    let outputCount: Int
  }

  struct PreparedGradient {
    let node: Int
    let work: GradientWork
    /// For each input where its gradient goes.
    var targets: [ValuePlace]
    /// For each input whether what it gets is added to what is there: where the sum is.
    var sums: [ValuePlace?]
  }

  let graph: TrainingGraph
  let mode: TrainingProgram.Mode
  var values: [ValueState?]
  var nodes: [PreparedNode] = []
  var gradients: [PreparedGradient] = []
  /// For each value where its gradient is.
  var gradientOfValue: [ValuePlace?]
  var evaluated: [RawMemory] = []
  var constants: [Constant] = []
  var arenaEnd = 0
  var scratchByteCount = 0
  var inputs: [ValuePlace] = []
  private let strings = StringArena()

  init(_ graph: TrainingGraph, inputShapes: [[Int]], mode: TrainingProgram.Mode) throws(EngineError) {
    self.graph = graph
    self.mode = mode
    values = Array(repeating: nil, count: graph.draft.values.count)
    gradientOfValue = Array(repeating: nil, count: graph.draft.values.count)
    for value in values.indices { try bindSource(value) }
    for (index, value) in graph.draft.inputs.enumerated() {
      let type = graph.draft.values[value].elementType ?? .float32
      let place = try allocate(type, inputShapes[index])
      inputs.append(place)
      values[value] = ValueState(shape: inputShapes[index], place: place, contents: false)
    }
  }

  private mutating func bindSource(_ value: Int) throws(EngineError) {
    let memory = graph.memory
    if let index = graph.parameterOfValue[value] {
      let floats = memory.value(index)
      values[value] = unsafe ValueState(
        shape: memory.parameters[index].shape, place: .fixed(UnsafeMutableRawPointer(floats.base), count: floats.count),
        contents: false)
    } else if let index = graph.statisticOfValue[value] {
      let floats = memory.statistic(index)
      values[value] = unsafe ValueState(
        shape: memory.statistics[index].shape, place: .fixed(UnsafeMutableRawPointer(floats.base), count: floats.count),
        contents: false)
    } else if let constant = graph.draft.values[value].constant {
      let aligned = try constant.aligned()
      constants.append(aligned)
      values[value] = unsafe ValueState(
        shape: aligned.shape, place: .fixed(UnsafeMutableRawPointer(mutating: aligned.base), count: aligned.count),
        contents: true)
    }
  }

  /// New memory in the arena that is never given to anything else.
  private mutating func allocate(_ type: ElementType, _ shape: [Int]) throws(EngineError) -> ValuePlace {
    let byteCount = try StepSizes.byteCount(type, shape, graph.options)
    defer { arenaEnd += MemoryPlan.rounded(byteCount) }
    return .arena(offset: arenaEnd, count: shape.reduce(1, *))
  }

  mutating func build() throws(EngineError) {
    for index in graph.nodes.indices {
      do throws(EngineError) { try prepare(index) } catch {
        throw EngineError(error.kind, error.message, node: error.node ?? graph.nodes[index].draft.origin.label)
      }
    }
    if mode == .training { try buildGradients() }
  }

  private func views(_ node: DraftNode) -> [InputView?] {
    node.inputs.map { input in
      guard let input, let state = values[input] else { return nil }
      var contents: UnsafeRawPointer?
      if state.contents, case .fixed(let pointer, _) = state.place { unsafe contents = UnsafeRawPointer(pointer) }
      return unsafe InputView(
        elementType: graph.draft.values[input].elementType ?? .float32, shape: state.shape, contents: contents)
    }
  }

  /// Prepares the forward pass of a node.
  private mutating func prepare(_ index: Int) throws(EngineError) {
    let node = graph.nodes[index]
    if mode == .training, let rule = node.rule, let forward = rule.forward {
      let usesIdentity = node.draft.origin.operatorType == "Identity" && node.behaviour.noise == nil
      if !usesIdentity { return try prepareTraining(index, forward) }
    }
    let views = views(node.draft)
    for input in node.step.contentInputs where input < views.count && node.draft.inputs[input] != nil {
      guard unsafe views[input]?.contents != nil else {
        throw EngineError(.unsupported, "its shape depends on computed values, which training does not follow")
      }
    }
    let work = try node.step.resolve(StepInputs(views))
    let isKnown = views.allSatisfy { unsafe $0 == nil || $0?.contents != nil }
    if isKnown || node.step.dependsOnlyOnShapes { return try evaluate(node, work) }
    if let alias = work.alias, case let input?? = node.draft.inputs.dropFirst(alias).first,
      case let output?? = node.draft.outputs.first, let source = values[input]
    {
      values[output] = ValueState(shape: work.outputShapes[0], place: source.place, contents: false)
      nodes.append(PreparedNode(index: index, run: nil, plain: nil, saved: 0, outputCount: 1))
      return
    }
    scratchByteCount = max(scratchByteCount, try StepSizes.checkedScratch(work.scratchByteCount, graph.options))
    try placeOutputs(of: node, shapes: work.outputShapes)
    nodes.append(
      PreparedNode(index: index, run: nil, plain: work.run, saved: 0, outputCount: node.draft.outputs.count))
  }

  private mutating func prepareTraining(_ index: Int, _ forward: GradientRule.ForwardMaker) throws(EngineError) {
    let node = graph.nodes[index]
    let work = try forward(context(index, outputShapes: []))
    scratchByteCount = max(scratchByteCount, try StepSizes.checkedScratch(work.scratchByteCount, graph.options))
    let saved = arenaEnd
    arenaEnd += MemoryPlan.rounded(try StepSizes.checkedScratch(work.savedByteCount, graph.options))
    guard node.draft.outputs.dropFirst().allSatisfy({ $0 == nil }) else {
      throw EngineError(.unsupported, "a second output of it is used, which training does not give")
    }
    try placeOutputs(of: node, shapes: work.outputShapes)
    nodes.append(PreparedNode(index: index, run: work.run, plain: nil, saved: saved, outputCount: 1))
  }

  private mutating func placeOutputs(of node: TrainingGraph.TrainingNode, shapes: [[Int]]) throws(EngineError) {
    for (position, output) in node.draft.outputs.enumerated() where position < shapes.count {
      guard let output else { continue }
      let place = try allocate(graph.draft.values[output].elementType ?? .float32, shapes[position])
      values[output] = ValueState(shape: shapes[position], place: place, contents: false)
    }
  }

  /// Computes what depends on nothing but shapes and constants.
  private mutating func evaluate(_ node: TrainingGraph.TrainingNode, _ work: Work) throws(EngineError) {
    var slots: [UnsafeMutableRawPointer?] = unsafe []
    for input in node.draft.inputs {
      var address: UnsafeMutableRawPointer?
      if let input, case .fixed(let pointer, _)? = values[input]?.place { unsafe address = pointer }
      unsafe slots.append(address)
    }
    for (position, output) in node.draft.outputs.enumerated() where position < work.outputShapes.count {
      let shape = work.outputShapes[position]
      let memory = try RawMemory(
        byteCount: StepSizes.byteCount(node.step.outputTypes[position], shape, graph.options))
      evaluated.append(memory)
      unsafe slots.append(memory.base)
      guard let output else { continue }
      values[output] = unsafe ValueState(
        shape: shape, place: .fixed(memory.base, count: shape.reduce(1, *)), contents: true)
    }
    let scratch = try RawMemory(byteCount: work.scratchByteCount)
    try unsafe slots.withUnsafeBufferPointer { buffer throws(EngineError) in
      guard let base = buffer.baseAddress else { return }
      try unsafe work.run(
        StepMemory(
          slots: base, inputCount: node.draft.inputs.count,
          outputCount: min(node.draft.outputs.count, work.outputShapes.count), scratch: scratch.base,
          pool: graph.pool, strings: strings))
    }
  }

  func context(_ index: Int, outputShapes: [[Int]]) throws(EngineError) -> GradientContext {
    let node = graph.nodes[index]
    let operands = views(node.draft).map { view in
      view.map {
        unsafe GradientOperand(elementType: $0.elementType, shape: $0.shape, contents: $0.contents)
      }
    }
    let wanted = node.draft.inputs.map { input in input.map { graph.needsGradient[$0] } ?? false }
    return GradientContext(
      node: node.draft.origin, version: node.draft.version, inputs: operands, outputShapes: outputShapes,
      wanted: wanted, behaviour: node.behaviour, seed: graph.seed, nodeIndex: index)
  }
}
