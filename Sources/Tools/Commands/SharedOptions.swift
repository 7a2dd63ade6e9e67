import ArgumentParser
import NNEngine
import NNFormat

/// Options that every verb has.
struct SharedOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Use this many threads (default: all cores).", valueName: "N"))
  var threads: Int?

  @Flag(help: "Print the result as one JSON object.")
  var json = false

  @Flag(help: "Print nothing but results and errors.")
  var quiet = false

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
  }

  /// Writes a note for people to standard error.
  func note(_ text: String) {
    if !quiet { Terminal.note(text) }
  }
}

/// A model file, with layers from elsewhere when it holds weights alone.
struct ModelArgument: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Take the layers of a weights-only file from this .keras, .h5 or config.json.", valueName: "FILE"))
  var architecture: String?

  /// Reads the model at a path.
  func read(_ path: String) throws(FormatError) -> ModelFile {
    let file = try ModelFile.read(path)
    guard let architecture else { return file }
    return try file.adopting(architecture: try ModelFile.read(architecture))
  }
}

/// The answer of a verb is "no": exit status 1 without an error message.
struct NegativeAnswer: Error {}
