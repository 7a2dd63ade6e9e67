import ArgumentParser

@main
struct Nnfmt: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nnfmt", abstract: "Inspect, run, convert, quantise, train and measure dense neural networks.")
}
