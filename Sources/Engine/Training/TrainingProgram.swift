import NNFormat

/// A training graph bound to a number of rows: every step forward and backward prepared, every address fixed.
///
/// Running allocates nothing. Values that gradients need are kept; gradients share an arena.
@safe final class TrainingProgram {
  enum Mode { case training, inference }

  struct Forward {
    let label: String
    let slot: Int
    let run: GradientWork.Body?
    let plain: Work.Body?
    let inputCount: Int
    let outputCount: Int
    let saved: Int
  }

  struct Backward {
    let forward: Int
    let run: GradientWork.Body
    /// Gradients that go to memory of their own and are added afterwards: slot of the source, slot of the sum.
    let additions: [(source: Int, target: Int)]
    /// The parameter that is changed in the place of writing its gradient, when there are updates.
    let fusedParameter: Int?
  }

  let graph: TrainingGraph
  let rows: Int
  let mode: Mode
  let inputShapes: [[Int]]
  var forwards: [Forward] = []
  var backwards: [Backward] = []
  let slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  let counts: UnsafeMutablePointer<Int>
  private let arena: RawMemory
  private let scratch: UnsafeMutableRawPointer
  private let strings = StringArena()
  /// Kept alive: what was computed while resolving.
  private let evaluated: [RawMemory]
  private let constants: [Constant]
  private let inputAddresses: [UnsafeMutableRawPointer]
  private(set) var heads: [HeadPlaces] = []
  /// Values with a penalty, and where its gradient is added.
  private(set) var penalised: [(value: Floats, gradient: Floats?, penalty: Penalty)] = []
  /// Labels of the steps with the values they make, to find where NaN appeared.
  private(set) var products: [(label: String, values: Floats)] = []

  init(_ graph: TrainingGraph, inputShapes: [[Int]], mode: Mode) throws(EngineError) {
    self.graph = graph
    self.mode = mode
    self.inputShapes = inputShapes
    rows = inputShapes.first?.first ?? 0
    var builder = try ProgramBuilder(graph, inputShapes: inputShapes, mode: mode)
    try builder.build()
    let layout = builder.layout()
    let byteCount = try StepSizes.checkedScratch(layout.arenaByteCount + layout.scratchByteCount, graph.options)
    arena = try RawMemory(byteCount: byteCount + 64)
    unsafe arena.base.initializeMemory(as: UInt8.self, repeating: 0, count: layout.arenaByteCount)
    unsafe scratch = unsafe arena.base + layout.arenaByteCount
    unsafe slots = .allocate(capacity: max(layout.slots.count, 1))
    unsafe counts = .allocate(capacity: max(layout.slots.count, 1))
    let base = unsafe arena.base
    for (index, slot) in layout.slots.enumerated() {
      unsafe (slots + index).initialize(to: slot.address(in: base))
      unsafe (counts + index).initialize(to: slot.count)
    }
    forwards = layout.forwards
    backwards = layout.backwards
    evaluated = builder.evaluated
    constants = builder.constants
    unsafe inputAddresses = layout.inputs.compactMap { unsafe $0.address(in: base) }
    for head in layout.heads {
      guard let output = unsafe head.output.floats(in: base), let logits = unsafe head.logits.floats(in: base) else {
        throw EngineError(.invalidGraph, "the output is not computed")
      }
      heads.append(
        unsafe HeadPlaces(
          output: output, outputShape: head.outputShape, logits: logits,
          lossGradient: head.lossGradient?.floats(in: base)))
    }
    for entry in layout.penalised {
      guard let value = unsafe entry.value.floats(in: base) else { continue }
      unsafe penalised.append((value, entry.gradient?.floats(in: base), entry.penalty))
    }
    products = layout.products.compactMap { product in
      unsafe product.place.floats(in: base).map { (product.label, $0) }
    }
  }

  deinit {
    unsafe slots.deallocate()
    unsafe counts.deallocate()
  }

  /// The bytes of an input, to be filled before a run.
  func input(_ index: Int) -> UnsafeMutableRawPointer { unsafe inputAddresses[index] }

  /// Computes the output from the inputs.
  func forward(step: UInt64) throws(EngineError) {
    for index in forwards.indices { try run(forwards[index], step) }
  }

  private func run(_ forward: Forward, _ step: UInt64) throws(EngineError) {
    do throws(EngineError) {
      if let plain = forward.plain {
        unsafe try plain(
          StepMemory(
            slots: slots + forward.slot, inputCount: forward.inputCount, outputCount: forward.outputCount,
            scratch: scratch, pool: graph.pool, strings: strings))
      } else if let body = forward.run {
        try body(memory(forward, step))
      }
    } catch {
      throw EngineError(error.kind, error.message, node: error.node ?? forward.label)
    }
  }

  /// Computes the gradients of the parameters from the gradients at the losses, which `heads` hold.
  ///
  /// - Parameter updates: one for each parameter; those of fused parameters are made, and their gradients not written.
  func backward(step: UInt64, updates: UnsafePointer<ParameterUpdate>?) throws(EngineError) {
    for index in backwards.indices {
      let backward = backwards[index]
      let update = unsafe updates.flatMap { all in unsafe backward.fusedParameter.map { unsafe all + $0 } }
      try unsafe backward.run(memory(forwards[backward.forward], step, update))
      for addition in backward.additions {
        guard let source = unsafe slots[addition.source], let target = unsafe slots[addition.target] else { continue }
        let count = unsafe counts[addition.target]
        unsafe Self.add(Floats(source, count: count), to: Floats(target, count: count), graph.pool)
      }
    }
  }

  private func memory(
    _ forward: Forward, _ step: UInt64, _ update: UnsafePointer<ParameterUpdate>? = nil
  ) -> GradientMemory {
    unsafe GradientMemory(
      slots: slots + forward.slot, counts: counts + forward.slot, inputCount: forward.inputCount,
      outputCount: forward.outputCount, scratch: scratch, saved: arena.base + forward.saved, pool: graph.pool,
      step: step, update: update)
  }

  static func add(_ source: Floats, to target: Floats, _ pool: ThreadPool) {
    let count = target.count
    unsafe BinaryOperation.add.apply(
      .matrix(target.base, stride: count), .matrix(source.base, stride: count), target.base, rows: 1, columns: count,
      stride: count, pool: pool)
  }
}
