import Foundation
import TestSupport

/// Changes fixtures by a seed and hands them to the built program, which has to show, check, convert or refuse them in good
/// order; see `scripts/mutate`.
@main struct Mutate {
  static func main() throws {
    var options: [String: String] = [:]
    var arguments = CommandLine.arguments.dropFirst()
    while let name = arguments.popFirst() {
      guard names.contains(name), let value = arguments.popFirst() else {
        return refuse("\(name): unknown, or no value")
      }
      options[name] = value
    }
    func number(_ name: String, _ fallback: Int) -> Int? { options[name].map { Int($0) } ?? fallback }
    let kinds = options["--kinds"]?.split(separator: ",").map { MutationKind(rawValue: String($0)) }
    guard let count = number("--count", 300), let from = number("--from", 0), let seed = number("--seed", 1),
      count >= 0, from >= 0, seed >= 0, kinds?.contains(nil) != true
    else {
      return refuse("numbers are whole; kinds are \(MutationKind.allCases.map(\.rawValue).joined(separator: ","))")
    }
    let run = try MutationRun(
      program: options["--nnfmt"] ?? Tool.path, seed: UInt64(seed),
      kinds: kinds?.compactMap { $0 } ?? MutationKind.allCases, keep: options["--keep"] ?? "mutations")
    for number in from..<from + count { try run.run(number) }
    print(table(run))
    exit(run.tallies.values.contains { $0.values.contains { $0.faults > 0 } } ? 1 : 0)
  }

  private static let names = ["--count", "--from", "--seed", "--kinds", "--nnfmt", "--keep"]

  private static func refuse(_ reason: String) {
    FileHandle.standardError.write(Data("mutate: \(reason)\n".utf8))
    exit(2)
  }

  /// A line for each kind of file and verb: runs by exit status, the most processor time and memory of one, faults.
  private static func table(_ run: MutationRun) -> String {
    var lines = [["kind", "verb", "runs", "exit 0", "exit 1", "exit 2", "slowest s", "most MB", "faults"]]
    for kind in MutationKind.allCases {
      for verb in kind.verbs {
        guard let tally = run.tallies[kind]?[verb] else { continue }
        lines.append(
          [kind.rawValue, verb.rawValue, "\(tally.runs)"] + tally.statuses.map { "\($0)" } + [
            String(format: "%.2f", tally.slowest), "\(tally.largest >> 20)", "\(tally.faults)",
          ])
      }
    }
    return lines.map { cells in
      zip(cells, [12, 8, 9, 9, 9, 9, 10, 8, 7]).map { cell, width in
        cell.padding(toLength: max(width, cell.count), withPad: " ", startingAt: 0)
      }.joined().trimmingCharacters(in: .whitespaces)
    }.joined(separator: "\n")
  }
}
