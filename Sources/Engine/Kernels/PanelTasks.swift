/// The products of some tiles of A with some panels of B as tasks that get smaller towards the end.
///
/// A task takes whole panels as far as it can, so that a panel is read once for all tiles; where panels are too few for all
/// threads to end at about the same time, they are cut along the tiles.
package struct PanelTasks: Sendable {
  private let tiles: Int
  /// Parts that the tiles of a panel are cut into.
  private let parts: Int
  /// Parts of all panels, those of a panel being neighbours.
  private let runs: ShrinkingRuns

  /// Parts for each thread, as far as the work is worth it: the last tasks are one part each.
  private static let partsPerThread = 64

  package init(panels: Int, tiles: Int, _ estimate: WorkEstimate, _ pool: ThreadPool) {
    self.tiles = tiles
    guard estimate.isWorthSharing(pool) else {
      (parts, runs) = (1, ShrinkingRuns(whole: panels))
      return
    }
    let worthwhile = estimate.worthwhileTasks(most: Self.partsPerThread * pool.threadCount)
    parts = max(1, min(tiles, (worthwhile + panels - 1) / max(panels, 1)))
    runs = ShrinkingRuns(
      of: panels * parts, least: estimate.leastShare(of: panels * parts), threads: pool.threadCount)
  }

  package var count: Int { runs.count }

  /// Calls `body` with the panels and the tiles of each piece of a task.
  package func forEachPiece(of task: Int, _ body: (_ panels: Range<Int>, _ tiles: Range<Int>) -> Void) {
    let run = runs[task]
    var position = run.lowerBound
    while position < run.upperBound {
      let (panel, part) = position.quotientAndRemainder(dividingBy: parts)
      let left = run.upperBound - position
      if part == 0 && left >= parts {
        let whole = left / parts
        body(panel..<panel + whole, 0..<tiles)
        position += whole * parts
      } else {
        let end = min(part + left, parts)
        body(panel..<panel + 1, tiles * part / parts..<tiles * end / parts)
        position += end - part
      }
    }
  }
}
