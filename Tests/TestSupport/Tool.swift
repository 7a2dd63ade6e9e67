import Foundation

/// The built `nnfmt`, run as its users run it.
package enum Tool {
  /// What a run left behind.
  package struct Result: Sendable {
    package var status: Int32
    package var output: String
    package var error: String

    /// The lines of standard error.
    package var errorLines: [String] { error.split(separator: "\n").map(String.init) }
  }

  package static let path = path(of: "nnfmt")

  /// The program while it runs, its output left unread.
  package final class Running {
    private let process = Process()

    package init(_ arguments: [String]) throws {
      process.executableURL = URL(fileURLWithPath: Tool.path)
      process.arguments = arguments
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
    }

    package var isRunning: Bool { process.isRunning }

    /// Sends a signal and waits for the end.
    ///
    /// - Returns: the exit status, or minus the signal that ended the program.
    package func end(by signal: Int32) -> Int32 {
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
  }

  /// Programs lie beside the test bundle that this process runs.
  private static func path(of program: String) -> String {
    let bundle =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent(program).path
  }

  /// Runs the program, or another of the package, to its end.
  ///
  /// - Parameters:
  ///   - input: what it reads on standard input.
  ///   - environment: variables added to those of this process.
  ///   - launcher: another program and its arguments, which starts the program that it finds behind them.
  package static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:], program: String = "nnfmt",
    launcher: [String] = []
  ) throws -> Result {
    let folder = try TemporaryFolder()
    let process = Process()
    let line = launcher + [path(of: program)] + arguments
    process.executableURL = URL(fileURLWithPath: line[0])
    process.arguments = Array(line.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder.write(input, to: "input")))
    let (output, error) = (try folder.write("", to: "output"), try folder.write("", to: "error"))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: error))
    try process.run()
    process.waitUntilExit()
    // A signal counts as a status that no run may end with.
    let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return Result(
      status: status, output: String(decoding: try TemporaryFolder.bytes(of: output), as: UTF8.self),
      error: String(decoding: try TemporaryFolder.bytes(of: error), as: UTF8.self))
  }
}
