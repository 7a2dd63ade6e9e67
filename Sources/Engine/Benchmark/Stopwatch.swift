/// Runs a piece of work again and again and times it.
package struct Stopwatch: Sendable {
  /// Seconds of running that are not timed, and of running that is.
  package var warmUp: Double
  package var duration: Double
  /// The least number of runs, however long they take.
  package var leastWarmUpRuns: Int
  package var leastRuns: Int

  package init(warmUp: Double, duration: Double, leastWarmUpRuns: Int = 2, leastRuns: Int = 5) {
    self.warmUp = warmUp
    self.duration = duration
    self.leastWarmUpRuns = leastWarmUpRuns
    self.leastRuns = leastRuns
  }

  /// The same with a share of the time.
  package func shortened(to share: Double) -> Stopwatch {
    var result = self
    result.warmUp *= share
    result.duration *= share
    return result
  }

  /// Warms up, then times each run by itself. A timing includes one reading of the clock.
  ///
  /// - Parameter progress: called between runs, at most ten times a second, with the share of the time that has passed.
  package func measure<Failure: Error>(
    progress: (Double) -> Void = { _ in }, _ body: () throws(Failure) -> Void
  ) throws(Failure) -> TimingStatistics {
    let total = max((warmUp + duration) * 1e9, 1)
    let start = MonotonicClock.nanoseconds
    var shown = start
    func show(_ now: UInt64) {
      guard now - shown > 100_000_000 else { return }
      shown = now
      progress(min(Double(now - start) / total, 1))
    }
    var runs = 0
    while runs < leastWarmUpRuns || Double(MonotonicClock.nanoseconds - start) < warmUp * 1e9 {
      try body()
      runs += 1
      show(MonotonicClock.nanoseconds)
    }
    var samples = TimingSamples()
    let measured = MonotonicClock.nanoseconds
    var now = measured
    while samples.count < leastRuns || Double(now - measured) < duration * 1e9 {
      let before = MonotonicClock.nanoseconds
      try body()
      now = MonotonicClock.nanoseconds
      samples.record(now - before)
      show(now)
    }
    return TimingStatistics(samples)
  }
}
