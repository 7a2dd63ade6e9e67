import Glibc

/// A line on the terminal that says how many rows are done. Nothing is shown elsewhere, or for less than half a second.
final class RowProgress {
  private let isShown: Bool
  private let rows: Int
  private let start = RowProgress.seconds()
  private var lastShown = 0.0

  init(isShown: Bool, rows: Int) {
    self.isShown = isShown && Terminal.errorIsTerminal
    self.rows = rows
  }

  func show(_ done: Int) {
    let now = Self.seconds()
    guard isShown, now - start > 0.5, now - lastShown > 0.1 else { return }
    lastShown = now
    let rate = Double(done) / max(now - start, 1e-9)
    let text = "\r\(Figures.grouped(done)) of \(Figures.grouped(rows)) rows, \(Figures.grouped(Int(rate))) rows/s"
    Terminal.status(text + "\u{1B}[K")
  }

  func finish() {
    if lastShown > 0 { Terminal.status("\r\u{1B}[K") }
  }

  /// Seconds since some moment.
  static func seconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
