import ArgumentParser
import NNEngine
import NNFormat

/// `nnfmt check`: validates model files and runs ONNX test data.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Validate model files; run ONNX test folders.",
    discussion: """
      Structure, operators, types, shapes and weights are checked; nothing in a file is executed. A test folder holds
      model.onnx and test_data_set_*/ with input_*.pb and output_*.pb; outputs have to agree to 1e-3 relative plus 1e-7
      absolute, as in ONNX's own backend tests. Tests of operators that do not run are skipped.

      Exit status: 0 all passed, 1 something failed, 2 a file could not be read.

      Examples:
        nnfmt check model.onnx model.keras
        nnfmt check --strict model.h5
        nnfmt check --test-data onnx/backend/test/data/node --json
      """)

  @Argument(help: ArgumentHelp("Model files.", valueName: "FILE"))
  var files: [String] = []

  @Flag(help: "Let any finding fail a file: warnings and notes, too.")
  var strict = false

  @Option(help: ArgumentHelp("Run the test folder DIR, or every one below it. Repeatable.", valueName: "DIR"))
  var testData: [String] = []

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if files.isEmpty, testData.isEmpty { throw ValidationError("check needs FILE or --test-data DIR.") }
  }

  func run() throws {
    var view = CheckView(isQuiet: shared.quiet, printsText: !shared.json)
    for path in files {
      do throws(FormatError) {
        view.add(path, findings: ModelValidator.findings(in: try reading.read(path)), strict: strict)
      } catch {
        view.add(path, unreadable: error)
      }
    }
    for path in testData {
      do throws(FormatError) {
        for folder in try TestFolder.find(in: path) {
          let options = EngineOptions(threads: shared.threads, memoryLimit: reading.limits.runBytes)
          view.add(ConformanceTest(folder, limits: reading.limits, options: options))
        }
      } catch {
        view.add(path, unreadable: error)
      }
    }
    if shared.json { print(view.json.text(.indented)) } else { view.printSummary() }
    if view.isUnreadable { throw ReportedFailure() }
    if view.failed > 0 { throw NegativeAnswer() }
  }
}
