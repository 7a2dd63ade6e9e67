import NNFormat

/// Trains a network: parameters, optimizer state and the programs that compute gradients.
///
///     let trainer = try Trainer(model, settings: TrainingSettings(loss: Loss(.meanSquaredError), optimizer: .adam()))
///     try trainer.fit(data, batch: 32, epochs: 10)
///     let trained = trainer.model()
///
/// The result of a step does not depend on the number of threads, not in a single bit. One caller at a time.
@safe public final class Trainer {
  /// How the network is trained. The optimizer's learning rate may be changed between steps.
  public internal(set) var settings: TrainingSettings
  let graph: TrainingGraph
  /// Updates that were made.
  public internal(set) var step = 0
  /// The product of Nadam's momentum factors so far.
  var product: Float = 1
  private var programs: [(shapes: [[Int]], mode: TrainingProgram.Mode, buffers: BatchBuffers)] = []
  let numbers: RawMemory
  private let slotPointers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  /// The rule bound to each parameter for one step.
  private let updates: UnsafeMutablePointer<ParameterUpdate>

  /// Prepares the training of a model.
  ///
  /// - Throws: `EngineError` that names the node through which no gradient passes, or what in the settings does not fit.
  public init(_ model: Model, settings: TrainingSettings, options: EngineOptions = .init()) throws(EngineError) {
    self.settings = settings
    graph = try TrainingGraph(model, settings, options: options)
    numbers = try RawMemory(byteCount: 64)
    unsafe slotPointers = .allocate(capacity: 6)
    unsafe updates = .allocate(capacity: max(graph.memory.parameters.count, 1))
  }

  deinit {
    unsafe slotPointers.deallocate()
    unsafe updates.deallocate()
  }

  /// The names of the parameters in the optimizer's order.
  public var parameterNames: [String] { graph.memory.parameters.map(\.name) }

  /// The names of what is reported beside the loss.
  public var figureNames: [String] { graph.figures.map(\.name) }

  /// The learning rate of the next step.
  public var learningRate: Float { settings.optimizer.learningRate.rate(at: step) }

  /// Fixes the learning rate in the place of a schedule.
  public func setLearningRate(_ rate: Double) { settings.optimizer.learningRate = .constant(rate) }

  /// The number of values that training changes.
  public var parameterCount: Int { graph.memory.parameters.reduce(0) { $0 + $1.elementCount } }

  /// The program for a number of rows, made when it is first needed; the last few are remembered.
  func buffers(_ shapes: [[Int]], _ mode: TrainingProgram.Mode, _ data: any TrainingData) throws(EngineError)
    -> BatchBuffers
  {
    for index in programs.indices where programs[index].mode == mode && programs[index].shapes == shapes {
      return programs[index].buffers
    }
    try check(shapes)
    let program = try TrainingProgram(graph, inputShapes: shapes, mode: mode)
    let buffers = try BatchBuffers(program, targetRowCount: data.targetRowCount)
    programs.append((shapes, mode, buffers))
    if programs.count > 6 { programs.removeFirst() }
    return buffers
  }

  private func check(_ shapes: [[Int]]) throws(EngineError) {
    let inputs = graph.draft.inputs
    guard shapes.count == inputs.count else {
      throw EngineError(.invalidInput, "the network has \(inputs.count) inputs, the data \(shapes.count)")
    }
    let values = Dictionary(graph.model.graph.inputs.map { ($0.name, $0) }) { first, _ in first }
    var extents: [String: Int] = [:]
    for (input, shape) in zip(inputs, shapes) {
      guard let value = values[graph.draft.values[input].name] else { continue }
      try InputBinding.check(shape, of: value, &extents)
    }
  }

  /// Trains on one batch.
  ///
  /// - Returns: the loss before the update, penalties included. Nothing is changed when it is no number.
  @discardableResult
  func train(_ buffers: BatchBuffers) throws(EngineError) -> Double {
    let loss = try computeLoss(buffers)
    guard loss.isFinite else { return loss }
    prepareUpdates()
    try unsafe buffers.program.backward(step: UInt64(step), updates: UnsafePointer(updates))
    addPenalties()
    if gathersGradients() { finishUpdates() }
    finishStep()
    return loss
  }

  /// Computes the gradients of the loss that `computeLoss` gave, penalties included.
  func computeGradients(_ buffers: BatchBuffers) throws(EngineError) {
    try unsafe buffers.program.backward(step: UInt64(step), updates: nil)
    addPenalties()
  }

  private func addPenalties() {
    let memory = graph.memory
    for index in memory.parameters.indices {
      if let penalty = memory.parameters[index].penalty {
        Self.addGradient(penalty, memory.value(index), to: memory.gradient(index))
      }
    }
  }

  /// The loss of a batch, penalties included; its gradient at the output is left where the program reads it.
  func computeLoss(_ buffers: BatchBuffers) throws(EngineError) -> Double {
    let program = buffers.program
    try program.forward(step: UInt64(step))
    var loss = try buffers.evaluateLoss()
    for entry in program.penalised {
      let penalty = entry.penalty.shared(by: program.rows)
      loss += Self.penalty(penalty, entry.value)
      if let gradient = entry.gradient {
        if !buffers.isLossGradient(gradient) { gradient.fill(0) }
        Self.addGradient(penalty, entry.value, to: gradient)
      }
    }
    for index in graph.memory.parameters.indices {
      if let penalty = graph.memory.parameters[index].penalty {
        loss += Self.penalty(penalty, graph.memory.value(index))
      }
    }
    return loss
  }

  /// Binds the rule to each parameter for the coming step.
  private func prepareUpdates() {
    let optimizer = settings.optimizer
    let rate = optimizer.learningRate.rate(at: step)
    if (step + 1) % optimizer.accumulationSteps == 0 { product = optimizer.nextProduct(product, step: updateCount) }
    optimizer.write(step: updateCount, rate: rate, product: product, to: unsafe Floats(numbers.base, count: 16))
    var transform = OptimizerKernel.Transform()
    if case .value(let limit) = optimizer.clipping { transform.limit = limit }
    for index in graph.memory.parameters.indices { unsafe bind(index, transform, rate) }
  }

  private func bind(_ index: Int, _ transform: OptimizerKernel.Transform, _ rate: Float) {
    let memory = graph.memory
    var transform = transform
    transform.decay = memory.parameters[index].decays ? (settings.optimizer.weightDecay ?? 0) * rate : 0
    for slot in memory.slotNames.indices { unsafe slotPointers[slot] = memory.slot(slot, index).base }
    unsafe (updates + index).initialize(
      to: settings.optimizer.kernel.bound(
        memory.value(index).base, slots: slotPointers, transform: transform,
        numbers: numbers.base.assumingMemoryBound(to: Float.self)))
  }

  /// Changes the parameters that the way back has not changed.
  private func finishUpdates() {
    let memory = graph.memory
    let optimizer = settings.optimizer
    let rate = optimizer.learningRate.rate(at: step)
    var transform = OptimizerKernel.Transform()
    if case .globalNorm(let limit) = optimizer.clipping { transform.scale = globalScale(limit) }
    for index in memory.parameters.indices where !graph.isFused[index] {
      let parameter = memory.parameters[index]
      if case .norm(let limit) = optimizer.clipping {
        let norm = Float(Self.squares(memory.gradient(index)).squareRoot())
        transform.scale = limit / max(norm, limit)
      }
      if transform.scale != 1 { bind(index, transform, rate) }
      unsafe updates[index].run(gradients: memory.gradient(index).base, count: parameter.count, pool: graph.pool)
    }
  }

  /// What follows an update: averages, constraints, and the count of the step.
  private func finishStep() {
    let memory = graph.memory
    for index in memory.parameters.indices {
      if let averaging = settings.optimizer.averaging { average(index, averaging) }
      let parameter = memory.parameters[index]
      if let constraint = parameter.constraint { constraint.apply(to: memory.value(index), shape: parameter.shape) }
    }
    step += 1
  }

  private func globalScale(_ limit: Float) -> Float {
    var sum = 0.0
    for index in graph.memory.parameters.indices { sum += Self.squares(graph.memory.gradient(index)) }
    let norm = Float(sum.squareRoot())
    return limit * min(1 / norm, 1 / limit)
  }

  /// In double precision and the order of the elements.
  private static func squares(_ values: Floats) -> Double {
    var sum = 0.0
    for index in 0..<values.count { sum += Double(values[index]) * Double(values[index]) }
    return sum
  }

  static func penalty(_ penalty: Penalty, _ values: Floats) -> Double {
    var (magnitudes, squares) = (0.0, 0.0)
    for index in 0..<values.count {
      magnitudes += abs(Double(values[index]))
      squares += Double(values[index]) * Double(values[index])
    }
    return Double(penalty.l1) * magnitudes + Double(penalty.l2) * squares
  }

  private static func addGradient(_ penalty: Penalty, _ values: Floats, to gradient: Floats) {
    let (l1, l2) = (penalty.l1, 2 * penalty.l2)
    for index in 0..<values.count {
      let value = values[index]
      gradient[index] += (value > 0 ? l1 : value < 0 ? -l1 : 0) + l2 * value
    }
  }
}

extension Penalty {
  /// The penalty on a value, as the mean over the rows of a batch.
  func shared(by rows: Int) -> Penalty {
    Penalty(l1: l1 / Float(max(rows, 1)), l2: l2 / Float(max(rows, 1)))
  }
}
