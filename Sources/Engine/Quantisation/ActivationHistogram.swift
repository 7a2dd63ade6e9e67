import Glibc

/// How often numbers of each size were seen.
struct ActivationHistogram: Sendable {
  private static let binCount = 2048

  private let lowest: Float
  private let width: Float
  private(set) var counts = [Int](repeating: 0, count: Self.binCount)
  private var total = 0

  /// - Parameter range: the smallest and the largest number.
  init(_ range: ClosedRange<Float>) {
    lowest = range.lowerBound
    width = (range.upperBound / Float(Self.binCount)) - (range.lowerBound / Float(Self.binCount))
  }

  mutating func add(_ values: [Float]) { for value in values { add(value) } }

  private mutating func add(_ value: Float) {
    let place = width > 0 ? (value - lowest) / width : 0
    counts[place >= Float(Self.binCount) ? Self.binCount - 1 : place > 0 ? Int(place) : 0] += 1
    total += 1
  }

  private func edge(_ bin: Int) -> Float { lowest + Float(bin) * width }

  /// The share of numbers outside of a range.
  func share(beyond range: ClosedRange<Float>) -> Double {
    guard total > 0 else { return 0 }
    let outside = counts.indices.reduce(0) { sum, bin in
      let middle = edge(bin) + width / 2
      return range.contains(middle) ? sum : sum + counts[bin]
    }
    return Double(outside) / Double(total)
  }

  /// A range that holds a share of the numbers, as many being beyond either end.
  func range(keeping share: Double) -> ClosedRange<Float> {
    let allowed = Double(total) * (1 - share) / 2
    var (low, high) = (0, counts.count)
    var passed = 0.0
    while low < counts.count - 1, passed + Double(counts[low]) <= allowed {
      passed += Double(counts[low])
      low += 1
    }
    passed = 0
    while high > low + 1, passed + Double(counts[high - 1]) <= allowed {
      passed += Double(counts[high - 1])
      high -= 1
    }
    return edge(low)...max(edge(high), edge(low))
  }

  /// The range around zero whose distribution, in so many levels, has the least Kullback-Leibler divergence from the one seen.
  ///
  /// The numbers beyond a range count at its ends, as they do when they are rounded.
  func rangeOfLeastDivergence(levels: Int) -> ClosedRange<Float> {
    let highest = edge(counts.count)
    let largest = max(highest, -lowest)
    guard largest > 0, width > 0 else { return lowest...max(highest, lowest) }
    let isOneSided = lowest >= 0 || highest <= 0
    let sizes = sizeCounts(largest)
    let levelCount = max(isOneSided ? levels : levels / 2, 2)
    guard levelCount < sizes.count else { return lowest...highest }
    var best = (divergence: Double.infinity, bins: sizes.count)
    for bins in stride(from: sizes.count, through: levelCount, by: -16) {
      let divergence = Self.divergence(sizes, bins: bins, levels: levelCount)
      if divergence < best.divergence { best = (divergence, bins) }
    }
    let bound = largest * Float(best.bins) / Float(sizes.count)
    return max(lowest, -bound)...min(highest, bound)
  }

  /// Counts by size, sign left out.
  private func sizeCounts(_ largest: Float) -> [Double] {
    var sizes = [Double](repeating: 0, count: Self.binCount)
    for bin in counts.indices {
      let size = (edge(bin) + width / 2).magnitude / largest * Float(sizes.count)
      // The edges of a range near the greatest float are infinite.
      sizes[size < Float(sizes.count) ? Int(size) : sizes.count - 1] += Double(counts[bin])
    }
    return sizes
  }

  private static func divergence(_ sizes: [Double], bins: Int, levels: Int) -> Double {
    var clipped = Array(sizes[..<bins])
    clipped[bins - 1] += sizes[bins...].reduce(0, +)
    var rounded = [Double](repeating: 0, count: bins)
    for level in 0..<levels {
      let range = bins * level / levels..<bins * (level + 1) / levels
      let filled = range.count { sizes[$0] > 0 }
      guard filled > 0 else { continue }
      let share = sizes[range].reduce(0, +) / Double(filled)
      for bin in range where sizes[bin] > 0 { rounded[bin] = share }
    }
    let (total, roundedTotal) = (clipped.reduce(0, +), rounded.reduce(0, +))
    guard total > 0, roundedTotal > 0 else { return .infinity }
    var sum = 0.0
    for bin in 0..<bins where clipped[bin] > 0 {
      // A bin that only numbers from beyond fall into has no counterpart; a small share keeps the sum finite.
      let (share, other) = (clipped[bin] / total, max(rounded[bin] / roundedTotal, 1e-9))
      sum += share * log(share / other)
    }
    return sum
  }
}
