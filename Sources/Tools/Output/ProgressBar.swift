/// A bar on the terminal that fills while something is under way. Nothing is shown elsewhere.
final class ProgressBar {
  private let isShown: Bool
  private var isDrawn = false
  private static let width = 24

  init(isShown: Bool) { self.isShown = isShown && Terminal.errorIsTerminal }

  /// Shows what is under way, and the share of the whole that is done.
  func show(_ share: Double, _ text: String) {
    guard isShown else { return }
    isDrawn = true
    let filled = Int((min(max(share, 0), 1) * Double(Self.width)).rounded())
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
    Terminal.status("\r\(bar) \(Figures.fixed(100 * share, 0)) %  \(text.prefix(50).description.onOneLine)\u{1B}[K")
  }

  /// Takes the bar away.
  func finish() {
    if isDrawn { Terminal.status("\r\u{1B}[K") }
    isDrawn = false
  }
}
