/// One run of a group of steps, shared between threads by rows.
@unsafe struct RowGroupRun {
  private let group: RowGroup
  private let steps: [Resolution.ReadyStep]
  private let slots: UnsafePointer<UnsafeMutableRawPointer?>
  private let scratch: UnsafeMutableRawPointer
  private let strings: StringArena

  init(_ group: RowGroup, _ resolution: Resolution, _ strings: StringArena) {
    unsafe self.group = group
    unsafe steps = resolution.steps
    unsafe slots = UnsafePointer(resolution.slots)
    unsafe scratch = resolution.scratch
    unsafe self.strings = strings
  }

  func run(_ pool: ThreadPool) {
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: group.parts.count, context: UnsafeRawPointer(pointer)) { context, part in
        unsafe context.assumingMemoryBound(to: RowGroupRun.self).pointee.run(part: part)
      }
    }
  }

  private func run(part: Int) {
    let rows = unsafe group.rows(ofPart: part)
    for index in unsafe group.steps {
      let step = unsafe steps[index]
      let memory = unsafe StepMemory(
        slots: slots + step.slot, inputCount: step.inputCount, outputCount: step.outputCount,
        scratch: scratch + group.scratchOffset(of: rows), pool: .single, strings: strings)
      step.rowWork?.run(memory, rows)
    }
  }
}
