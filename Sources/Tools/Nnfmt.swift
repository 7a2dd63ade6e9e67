import ArgumentParser
@unsafe @preconcurrency import Glibc
import NNEngine
import NNFormat

/// The command line: verbs, and the mapping of what happens to exit statuses.
@main
struct Nnfmt: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nnfmt",
    abstract: "Inspect, run and convert dense neural networks in Keras and ONNX files, without Python.",
    discussion: """
      Examples:
        nnfmt inspect model.keras
        nnfmt predict model.h5 --input images.npy --labels classes.txt

      Exit status: 0 done, or "yes"; 1 the answer is "no"; 2 it could not be done.
      """,
    subcommands: [
      Inspect.self, Predict.self, Convert.self, Check.self, Diff.self, Quantise.self, Create.self, Train.self,
      GraftCommand.self, PerceptronCommand.self, Bench.self,
    ])

  @Flag(help: "Print the version; with --verbose also what the machine and the libraries are.")
  var version = false

  @Flag(help: "With --version: name the instruction set, the kernels chosen and the library versions.")
  var verbose = false

  func run() throws {
    guard version else { throw CleanExit.helpRequest() }
    print("nnfmt \(nnfmtVersion)")
    if verbose { VersionReport.print() }
  }

  static func main() {
    HDF5Isolation.runWorkerIfAsked()
    // A reader that goes away ends the program quietly through the failed write.
    signal(SIGPIPE, SIG_DFL)
    // A limit on the size of files makes a write fail like a full disk, instead of ending the program.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
      finish(0)
    } catch is NegativeAnswer {
      finish(1)
    } catch is ReportedFailure {
      finish(2)
    } catch let error as FormatError {
      fail("\(error)")
    } catch let error as EngineError {
      fail("\(error)")
    } catch {
      let status = exitCode(for: error)
      if status == .success {
        print(fullMessage(for: error))
        finish(0)
      }
      let text = message(for: error).replacing("\n", with: " ")
      let verb = CommandLine.arguments.dropFirst().first { name in
        configuration.subcommands.contains { $0._commandName == name }
      }
      fail(
        text + (text.hasSuffix(".") || text.hasSuffix("?") ? "" : ".")
          + " See nnfmt \(verb.map { "\($0) " } ?? "")--help.")
    }
  }

  /// Ends the program with a status, unless the results could not be written.
  private static func finish(_ status: Int32) -> Never {
    let isWritten = unsafe fflush(stdout) == 0 && ferror(stdout) == 0
    if !isWritten { fail("standard output: cannot be written.") }
    Glibc.exit(status)
  }

  /// Reports that something could not be done.
  private static func fail(_ message: String) -> Never {
    Terminal.note("nnfmt: \(message)")
    Glibc.exit(2)
  }
}
