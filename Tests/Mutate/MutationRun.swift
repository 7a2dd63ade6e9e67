import Foundation
import NNFormat
import TestSupport

/// Runs changed files through the program and counts what came of it.
final class MutationRun {
  /// What no run may take.
  static let processorSeconds = 5.0
  static let peakBytes = 512 << 20
  /// After so long by the clock a run counts as hanging.
  static let clockSeconds = 60

  /// The runs of one verb on one kind of file.
  struct Tally {
    var runs = 0
    var statuses = [0, 0, 0]
    var slowest = 0.0
    var largest = 0
    var faults = 0
  }

  private(set) var tallies: [MutationKind: [MutationVerb: Tally]] = [:]
  private let launcher: ProcessLauncher
  private let seed: UInt64
  private let files: [MutationKind: [[UInt8]]]
  /// Holds the changed file, what it may refer to, and what is written.
  private let folder: String
  private let scratch: TemporaryFolder
  private let keep: String
  private let bystanders: Set<String>
  /// Networks that take the unchanged files of a kind, by the file.
  private var networks: [MutationKind: [Int: String]] = [:]

  /// - Parameters:
  ///   - program: the path of `nnfmt`.
  ///   - keep: where files are kept that a run went wrong on.
  init(program: String, seed: UInt64, kinds: [MutationKind], keep: String) throws {
    launcher = ProcessLauncher(program: program)
    self.seed = seed
    self.keep = keep
    files = Dictionary(uniqueKeysWithValues: try kinds.map { ($0, try $0.files(limit: 300_000)) })
    scratch = try TemporaryFolder()
    folder = scratch.file("cases")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try FileManager.default.copyItem(
      atPath: Fixtures.path("onnx/external.onnx.data"), toPath: "\(folder)/external.onnx.data")
    _ = try Conversion().convert(try ModelFile.read(Fixtures.model("digits.keras")), to: scratch.file("digits.onnx"))
    bystanders = ["external.onnx.data"]
  }

  /// Makes the case of a number and asks everything of it.
  func run(_ number: Int) throws {
    let mutation = MutationCase(seed: seed, number: number, files: files, scratch: scratch.file("archive"))
    let name = "case.\(mutation.kind.rawValue)"
    let path = "\(folder)/\(name)"
    try Data(mutation.bytes).write(to: URL(fileURLWithPath: path))
    defer { unsafe unlink(path) }
    for verb in mutation.kind.verbs {
      let output = "out.\(verb == .predict ? "npz" : mutation.target)"
      let target = "\(folder)/\(output)"
      let isWriting = verb == .convert || verb == .predict
      if isWriting { try Data(Self.old).write(to: URL(fileURLWithPath: target)) }
      let arguments =
        switch verb {
        case .inspect: ["inspect", path] + mutation.view
        case .check: ["check", path]
        case .convert: ["convert", path, target]
        case .predict: ["predict", try network(for: mutation), "--input", path, "--output", target]
        }
      var result = launcher.run(arguments, seconds: Self.clockSeconds)
      // A machine that stands still is no fault; what hangs does so again.
      if result.signal == SIGKILL { result = launcher.run(arguments, seconds: Self.clockSeconds) }
      let expected = bystanders.union([name, output, output + ".data"])
      let litter = Set(try FileSystem.list(folder)).subtracting(expected)
      var faults = faults(of: result) + litter.sorted().map { "left \($0) behind" }
      if isWriting, result.status != 0, !isOld(target) { faults.append("changed the file that was there") }
      if isWriting {
        unsafe unlink(target)
        unsafe unlink(target + ".data")
      }
      for name in litter { unsafe unlink("\(folder)/\(name)") }
      count(result, faults, mutation.kind, verb)
      if !faults.isEmpty { try report(faults, arguments, number, mutation) }
    }
  }

  /// A network that gives back what the file holds that was changed; that of the digits where this is no array with a name.
  private func network(for mutation: MutationCase) throws -> String {
    if let path = networks[mutation.kind]?[mutation.source] { return path }
    let original = try scratch.write(files[mutation.kind]?[mutation.source] ?? [], to: "original")
    var path = scratch.file("digits.onnx")
    if case .named(let tensors)? = try? TensorInput.read(original), !tensors.isEmpty {
      let inputs = tensors.map { name, tensor in
        Value(name: name.isEmpty ? "x" : name, type: .tensor(tensor.elementType, Shape(tensor.shape)))
      }
      let copies = inputs.map { Value(name: "\($0.name)_copy", type: $0.type) }
      let nodes = zip(inputs, copies).map { Node("Identity", inputs: [$0.name], outputs: [$1.name]) }
      let graph = Graph(name: "copy", inputs: inputs, outputs: copies, nodes: nodes)
      path = scratch.file("\(mutation.kind.rawValue)-\(mutation.source).onnx")
      try ONNXFile.write(Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10), to: path)
    }
    networks[mutation.kind, default: [:]][mutation.source] = path
    return path
  }

  private static let old = Array("old".utf8)

  private func isOld(_ path: String) -> Bool { (try? TemporaryFolder.bytes(of: path)) == Self.old }

  private func faults(of result: MeasuredProcess) -> [String] {
    var faults: [String] = []
    if let signal = result.signal { faults.append("signal \(signal)") }
    if let status = result.status, !(0...2).contains(status) { faults.append("exit status \(status)") }
    if result.status == 2 {
      let lines = result.error.split(separator: "\n", omittingEmptySubsequences: false)
      if lines.count != 2 || !result.error.hasPrefix("nnfmt: ") || lines[1] != "" {
        faults.append("\(lines.count - 1) lines of error: \(result.error.prefix(300))")
      }
    }
    if result.processorSeconds > Self.processorSeconds { faults.append("took \(result.processorSeconds) s") }
    if result.peakBytes > Self.peakBytes { faults.append("took \(result.peakBytes >> 20) MB") }
    return faults
  }

  private func count(_ result: MeasuredProcess, _ faults: [String], _ kind: MutationKind, _ verb: MutationVerb) {
    var tally = tallies[kind]?[verb] ?? Tally()
    tally.runs += 1
    if let status = result.status, (0...2).contains(status) { tally.statuses[Int(status)] += 1 }
    tally.slowest = max(tally.slowest, result.processorSeconds)
    tally.largest = max(tally.largest, result.peakBytes)
    tally.faults += faults.count
    tallies[kind, default: [:]][verb] = tally
  }

  /// Says what went wrong, and keeps the file.
  private func report(_ faults: [String], _ arguments: [String], _ number: Int, _ mutation: MutationCase) throws {
    try FileManager.default.createDirectory(atPath: keep, withIntermediateDirectories: true)
    let kept = "\(keep)/\(seed)-\(number).\(mutation.kind.rawValue)"
    try Data(mutation.bytes).write(to: URL(fileURLWithPath: kept))
    let line = arguments.map { $0.replacing("\(folder)/case.\(mutation.kind.rawValue)", with: kept) }
    let text = "seed \(seed) case \(number): \(faults.joined(separator: "; ")): nnfmt \(line.joined(separator: " "))\n"
    FileHandle.standardError.write(Data(text.utf8))
  }
}
