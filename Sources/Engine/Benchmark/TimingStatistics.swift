/// What many timings of one thing say, in microseconds.
package struct TimingStatistics: Sendable, Hashable {
  /// How many timings there were.
  package let count: Int
  package let median: Double
  package let p90: Double
  package let p95: Double
  package let p99: Double
  package let mean: Double
  /// The sample standard deviation; 0 for a single timing.
  package let deviation: Double
  package let minimum: Double
  package let maximum: Double

  /// - Parameter microseconds: the timings in any order; without any, all figures are 0.
  package init(_ microseconds: [Double]) {
    let sorted = microseconds.sorted()
    count = sorted.count
    median = Self.quantile(0.5, of: sorted)
    p90 = Self.quantile(0.9, of: sorted)
    p95 = Self.quantile(0.95, of: sorted)
    p99 = Self.quantile(0.99, of: sorted)
    let average = sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count)
    let squares = sorted.reduce(0) { $0 + ($1 - average) * ($1 - average) }
    mean = average
    deviation = sorted.count > 1 ? (squares / Double(sorted.count - 1)).squareRoot() : 0
    minimum = sorted.first ?? 0
    maximum = sorted.last ?? 0
  }

  /// The statistics of recorded timings; the extremes are those of all, also where only some were kept.
  package init(_ samples: TimingSamples) {
    let kept = TimingStatistics(samples.kept.map { Double($0) / 1000 })
    count = samples.count
    (median, p90, p95, p99) = (kept.median, kept.p90, kept.p95, kept.p99)
    (mean, deviation) = (kept.mean, kept.deviation)
    minimum = samples.count == 0 ? 0 : Double(samples.minimum) / 1000
    maximum = Double(samples.maximum) / 1000
  }

  /// The value below which a share of the sorted values lies, interpolated linearly between neighbours (type 7 of
  /// Hyndman and Fan, as NumPy has it).
  package static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    guard let last = sorted.last else { return 0 }
    let position = min(max(share, 0), 1) * Double(sorted.count - 1)
    let index = Int(position)
    guard index + 1 < sorted.count else { return last }
    return sorted[index] + (position - Double(index)) * (sorted[index + 1] - sorted[index])
  }
}

/// Recorded timings in memory that does not grow: when it is full, every second one is given up, and from then on only
/// every second one is kept.
package struct TimingSamples: Sendable {
  /// Nanoseconds of those that were kept.
  package var kept: ArraySlice<UInt64> { storage[..<used] }
  package private(set) var count = 0
  package private(set) var minimum = UInt64.max
  package private(set) var maximum: UInt64 = 0
  private var storage: [UInt64]
  private var used = 0
  private var stride = 1

  package init(capacity: Int = 1 << 16) { storage = Array(repeating: 0, count: max(capacity, 2)) }

  package mutating func record(_ nanoseconds: UInt64) {
    minimum = min(minimum, nanoseconds)
    maximum = max(maximum, nanoseconds)
    defer { count += 1 }
    guard count % stride == 0 else { return }
    if used == storage.count {
      for index in 0..<(used + 1) / 2 { storage[index] = storage[2 * index] }
      used = (used + 1) / 2
      stride *= 2
      guard count % stride == 0 else { return }
    }
    storage[used] = nanoseconds
    used += 1
  }
}
