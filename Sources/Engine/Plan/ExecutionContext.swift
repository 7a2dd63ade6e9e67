import NNFormat

/// The memory one caller needs to run a plan. Not safe to share between threads: make one for each.
///
/// The first run with given input shapes prepares all steps and allocates; the last few shapes are remembered, and runs
/// with one of them allocate nothing but the tensors they return, and take no lock. The loops of a run go over indices,
/// because without optimisation an array's iterator allocates.
public final class ExecutionContext {
  /// What the context runs.
  public let plan: ExecutionPlan
  private var resolutions: [Resolution] = []
  private var dynamicRun: DynamicRun?
  /// The strings of the latest run.
  private let strings = StringArena()

  /// How many signatures of input shapes are remembered.
  private static let remembered = 4

  /// A context that allocates with its first run.
  public init(plan: ExecutionPlan) { self.plan = plan }

  /// Runs the network.
  ///
  /// - Parameter inputs: one tensor for each of `plan.inputs`, of exactly the declared element types.
  /// - Returns: one tensor for each of `plan.outputs`.
  /// - Throws: `EngineError`: `invalidInput` when the inputs do not fit, `shapeMismatch` when shapes do not fit
  ///   together inside, naming the node.
  public func run(_ inputs: [Tensor]) throws(EngineError) -> [Tensor] {
    try InputBinding.check(inputs, against: plan)
    let resolution = try resolution(for: inputs.map(\.shape))
    var aligned: [Constant] = []
    for input in inputs { aligned.append(try Constant(input).aligned()) }
    let addresses = unsafe aligned.map { unsafe $0.base }
    guard resolution.isStatic else { return unsafe try runDynamic(resolution, addresses) }
    var blocks: [AlignedBytes] = []
    unsafe try withOutputs(resolution, 0, [], &blocks) { outputs throws(EngineError) in
      try unsafe addresses.withUnsafeBufferPointer { inputs throws(EngineError) in
        try unsafe outputs.withUnsafeBufferPointer { outputs throws(EngineError) in
          unsafe try run(resolution, inputs: inputs, outputs: outputs)
        }
      }
    }
    var tensors: [Tensor] = []
    for (index, block) in blocks.enumerated() {
      tensors.append(
        try CarriedElements.tensor(plan.outputType(index), resolution.outputShapes[index], block))
    }
    return tensors
  }

  /// The plan bound to input shapes: a remembered one, or a new one.
  package func resolution(for shapes: [[Int]]) throws(EngineError) -> Resolution {
    if let known = resolutions.first(where: { $0.inputShapes == shapes }) { return known }
    let resolution = try Resolver.resolve(plan, inputShapes: shapes)
    resolutions.insert(resolution, at: 0)
    if resolutions.count > ExecutionContext.remembered { resolutions.removeLast() }
    return resolution
  }

  /// The plan bound to the shape of the only input; a shape that is not remembered is checked first.
  ///
  /// - Parameter count: the number of values given for the shape.
  package func resolution(forOnly shape: [Int], count: Int) throws(EngineError) -> Resolution {
    for index in resolutions.indices {
      let resolution = resolutions[index]
      if resolution.inputCount == count, resolution.inputShapes.count == 1, resolution.inputShapes[0] == shape {
        return resolution
      }
    }
    guard checkedProduct(shape) == count else {
      throw EngineError(.invalidInput, "\(count) values do not fill the shape \(Shape(shape))")
    }
    var extents: [String: Int] = [:]
    try InputBinding.check(shape, of: plan.inputs[0], &extents)
    return try resolution(for: [shape])
  }

  /// Runs the static steps on the caller's memory.
  ///
  /// - Parameters:
  ///   - inputs: one aligned address for each input.
  ///   - outputs: one address for each output with room for `resolution.outputByteCounts`; empty when the resolution is
  ///     not static.
  package func run(
    _ resolution: Resolution, inputs: UnsafeBufferPointer<UnsafeRawPointer>,
    outputs: UnsafeBufferPointer<UnsafeMutableRawPointer>
  ) throws(EngineError) {
    unsafe bind(resolution, inputs: inputs, outputs: outputs)
    let (steps, groups) = (resolution.steps, resolution.groups)
    var next = 0
    for index in groups.indices {
      let group = groups[index]
      while next < group.steps.lowerBound {
        try run(steps[next], resolution)
        next += 1
      }
      unsafe RowGroupRun(group, resolution, strings).run(plan.pool)
      next = group.steps.upperBound
    }
    while next < steps.count {
      try run(steps[next], resolution)
      next += 1
    }
    unsafe copyOutputs(resolution, outputs)
  }

  /// Runs as `run(_:inputs:outputs:)` does, but each step for all rows before the next, and tells how long each took.
  package func run(
    _ resolution: Resolution, inputs: UnsafeBufferPointer<UnsafeRawPointer>,
    outputs: UnsafeBufferPointer<UnsafeMutableRawPointer>, timing: inout StepTimes
  ) throws(EngineError) {
    unsafe bind(resolution, inputs: inputs, outputs: outputs)
    for (index, step) in resolution.steps.enumerated() {
      let start = MonotonicClock.nanoseconds
      try run(step, resolution)
      timing.record(index, MonotonicClock.nanoseconds - start)
    }
    unsafe copyOutputs(resolution, outputs)
  }

  /// Puts the caller's addresses where the steps look for them.
  @inline(__always)
  private func bind(
    _ resolution: Resolution, inputs: UnsafeBufferPointer<UnsafeRawPointer>,
    outputs: UnsafeBufferPointer<UnsafeMutableRawPointer>
  ) {
    strings.removeAll()
    let slots = unsafe resolution.slots
    let (inputPatches, outputPatches) = (resolution.inputPatches, resolution.outputPatches)
    for index in inputPatches.indices {
      let (slot, input) = inputPatches[index]
      unsafe slots[slot] = unsafe UnsafeMutableRawPointer(mutating: inputs[input])
    }
    for index in outputPatches.indices {
      let (slot, output) = outputPatches[index]
      unsafe slots[slot] = unsafe outputs[output]
    }
  }

  @inline(__always)
  private func run(_ step: Resolution.ReadyStep, _ resolution: Resolution) throws(EngineError) {
    do throws(EngineError) {
      try unsafe step.run(
        StepMemory(
          slots: resolution.slots + step.slot, inputCount: step.inputCount, outputCount: step.outputCount,
          scratch: resolution.scratch, pool: plan.pool, strings: strings))
    } catch {
      throw EngineError(error.kind, error.message, node: error.node ?? plan.steps[step.step].label)
    }
  }

  @inline(__always)
  private func copyOutputs(_ resolution: Resolution, _ outputs: UnsafeBufferPointer<UnsafeMutableRawPointer>) {
    let copies = resolution.copies
    for index in copies.indices {
      let copy = copies[index]
      if let source = unsafe resolution.slots[copy.slot] {
        unsafe outputs[copy.output].copyMemory(from: source, byteCount: copy.byteCount)
      }
    }
  }

  private func runDynamic(
    _ resolution: Resolution, _ inputs: [UnsafeRawPointer]
  ) throws(EngineError) -> [Tensor] {
    try unsafe inputs.withUnsafeBufferPointer { inputs throws(EngineError) in
      unsafe try run(resolution, inputs: inputs, outputs: UnsafeBufferPointer(start: nil, count: 0))
    }
    let dynamic = dynamicRun ?? DynamicRun(plan: plan, strings: strings)
    dynamicRun = dynamic
    return unsafe try dynamic.run(resolution, inputs: inputs)
  }

  /// Allocates the outputs one inside the other, so that each is written where it will stay.
  private func withOutputs(
    _ resolution: Resolution, _ index: Int, _ outputs: [UnsafeMutableRawPointer], _ blocks: inout [AlignedBytes],
    _ body: ([UnsafeMutableRawPointer]) throws(EngineError) -> Void
  ) throws(EngineError) {
    guard index < resolution.outputByteCounts.count else { return unsafe try body(outputs) }
    var inner: [AlignedBytes] = []
    let byteCount = resolution.outputByteCounts[index]
    let block = unsafe try AlignedBytes(value: byteCount) {
      buffer throws(EngineError) in
      guard let base = buffer.baseAddress else { return }
      unsafe try withOutputs(resolution, index + 1, outputs + [base], &inner, body)
    }
    blocks.append(block)
    blocks += inner
  }
}
