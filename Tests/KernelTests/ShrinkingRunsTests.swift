import NNEngine
import Testing

@Suite struct ShrinkingRunsTests {
  @Test(arguments: [0, 1, 2, 5, 31, 32, 250, 1000], [1, 2, 3, 8])
  func coverTheRangeInOrder(length: Int, threads: Int) {
    for (unit, least) in [(1, 1), (1, 7), (4, 4), (4, 3), (4, 2000)] {
      let runs = ShrinkingRuns(of: length, unit: unit, least: least, threads: threads)
      var end = 0
      for run in 0..<runs.count {
        let range = runs[run]
        #expect(range.lowerBound == end)
        #expect(!range.isEmpty)
        if run + 1 < runs.count {
          #expect(range.count % unit == 0)
          #expect(range.count >= least)
        }
        if run > 0 { #expect(range.count <= runs[run - 1].count) }
        end = range.upperBound
      }
      #expect(end == length)
    }
  }

  @Test func endInShortRuns() {
    let runs = ShrinkingRuns(of: 256, least: 1, threads: 2)
    #expect(runs[0].count == 64)
    #expect(runs[runs.count - 1].count == 1)
    #expect(ShrinkingRuns(whole: 256).count == 1)
  }
}
