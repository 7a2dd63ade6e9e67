/// Steps that follow each other and are run together for a part of the rows at a time, so that threads need not wait for
/// each other between them and what a step writes is still in a near cache when the next one reads it.
package struct RowGroup {
  /// The steps, by position in the order of execution.
  package let steps: Range<Int>
  /// The parts, counted in blocks of `blockRows` rows.
  let parts: ShrinkingRuns
  private let rows: Int
  private let blockRows: Int
  private let scratchByteCountPerRow: Int

  /// Bytes of scratch memory that a run needs.
  var scratchByteCount: Int { rows * scratchByteCountPerRow }

  /// Bytes of constants that all parts may read again, and of values that are alive together.
  private static let largestConstants = 4 << 20
  private static let largestValues = 64 << 20
  /// Rows that share the reading of the constants, when these are near and when they are not.
  private static let leastRows = 6
  private static let leastRowsOfDistantConstants = 12

  /// The groups among steps that are worth their threads.
  static func groups(_ steps: [Candidate], _ pool: ThreadPool) -> [RowGroup] {
    guard pool.threadCount > 1 else { return [] }
    var groups: [RowGroup] = []
    var start = 0
    while start < steps.count {
      let end = end(of: steps, from: start)
      if end > start, let group = RowGroup(steps, start..<end, pool) { groups.append(group) }
      start = max(end, start + 1)
    }
    return groups
  }

  /// A step as grouping sees it.
  struct Candidate {
    let work: RowWork?
    /// The blocks of memory that hold the inputs and outputs; `nil` where that is no block of the run. A value and another
    /// shape of it share one.
    let inputs: [Int?]
    let outputs: [Int?]
    let constantByteCount: Int
    /// Bytes of the outputs.
    let byteCount: Int
  }

  /// Where the longest group from a position ends.
  private static func end(of steps: [Candidate], from start: Int) -> Int {
    guard let rows = steps[start].work?.rows, rows > 0 else { return start }
    var (written, readWhole) = (Set<Int>(), Set<Int>())
    var (constants, values, scratch) = (0, 0, 0)
    var end = start
    while end < steps.count, let work = steps[end].work, work.rows == rows {
      let step = steps[end]
      constants += step.constantByteCount
      values += step.byteCount
      scratch = max(scratch, rows * work.scratchByteCountPerRow)
      let whole = step.inputs.indices.filter { !work.rowInputs.contains($0) }.compactMap { step.inputs[$0] }
      let made = step.outputs.compactMap { $0 }
      // Other parts may not have written yet what this step reads whole, nor read what it overwrites.
      if !written.isDisjoint(with: whole) || !readWhole.isDisjoint(with: made) || !Set(whole).isDisjoint(with: made) {
        break
      }
      if constants > largestConstants || values + scratch > largestValues { break }
      written.formUnion(made)
      readWhole.formUnion(whole)
      end += 1
    }
    return end
  }

  /// `nil` when threads do not make the steps faster.
  private init?(_ candidates: [Candidate], _ steps: Range<Int>, _ pool: ThreadPool) {
    var nanoseconds = 0.0
    var rows = 0
    for case let work? in candidates[steps].map(\.work) {
      nanoseconds += work.estimate.nanoseconds
      rows = work.rows
    }
    let estimate = WorkEstimate(nanoseconds: nanoseconds)
    let isNear = candidates[steps].allSatisfy { $0.constantByteCount <= Gemm.nearWeights }
    blockRows = isNear ? Self.leastRows : Self.leastRowsOfDistantConstants
    scratchByteCountPerRow = candidates[steps].reduce(0) { max($0, $1.work?.scratchByteCountPerRow ?? 0) }
    guard estimate.isWorthSharing(pool), rows >= 2 * pool.threadCount * blockRows else { return nil }
    self.steps = steps
    self.rows = rows
    let count = (rows + blockRows - 1) / blockRows
    parts = ShrinkingRuns(of: count, least: estimate.leastShare(of: count), threads: pool.threadCount)
    guard parts.count > 1 else { return nil }
  }

  /// Where the scratch memory of some rows starts.
  func scratchOffset(of rows: Range<Int>) -> Int { rows.lowerBound * scratchByteCountPerRow }

  /// The rows of a part.
  func rows(ofPart part: Int) -> Range<Int> {
    let run = parts[part]
    return run.lowerBound * blockRows..<min(run.upperBound * blockRows, rows)
  }
}
