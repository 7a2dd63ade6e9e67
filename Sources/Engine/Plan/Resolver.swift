import NNFormat

/// Binds a plan to the concrete shapes of its inputs.
struct Resolver {
  let plan: ExecutionPlan
  var values: [ResolvedValue?]
  var blocks: [MemoryPlan.Block] = []
  /// For each block the output of the plan that it is, when there is one.
  var outputOfBlock: [Int?] = []
  var pending: [(step: Int, work: Work)] = []
  private var isDynamic: [Bool]
  var dynamicSteps: [Int] = []
  var evaluated: [RawMemory] = []
  /// The strings among what was evaluated.
  let evaluatedStrings = StringArena()
  /// Bytes of what was evaluated.
  var evaluatedByteCount = 0
  var scratchByteCount = 0
  /// For each value the last step that reads it; outputs live to the end.
  private let lastReader: [Int]

  /// Results up to this size are computed while resolving when nothing but shapes decides them.
  private static let largestEvaluated = 1 << 20
  /// The same for all of them together.
  private static let largestEvaluatedSum = 64 << 20

  static func resolve(_ plan: ExecutionPlan, inputShapes: [[Int]]) throws(EngineError) -> Resolution {
    var resolver = Resolver(plan)
    try resolver.bindSources(inputShapes)
    for index in plan.steps.indices { try resolver.resolve(index) }
    return try resolver.finish(inputShapes)
  }

  private init(_ plan: ExecutionPlan) {
    self.plan = plan
    values = Array(repeating: nil, count: plan.elementTypes.count)
    isDynamic = Array(repeating: false, count: plan.elementTypes.count)
    var last = [Int](repeating: -1, count: plan.elementTypes.count)
    for (index, step) in plan.steps.enumerated() {
      for case let input? in step.inputs { last[input] = index }
    }
    for output in plan.outputValues { last[output] = plan.steps.count }
    lastReader = last
  }

  private mutating func bindSources(_ inputShapes: [[Int]]) throws(EngineError) {
    for (value, constant) in plan.constants.enumerated() {
      guard let constant else { continue }
      values[value] = unsafe ResolvedValue(
        shape: constant.shape, byteCount: constant.byteCount, place: .fixed(constant.base))
    }
    for (index, value) in plan.inputValues.enumerated() {
      let byteCount = try StepSizes.byteCount(plan.elementTypes[value] ?? .float32, inputShapes[index], plan.options)
      values[value] = ResolvedValue(shape: inputShapes[index], byteCount: byteCount, place: .input(index))
    }
  }

  private mutating func resolve(_ index: Int) throws(EngineError) {
    let step = plan.steps[index]
    let views = step.inputs.map { input in input.flatMap { view($0) } }
    let waits = step.step.contentInputs.contains { position in
      guard position < step.inputs.count, step.inputs[position] != nil else { return false }
      return unsafe views[position]?.contents == nil
    }
    if waits || step.inputs.contains(where: { $0.map { isDynamic[$0] } ?? false }) {
      markDynamic(index)
      return
    }
    do {
      try place(index, work: step.step.resolve(StepInputs(views)), views: views)
    } catch {
      throw EngineError(error.kind, error.message, node: error.node ?? step.label)
    }
  }

  /// A step whose shapes are known only while running; the values it reads must outlive the static steps.
  private mutating func markDynamic(_ index: Int) {
    dynamicSteps.append(index)
    for case let output? in plan.steps[index].outputs { isDynamic[output] = true }
    for case let input? in plan.steps[index].inputs {
      if case .block(let block)? = values[input]?.place { extend(block, to: plan.steps.count) }
    }
  }

  private func view(_ value: Int) -> InputView? {
    guard let resolved = values[value] else { return nil }
    var contents: UnsafeRawPointer?
    if case .fixed(let pointer) = resolved.place { unsafe contents = pointer }
    return unsafe InputView(
      elementType: plan.elementTypes[value] ?? .float32, shape: resolved.shape, contents: contents)
  }

  private mutating func extend(_ block: Int, to step: Int) {
    let lifetime = blocks[block].lifetime
    blocks[block].lifetime = lifetime.lowerBound...max(lifetime.upperBound, step)
  }

  private mutating func place(_ index: Int, work: Work, views: [InputView?]) throws(EngineError) {
    let step = plan.steps[index]
    var sizes: [Int] = []
    for (position, shape) in work.outputShapes.enumerated() where position < step.outputs.count {
      sizes.append(try StepSizes.byteCount(step.step.outputTypes[position], shape, plan.options))
    }
    let scratch = try StepSizes.checkedScratch(work.scratchByteCount, plan.options)
    let isKnown = views.allSatisfy { unsafe $0 == nil || $0?.contents != nil }
    let sum = sizes.reduce(0, +)
    if isKnown || step.step.dependsOnlyOnShapes, sizes.allSatisfy({ $0 <= Resolver.largestEvaluated }),
      sum <= Resolver.largestEvaluatedSum - evaluatedByteCount
    {
      evaluatedByteCount += sum
      try evaluate(step, work, sizes)
      return
    }
    if let alias = work.alias, let input = step.inputs[alias], let output = step.outputs.first ?? nil,
      let source = values[input]
    {
      values[output] = ResolvedValue(shape: work.outputShapes[0], byteCount: source.byteCount, place: source.place)
      if case .block(let block) = source.place { extend(block, to: lastReader[output]) }
      return
    }
    scratchByteCount = max(scratchByteCount, scratch)
    for case let input? in step.inputs {
      if case .block(let block)? = values[input]?.place { extend(block, to: index) }
    }
    for (position, output) in step.outputs.enumerated() where position < sizes.count {
      let last = max(output.map { lastReader[$0] } ?? index, index)
      let block: Int
      if position == 0, let taken = blockToTakeOver(index, work, byteCount: sizes[0]) {
        block = taken
        extend(block, to: last)
      } else {
        block = blocks.count
        blocks.append(MemoryPlan.Block(byteCount: sizes[position], lifetime: index...last))
        outputOfBlock.append(nil)
      }
      if let output {
        values[output] = ResolvedValue(
          shape: work.outputShapes[position], byteCount: sizes[position], place: .block(block))
      }
    }
    pending.append((index, work))
  }

  /// The block of an input that ends its life at this step and has the size of the output.
  private func blockToTakeOver(_ index: Int, _ work: Work, byteCount: Int) -> Int? {
    let step = plan.steps[index]
    for position in work.inPlaceInputs where position < step.inputs.count {
      guard let input = step.inputs[position], case .block(let block)? = values[input]?.place,
        blocks[block].byteCount == byteCount, blocks[block].lifetime.upperBound <= index,
        !step.inputs.enumerated().contains(where: { other, value in
          other != position && !work.inPlaceInputs.contains(other) && value.map { isIn(block, $0) } ?? false
        })
      else { continue }
      return block
    }
    return nil
  }

  private func isIn(_ block: Int, _ value: Int) -> Bool {
    if case .block(let other)? = values[value]?.place { other == block } else { false }
  }

  /// Computes outputs that depend on nothing but shapes and constants.
  private mutating func evaluate(
    _ step: ExecutionPlan.BoundStep, _ work: Work, _ sizes: [Int]
  ) throws(EngineError) {
    var slots: [UnsafeMutableRawPointer?] = unsafe []
    for input in step.inputs {
      var address: UnsafeMutableRawPointer?
      if let input, case .fixed(let pointer)? = values[input]?.place {
        unsafe address = UnsafeMutableRawPointer(mutating: pointer)
      }
      unsafe slots.append(address)
    }
    for (position, output) in step.outputs.enumerated() where position < sizes.count {
      let memory = try RawMemory(byteCount: sizes[position])
      evaluated.append(memory)
      unsafe slots.append(memory.base)
      if let output {
        values[output] = unsafe ResolvedValue(
          shape: work.outputShapes[position], byteCount: sizes[position], place: .fixed(UnsafeRawPointer(memory.base)))
      }
    }
    let scratch = try RawMemory(byteCount: work.scratchByteCount)
    try unsafe slots.withUnsafeBufferPointer { buffer throws(EngineError) in
      guard let base = buffer.baseAddress else { return }
      try unsafe work.run(
        StepMemory(
          slots: base, inputCount: step.inputs.count, outputCount: sizes.count, scratch: scratch.base, pool: plan.pool,
          strings: evaluatedStrings))
    }
  }
}
