import NNEngine
import NNFormat

/// Prints what `check` finds as it goes, and counts.
struct CheckView {
  let isQuiet: Bool
  let printsText: Bool
  private(set) var passed = 0
  private(set) var failed = 0
  private(set) var skipped = 0
  private(set) var isUnreadable = false
  private var files: [JSONValue] = []
  private var tests: [JSONValue] = []

  init(isQuiet: Bool, printsText: Bool) {
    self.isQuiet = isQuiet
    self.printsText = printsText
  }

  /// A file that was read.
  mutating func add(_ path: String, findings: [Finding], strict: Bool) {
    let isBad = strict ? !findings.isEmpty : findings.contains { $0.severity == .error }
    if isBad { failed += 1 } else { passed += 1 }
    files.append([
      "file": .string(path), "result": .string(isBad ? "failed" : "passed"),
      "findings": .array(findings.map(Self.json)),
    ])
    guard printsText else { return }
    if !isQuiet || isBad { print("\(path): \(isBad ? Terminal.colored("failed", .red) : "passed")") }
    for finding in findings where !isQuiet || finding.severity == .error {
      let color: Terminal.Color = finding.severity == .error ? .red : finding.severity == .warning ? .yellow : .dim
      let severity = Terminal.colored(finding.severity.rawValue, color)
      print("  \(severity): \(finding.place.onOneLine): \(finding.message.onOneLine) [\(finding.code)]")
    }
  }

  /// A file or folder that could not be read.
  mutating func add(_ path: String, unreadable error: FormatError) {
    failed += 1
    isUnreadable = true
    files.append([
      "file": .string(path), "result": "unreadable",
      "findings": [
        ["severity": "error", "code": "unreadable", "message": .string("\(error)"), "where": .string(path)]
      ],
    ])
    Terminal.note("nnfmt: \(error)")
  }

  /// A test folder.
  mutating func add(_ test: ConformanceTest) {
    let (result, reason): (String, String?)
    switch test.outcome {
    case .passed: (result, reason) = ("passed", nil)
    case .failed(let message): (result, reason) = ("failed", message)
    case .skipped(let message): (result, reason) = ("skipped", message)
    }
    switch result {
    case "passed": passed += 1
    case "failed": failed += 1
    default: skipped += 1
    }
    tests.append([
      "name": .string(test.folder.name), "path": .string(test.folder.path), "result": .string(result),
      "operators": .array(test.operators.map { .string($0) }), "dataSets": .int(test.folder.dataSets.count),
      "reason": reason.map { .string($0) } ?? .null,
    ])
    guard printsText, let reason, result == "failed" || !isQuiet else { return }
    print("\(test.folder.name): \(result): \(reason.onOneLine)")
  }

  func printSummary() { print("\(passed) passed, \(failed) failed, \(skipped) skipped") }

  /// The whole as `nnfmt.check/1`.
  var json: JSONValue {
    [
      "schema": "nnfmt.check/1", "files": .array(files), "tests": .array(tests), "passed": .int(passed),
      "failed": .int(failed), "skipped": .int(skipped),
    ]
  }

  private static func json(_ finding: Finding) -> JSONValue {
    [
      "severity": .string(finding.severity.rawValue), "code": .string(finding.code),
      "message": .string(finding.message), "where": .string(finding.place),
    ]
  }
}
