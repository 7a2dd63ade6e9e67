import NNEngine
import NNFormat

/// What a training shows while it runs: a bar with loss, metrics, rows a second and the time left, and a line an epoch.
final class TrainingView {
  private let isShown: Bool
  private let bar: ProgressBar
  private var epochStart: (epoch: Int, rows: Int, time: Double)?
  private var lastShown = 0.0

  init(isShown: Bool) {
    self.isShown = isShown
    bar = ProgressBar(isShown: isShown)
  }

  func show(_ progress: TrainingProgress) {
    guard isShown, Terminal.errorIsTerminal else { return }
    let now = RowProgress.seconds()
    if epochStart?.epoch != progress.epoch { epochStart = (progress.epoch, progress.rows, now) }
    guard now - lastShown > 0.1, let start = epochStart, progress.rows > start.rows else { return }
    lastShown = now
    let rate = Double(progress.rows - start.rows) / max(now - start.time, 1e-9)
    let left = Double(progress.rowCount - progress.rows) / max(rate, 1e-9)
    let figures = ([("loss", progress.loss)] + progress.metrics).map { "\($0.0) \(Figures.fixed($0.1, 4))" }
    bar.show(
      Double(progress.rows) / Double(max(progress.rowCount, 1)),
      "epoch \(progress.epoch)/\(progress.epochs) \(figures.joined(separator: " ")) \(Figures.grouped(Int(rate))) rows/s \(Int(left.rounded(.up))) s"
    )
  }

  func show(_ record: EpochRecord, of epochs: Int) {
    guard isShown else { return }
    bar.finish()
    var figures = [("loss", record.loss)] + record.metrics
    if let loss = record.validationLoss { figures.append(("val_loss", loss)) }
    figures += record.validationMetrics.map { ("val_\($0.name)", $0.value) }
    let text = figures.map { "\($0.0) \(Figures.fixed($0.1, 4))" }.joined(separator: "  ")
    Terminal.note(
      "epoch \(record.epoch)/\(epochs)  \(text)  \(Figures.grouped(Int(record.rowsPerSecond))) rows/s")
  }
}
