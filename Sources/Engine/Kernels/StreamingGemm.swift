internal import CKernels

/// Panels that the streaming kernels read at once; a task's share is a multiple of it.
private let panelsPerGroup = 4

/// A Gemm of a few rows: every thread reads its share of the weights once, A stays where it is.
@unsafe struct StreamingGemm {
  private let operands: GemmOperands
  private let tasks: Int
  private let columnsPerTask: Int

  init(_ operands: GemmOperands, _ pool: ThreadPool) {
    unsafe self.operands = operands
    let panels = unsafe operands.panelCount
    let estimate = unsafe WorkEstimate(
      gemmRows: operands.rows, weights: panels * operands.table.gemm.pointee.nr * operands.depth,
      weightSize: operands.form.pointee.weight_size, instructionSet: operands.table.instructionSet)
    let wanted = estimate.taskCount(most: panels, pool)
    var panelsPerTask = (panels + wanted - 1) / wanted
    if panelsPerTask > panelsPerGroup {
      panelsPerTask = (panelsPerTask + panelsPerGroup - 1) / panelsPerGroup * panelsPerGroup
    }
    unsafe tasks = (panels + panelsPerTask - 1) / panelsPerTask
    unsafe columnsPerTask = panelsPerTask * operands.table.gemm.pointee.nr
  }

  func run(_ pool: ThreadPool) {
    if unsafe tasks == 1 { return unsafe run(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: StreamingGemm.self).pointee.run(task: task)
      }
    }
  }

  private func run(task: Int) {
    unsafe operands.stream(firstColumn: task * columnsPerTask, most: columnsPerTask)
  }
}

extension GemmOperands {
  /// Computes columns from `firstColumn`, the first of a panel, to at most `most` columns on.
  fileprivate func stream(firstColumn: Int, most: Int) {
    let count = unsafe min(most, columns - firstColumn)
    let target = unsafe c + firstColumn
    unsafe form.pointee.stream(
      rows, depth, a, rowStride, weights(column: firstColumn, depth: 0), target, ldc, count,
      bias.map { unsafe $0 + firstColumn })
    unsafe activation?.apply(target, target, rows: rows, columns: count, stride: ldc)
  }
}
