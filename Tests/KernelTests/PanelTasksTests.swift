import NNEngine
import Testing

@Suite struct PanelTasksTests {
  private let pool = ThreadPool(threads: 2)

  @Test(arguments: [1, 2, 3, 8, 16, 129], [1, 2, 11, 22])
  func coverEveryTileOfEveryPanelOnce(panels: Int, tiles: Int) {
    for nanoseconds in [0.0, 5_000, 100_000, 1e9] {
      let tasks = PanelTasks(panels: panels, tiles: tiles, WorkEstimate(nanoseconds: nanoseconds), pool)
      var counts = [Int](repeating: 0, count: panels * tiles)
      for task in 0..<tasks.count {
        tasks.forEachPiece(of: task) { panels, rows in
          #expect(!panels.isEmpty && !rows.isEmpty)
          for panel in panels { for tile in rows { counts[panel * tiles + tile] += 1 } }
        }
      }
      #expect(counts.allSatisfy { $0 == 1 })
    }
  }

  @Test func endInSmallTasksWherePanelsAreFew() {
    let tasks = PanelTasks(panels: 8, tiles: 11, WorkEstimate(nanoseconds: 1e6), pool)
    var last = 0
    tasks.forEachPiece(of: tasks.count - 1) { panels, tiles in last += panels.count * tiles.count }
    #expect(last == 1)
    #expect(PanelTasks(panels: 8, tiles: 11, WorkEstimate(nanoseconds: 100), pool).count == 1)
  }
}
