import Glibc

/// How far rounded numbers are from the exact ones, summed up while they are met.
public struct ErrorSums: Sendable, Hashable {
  /// How many numbers were met.
  public var count = 0
  /// The sum of the squares of the exact numbers.
  public var signal = 0.0
  /// The sum of the squares of the differences.
  public var noise = 0.0
  /// The sum of the exact numbers times their differences.
  var cross = 0.0
  /// The largest difference.
  public var largest = 0.0
  /// How many numbers were beyond what the codes reach.
  public var saturated = 0

  /// No numbers yet.
  public init() {}

  /// Meets a number and what it was rounded to.
  @inline(__always)
  public mutating func add(_ exact: Double, rounded: Double) {
    let error = exact - rounded
    count += 1
    signal += exact * exact
    noise += error * error
    cross += exact * error
    largest = error.magnitude > largest ? error.magnitude : largest
  }

  /// Joins the sums over other numbers.
  public mutating func add(_ other: ErrorSums) {
    count += other.count
    signal += other.signal
    noise += other.noise
    cross += other.cross
    largest = max(largest, other.largest)
    saturated += other.saturated
  }

  /// The ratio of signal to quantisation noise in decibels: 10 log10(Σx² / Σ(x - y)²). Infinite when nothing was lost.
  public var decibels: Double {
    noise == 0 ? .infinity : signal == 0 ? -.infinity : 10 * log10(signal / noise)
  }

  /// The cosine of the angle between the exact numbers and the rounded ones; 1 when both are all zeros.
  public var cosine: Double {
    let rounded = signal - 2 * cross + noise
    if signal == 0, rounded <= 0 { return 1 }
    return signal > 0 && rounded > 0 ? (signal - cross) / (signal * rounded).squareRoot() : 0
  }

  /// The share of numbers beyond what the codes reach.
  public var saturation: Double { count == 0 ? 0 : Double(saturated) / Double(count) }

  /// Whether every number was finite.
  package var isFinite: Bool { signal.isFinite && noise.isFinite }
}
