internal import CKernels

/// Panels that the streaming kernels read at once; a task's share is a multiple of it.
private let panelsPerGroup = 4

/// A Gemm that takes a few rows of A at a time, where they are, past the weights: for few rows, and for weights that stay
/// in a cache. Tasks share the groups of rows and, where these are few, the panels.
@unsafe struct StreamingGemm {
  private let operands: GemmOperands
  private let groups: Runs
  private let groupRuns: ShrinkingRuns
  private let panelRuns: ShrinkingRuns

  init(_ operands: GemmOperands, _ pool: ThreadPool) {
    unsafe self.operands = operands
    let panels = unsafe operands.panelCount
    unsafe groups = Runs(of: operands.rows, most: operands.table.gemm.pointee.stream_rows)
    let estimate = unsafe WorkEstimate(
      gemmRows: operands.rows, weights: panels * operands.table.gemm.pointee.nr * operands.depth,
      weightSize: operands.form.pointee.weight_size, instructionSet: operands.table.instructionSet)
    guard estimate.isWorthSharing(pool) else {
      unsafe groupRuns = ShrinkingRuns(whole: groups.count)
      unsafe panelRuns = ShrinkingRuns(whole: panels)
      return
    }
    let wanted = unsafe estimate.taskCount(most: panels * groups.count, pool)
    if unsafe groups.count >= 2 * wanted {
      unsafe groupRuns = ShrinkingRuns(
        of: groups.count, least: estimate.leastShare(of: groups.count), threads: pool.threadCount)
      unsafe panelRuns = ShrinkingRuns(whole: panels)
    } else {
      unsafe groupRuns = ShrinkingRuns(single: groups.count)
      let least = unsafe min(panels, estimate.leastShare(of: panels * groups.count))
      unsafe panelRuns = ShrinkingRuns(
        of: panels, unit: least < panelsPerGroup ? 1 : panelsPerGroup, least: least, threads: pool.threadCount)
    }
  }

  func run(_ pool: ThreadPool) {
    let tasks = unsafe panelRuns.count * groupRuns.count
    if tasks == 1 { return unsafe run(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: StreamingGemm.self).pointee.run(task: task)
      }
    }
  }

  private func run(task: Int) {
    let panels = unsafe panelRuns[task / groupRuns.count]
    for group in unsafe groupRuns[task % groupRuns.count] {
      unsafe operands.stream(rows: groups.start(group)..<groups.start(group + 1), panels: panels)
    }
  }
}

extension GemmOperands {
  /// Computes some rows, at most as many as the kernel streams, in some panels.
  fileprivate func stream(rows: Range<Int>, panels: Range<Int>) {
    let first = unsafe panels.lowerBound * table.gemm.pointee.nr
    let count = unsafe min(panels.upperBound * table.gemm.pointee.nr, columns) - first
    let target = unsafe c + rows.lowerBound * ldc + first
    unsafe form.pointee.stream(
      rows.count, depth, a + rows.lowerBound * rowStride, rowStride, weights(column: first, depth: 0), target, ldc,
      count, finish.bias.map { unsafe $0 + first }, finish.rectifies)
    unsafe finish.activation?.apply(target, target, rows: rows.count, columns: count, stride: ldc)
  }
}
