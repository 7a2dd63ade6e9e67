import Foundation
import NNFormat
import TestSupport

/// Real programs behind a Python script in `Peers`, which does a batch of jobs in one process.
struct PythonPeer {
  /// A file for the other program, and the numbers that it has to compute.
  struct Job {
    var id: String
    var file: String
    var inputs: String
    var outputs: String
    /// Where the layers are, for a file of weights alone.
    var architecture: String?
    /// Further members of the job.
    var more: [String: String] = [:]

    var json: JSONValue {
      var members: [(String, JSONValue)] = [
        ("id", .string(id)), ("file", .string(file)), ("inputs", .string(inputs)), ("outputs", .string(outputs)),
      ]
      if let architecture { members.append(("architecture", .string(architecture))) }
      members += more.map { ($0.key, .string($0.value)) }
      return .object(.init(uniqueKeysWithValues: members))
    }
  }

  /// What the other program made of a job.
  enum Answer: Sendable {
    /// max |difference| / max |expected| of each output.
    case differences([Double])
    case error(String)
  }

  /// Why a batch has no answers.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// The script in `Peers`, and arguments in front of the batch's.
  let script: String
  var arguments: [String] = []

  /// Runs a batch to its end.
  ///
  /// - Returns: the answers by the jobs' ids.
  func answers(to jobs: [Job]) throws -> [String: Answer] {
    let folder = try TemporaryFolder()
    let batch = try folder.write(JSONValue.array(jobs.map(\.json)).text(), to: "jobs.json")
    let results = folder.file("answers.json")
    let log = try Self.run(try Self.interpreter.get(), [Self.path(script)] + arguments + [batch, results])
    guard FileManager.default.fileExists(atPath: results) else {
      throw Failure(description: "\(script) gave no answers: \(log.suffix(2000))")
    }
    let json = try JSONValue.parse(try TemporaryFolder.bytes(of: results))
    var answers: [String: Answer] = [:]
    for job in jobs {
      guard let row = json[job.id] else { throw Failure(description: "\(script) left out \(job.id)") }
      if let error = row["error"]?.string {
        answers[job.id] = .error(error)
      } else {
        answers[job.id] = .differences((row["differences"]?.array ?? []).map { $0.double ?? .infinity })
      }
    }
    return answers
  }

  /// The interpreter that `scripts/python-environment` makes or names.
  private static let interpreter = Result {
    let script = Fixtures.folder.replacing("/fixtures", with: "/scripts/python-environment")
    guard let path = try run(script, [], keepsErrors: false).split(separator: "\n").last.map(String.init) else {
      throw Failure(description: "scripts/python-environment named no interpreter")
    }
    return path
  }

  private static func path(_ script: String) -> String {
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
      + "/Peers/\(script)"
  }

  /// Runs a program and returns what it printed.
  private static func run(_ program: String, _ arguments: [String], keepsErrors: Bool = true) throws -> String {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: try folder.write("", to: "output")))
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = keepsErrors ? output : FileHandle.standardError
    try process.run()
    process.waitUntilExit()
    let text = String(decoding: try TemporaryFolder.bytes(of: folder.file("output")), as: UTF8.self)
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw Failure(description: "\(program) ended with \(process.terminationStatus): \(text.suffix(2000))")
    }
    return text
  }
}
