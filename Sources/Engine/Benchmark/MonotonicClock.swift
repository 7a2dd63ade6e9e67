import Glibc

/// The clock that measurements are taken with.
package enum MonotonicClock {
  /// Nanoseconds since some moment.
  @inline(__always) package static var nanoseconds: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
  }

  /// Seconds since some moment.
  package static var seconds: Double { Double(nanoseconds) * 1e-9 }

  /// Milliseconds that a piece of work takes.
  package static func milliseconds<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> (Result, Double) {
    let start = nanoseconds
    let result = try body()
    return (result, Double(nanoseconds - start) / 1e6)
  }
}
