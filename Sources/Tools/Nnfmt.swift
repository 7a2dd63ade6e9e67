import ArgumentParser
import NNFormat

@main
struct Nnfmt: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nnfmt", abstract: "Inspect, run, convert, quantise, train and measure dense neural networks.")
  @Argument var files: [String]
  func run() throws {
    for f in files {
      do {
        let file = try ModelFile.read(f)
        if case .keras(let k) = file.content {
          print(f.split(separator: "/").last!, k.layout.rawValue, k.kerasVersion ?? "-", "weights", k.weights.count, "opt", k.optimizer?.variables.count ?? 0, k.findings.map { "\($0.code)@\($0.place): \($0.message)" })
        }
        do { let m = try file.model(); print("   ok", m.graph.nodes.map { $0.operatorType }.joined(separator: " "), m.graph.outputs.map { "\($0.name) \($0.shape?.description ?? "?")" }) } catch { print("   LOWER", error) }
      } catch { print("ERR", error) }
    }
  }
}
