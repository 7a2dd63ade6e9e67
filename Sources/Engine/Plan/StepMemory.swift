/// What a step sees of memory while it runs: its inputs, its outputs, scratch space and the threads.
///
/// The pointers are those the resolution bound; a step asks with the element counts it resolved for.
@safe package struct StepMemory {
  /// The addresses of the inputs, then those of the outputs; `nil` for omitted ones.
  private let slots: UnsafePointer<UnsafeMutableRawPointer?>
  private let inputCount: Int
  private let outputCount: Int
  /// As many bytes as the step asked for, aligned to 64.
  package let scratch: UnsafeMutableRawPointer
  package let pool: ThreadPool
  /// Where strings that the step makes are kept; for the thread that runs the step alone.
  package let strings: StringArena

  @inline(__always)
  package init(
    slots: UnsafePointer<UnsafeMutableRawPointer?>, inputCount: Int, outputCount: Int,
    scratch: UnsafeMutableRawPointer, pool: ThreadPool, strings: StringArena
  ) {
    unsafe self.slots = slots
    self.inputCount = inputCount
    self.outputCount = outputCount
    unsafe self.scratch = scratch
    self.pool = pool
    self.strings = strings
  }

  /// The address of an input that is not omitted.
  @inline(__always) package func input(_ index: Int) -> UnsafeRawPointer {
    guard index < inputCount, let pointer = unsafe slots[index] else {
      preconditionFailure("input \(index) is omitted")
    }
    return UnsafeRawPointer(pointer)
  }

  /// The address of an output that is not omitted.
  @inline(__always) package func output(_ index: Int) -> UnsafeMutableRawPointer {
    guard index < outputCount, let pointer = unsafe slots[inputCount + index] else {
      preconditionFailure("output \(index) is omitted")
    }
    return unsafe pointer
  }

  /// The address of an input; `nil` when it is omitted.
  package func optionalInput(_ index: Int) -> UnsafeMutableRawPointer? {
    index < inputCount ? unsafe slots[index] : nil
  }

  /// The address of an output; `nil` when it is omitted.
  package func optionalOutput(_ index: Int) -> UnsafeMutableRawPointer? {
    index < outputCount ? unsafe slots[inputCount + index] : nil
  }

  /// Whether anyone reads an output.
  package func hasOutput(_ index: Int) -> Bool {
    guard index < outputCount else { return false }
    return unsafe slots[inputCount + index] != nil
  }

  /// The elements of an input.
  @inline(__always)
  package func input<Scalar>(_ index: Int, _: Scalar.Type, count: Int) -> Elements<Scalar> {
    unsafe Elements(base: input(index).assumingMemoryBound(to: Scalar.self), count: count)
  }

  /// The elements of an output.
  @inline(__always)
  package func output<Scalar>(_ index: Int, _: Scalar.Type, count: Int) -> MutableElements<Scalar> {
    unsafe MutableElements(base: output(index).assumingMemoryBound(to: Scalar.self), count: count)
  }
}
