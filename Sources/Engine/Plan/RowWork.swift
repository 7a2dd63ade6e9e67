/// Work that can be done for some rows apart from the others: a row of the output follows from the same row of some inputs
/// and from inputs that are known before.
package struct RowWork {
  /// Does the work for a range of rows on the caller's thread, with scratch memory for these; called for disjoint ranges on
  /// several threads at the same time.
  package typealias Body = @Sendable (StepMemory, Range<Int>) -> Void

  /// Rows of the output and of each of `rowInputs`.
  package let rows: Int
  /// The inputs that are read by rows.
  package let rowInputs: [Int]
  /// How long all rows take on one thread.
  package let estimate: WorkEstimate
  package let scratchByteCountPerRow: Int
  package let run: Body

  package init(
    rows: Int, rowInputs: [Int] = [0], estimate: WorkEstimate, scratchByteCountPerRow: Int = 0,
    run: @escaping Body
  ) {
    self.rows = rows
    self.rowInputs = rowInputs
    self.estimate = estimate
    self.scratchByteCountPerRow = scratchByteCountPerRow
    self.run = run
  }
}

extension Work {
  /// The same work, which can also be done by rows; `nil` leaves it as it is.
  package consuming func byRows(_ rowWork: RowWork?) -> Work {
    self.rowWork = rowWork
    return self
  }
}
