import ArgumentParser
import NNFormat

/// `nnfmt diff`: tells two model files apart.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two model files of any formats.",
    discussion: """
      Structure, hyper-parameters, weights and training state are compared. Versions, dates and producers are shown and
      do not count. Without --tolerance every bit of a weight counts.

      Exit status: 0 no difference, 1 there are differences, 2 a file could not be read.

      Examples:
        nnfmt diff before.keras after.keras
        nnfmt diff model.h5 model.onnx --tolerance 1e-6
        nnfmt diff a.onnx b.onnx --json
      """)

  @Argument(help: ArgumentHelp("The first model file.", valueName: "A"))
  var first: String

  @Argument(help: ArgumentHelp("The second model file.", valueName: "B"))
  var second: String

  @Option(
    help: ArgumentHelp("Let weights differ by X times the largest weight of their tensor.", valueName: "X"))
  var tolerance: Double?

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if let tolerance, !(tolerance >= 0) { throw ValidationError("--tolerance must be 0 or more.") }
  }

  func run() throws {
    let comparison = try ModelComparison(
      try reading.read(first), try reading.read(second), tolerance: tolerance)
    if shared.json { print(comparison.json.text(.indented)) } else { printText(comparison) }
    if !comparison.isEqual { throw NegativeAnswer() }
  }

  private func printText(_ comparison: ModelComparison) {
    if !shared.quiet {
      for note in comparison.notes {
        shared.note("note: \(note.place): \(text(note.left)) -> \(text(note.right))")
      }
    }
    guard !comparison.isEqual else {
      print("no difference (\(Figures.grouped(comparison.tensors.compared)) tensors compared)")
      return
    }
    var table = Table(
      ("Section", .left), ("Where", .left), ("A", .left), ("B", .left), ("Largest difference", .right),
      ("Relative", .right), ("Cosine", .right))
    for difference in comparison.differences {
      var cells = [difference.section.rawValue, difference.place.onOneLine]
      if let distance = difference.distance {
        cells += [text(difference.left), text(difference.right), Figures.short(distance.maximumDifference)]
        cells += [Figures.short(distance.relativeDifference), Figures.fixed(distance.cosine, 6)]
      } else {
        cells += [text(difference.left), text(difference.right), "", "", ""]
      }
      table.add(cells)
    }
    table.print()
    let count = comparison.differences.count
    print("\n\(Figures.grouped(count)) \(count == 1 ? "difference" : "differences")")
  }

  private func text(_ side: String?) -> String { side?.onOneLine ?? "-" }
}
