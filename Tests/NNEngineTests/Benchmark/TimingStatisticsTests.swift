import NNEngine
import Testing

@Suite struct TimingStatisticsTests {
  @Test func quantilesInterpolateBetweenNeighbours() {
    let sorted: [Double] = [10, 20, 30, 40]
    #expect(TimingStatistics.quantile(0, of: sorted) == 10)
    #expect(TimingStatistics.quantile(1, of: sorted) == 40)
    #expect(TimingStatistics.quantile(0.5, of: sorted) == 25)
    #expect(abs(TimingStatistics.quantile(0.9, of: sorted) - 37) < 1e-12)
    #expect(TimingStatistics.quantile(0.3, of: [7]) == 7)
    #expect(TimingStatistics.quantile(0.5, of: []) == 0)
  }

  @Test func figuresDoNotDependOnTheOrder() {
    let statistics = TimingStatistics((1...101).map { Double($0) }.shuffled())
    #expect(statistics.count == 101 && statistics.minimum == 1 && statistics.maximum == 101)
    #expect(statistics.median == 51 && statistics.mean == 51)
    #expect(statistics.p90 == 91 && statistics.p95 == 96 && statistics.p99 == 100)
    // The sample variance of 1 ... n is n (n + 1) / 12.
    #expect(abs(statistics.deviation - (101.0 * 102 / 12).squareRoot()) < 1e-9)
  }

  @Test func fewTimingsHaveFigures() {
    let single = TimingStatistics([3])
    #expect(single.median == 3 && single.p99 == 3 && single.deviation == 0)
    #expect(TimingStatistics([Double]()).maximum == 0)
    #expect(TimingStatistics(TimingSamples()).minimum == 0)
  }

  @Test func samplesAreThinnedEvenlyAndExtremesKept() {
    var samples = TimingSamples(capacity: 8)
    for value in 0..<100 { samples.record(UInt64(value == 57 ? 1_000_000 : 1000 + value)) }
    #expect(samples.count == 100 && samples.minimum == 1000 && samples.maximum == 1_000_000)
    #expect(Array(samples.kept) == [1000, 1016, 1032, 1048, 1064, 1080, 1096])
    let statistics = TimingStatistics(samples)
    #expect(statistics.count == 100 && statistics.maximum == 1000 && statistics.median == 1.048)
  }

  @Test func everySampleIsKeptUntilTheMemoryIsFull() {
    var samples = TimingSamples(capacity: 4)
    for value in 1...4 { samples.record(UInt64(value)) }
    #expect(Array(samples.kept) == [1, 2, 3, 4])
    samples.record(5)
    #expect(Array(samples.kept) == [1, 3, 5])
  }

  @Test func theStopwatchCountsOnlyWhatItTimes() {
    var runs = 0
    let statistics = Stopwatch(warmUp: 0, duration: 0, leastWarmUpRuns: 3, leastRuns: 4).measure { runs += 1 }
    #expect(runs == 7 && statistics.count == 4)
  }
}
