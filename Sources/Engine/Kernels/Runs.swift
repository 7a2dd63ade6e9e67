/// A range cut into the fewest runs of at most a given length, whose lengths differ by at most one.
struct Runs: Sequence, IteratorProtocol {
  let length: Int
  let count: Int
  private let shorter: Int
  private let longerCount: Int
  private var position = 0

  init(of length: Int, most: Int) {
    self.length = length
    count = (length + most - 1) / most
    (shorter, longerCount) = count > 0 ? length.quotientAndRemainder(dividingBy: count) : (0, 0)
  }

  /// The start of a run; that of run `count` is the end of the range.
  func start(_ run: Int) -> Int { shorter * run + Swift.min(run, longerCount) }

  mutating func next() -> Range<Int>? {
    guard position < count else { return nil }
    defer { position += 1 }
    return start(position)..<start(position + 1)
  }
}

/// A range cut into runs that get shorter towards the end, so that threads which take them one after another end at about
/// the same time, even when something holds one of them up.
package struct ShrinkingRuns: Sendable {
  package let length: Int
  package let count: Int
  private let unit: Int
  private let least: Int
  private let divisor: Int

  /// The whole range as one run.
  package init(whole length: Int) { self.init(of: length, least: length, threads: 1) }

  /// Runs of one.
  init(single length: Int) { self.init(of: length, least: 1, threads: max(length, 1)) }

  /// - Parameters:
  ///   - unit: every run but the last is a multiple of it.
  ///   - least: no run but the last is shorter.
  package init(of length: Int, unit: Int = 1, least: Int, threads: Int) {
    self.length = length
    self.unit = unit
    self.least = least
    divisor = 2 * threads
    var (runs, rest) = (0, length)
    while rest > 0 {
      rest -= Self.next(rest, divisor, least, unit)
      runs += 1
    }
    count = runs
  }

  package subscript(run: Int) -> Range<Int> {
    var start = 0
    for _ in 0..<run { start += Self.next(length - start, divisor, least, unit) }
    return start..<start + Self.next(length - start, divisor, least, unit)
  }

  /// The length of the run that follows when `rest` is left.
  private static func next(_ rest: Int, _ divisor: Int, _ least: Int, _ unit: Int) -> Int {
    let share = max((rest + divisor - 1) / divisor, least)
    return min((share + unit - 1) / unit * unit, rest)
  }
}
