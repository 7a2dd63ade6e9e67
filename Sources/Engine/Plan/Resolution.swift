import NNFormat

/// A plan bound to the concrete shapes of its inputs: every step prepared, every address but the caller's fixed.
///
/// Belongs to one context. Steps whose shapes depend on computed elements stand apart in `dynamicSteps` and are
/// prepared anew in each run.
@safe package final class Resolution {
  /// A step that is ready to run.
  struct ReadyStep {
    let run: Work.Body
    let rowWork: RowWork?
    /// Position of its addresses in `slots`.
    let slot: Int
    let inputCount: Int
    let outputCount: Int
    let step: Int
    let cost: StepCost
    /// Bytes that a run of it reads and writes.
    let byteCount: Int
  }

  /// Bytes that have to reach an output from a value which could not be computed in place.
  struct OutputCopy {
    let output: Int
    let slot: Int
    let byteCount: Int
  }

  package let inputShapes: [[Int]]
  /// The number of elements of the first input.
  let inputCount: Int
  /// The shapes of the outputs; only meaningful when the resolution is static.
  package internal(set) var outputShapes: [[Int]] = []
  package internal(set) var outputByteCounts: [Int] = []
  var steps: [ReadyStep] = []
  /// Steps that run together by rows, in the order of execution.
  package internal(set) var groups: [RowGroup] = []
  var dynamicSteps: [Int] = []
  var copies: [OutputCopy] = []
  /// Slots that hold the caller's addresses: which slot, which input or output.
  var inputPatches: [(slot: Int, input: Int)] = []
  var outputPatches: [(slot: Int, output: Int)] = []
  /// What is known of each value after the static steps; addresses of the caller's inputs are filled in by the run.
  var values: [ResolvedValue?] = []
  /// The addresses of all steps, one run after another, then those of the copies.
  let slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  let arena: RawMemory
  /// Bytes for values between the steps, without scratch space.
  package let arenaByteCount: Int
  let scratch: UnsafeMutableRawPointer
  /// Results that were computed while resolving, kept alive.
  let evaluated: [RawMemory]
  let evaluatedStrings: StringArena

  /// Whether all shapes followed from the shapes of the inputs.
  package var isStatic: Bool { dynamicSteps.isEmpty }

  init(
    inputShapes: [[Int]], slotCount: Int, arenaByteCount: Int, scratchByteCount: Int, evaluated: [RawMemory],
    evaluatedStrings: StringArena
  ) throws(EngineError) {
    self.inputShapes = inputShapes
    inputCount = inputShapes.first?.reduce(1, *) ?? 0
    self.evaluated = evaluated
    self.evaluatedStrings = evaluatedStrings
    self.arenaByteCount = arenaByteCount
    arena = try RawMemory(byteCount: arenaByteCount + scratchByteCount + 64)
    unsafe scratch = unsafe arena.base + arenaByteCount
    unsafe slots = .allocate(capacity: max(slotCount, 1))
    unsafe slots.initialize(repeating: nil, count: max(slotCount, 1))
  }

  deinit { unsafe slots.deallocate() }
}

/// What is known of a value once it has a concrete shape.
struct ResolvedValue {
  @safe enum Place {
    /// Bytes that do not change: a constant, or what was computed while resolving.
    case fixed(UnsafeRawPointer)
    /// The caller's bytes.
    case input(Int)
    /// A block of the arena, by number.
    case block(Int)
  }

  var shape: [Int]
  var byteCount: Int
  var place: Place
}
