import ArgumentParser
import NNEngine
import NNFormat

/// Options that every verb has.
struct SharedOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Use this many threads (default: all cores).", valueName: "N"))
  var threads: Int?

  @OptionGroup var output: OutputOptions

  var json: Bool { output.json }
  var quiet: Bool { output.quiet }

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
  }

  /// Writes a note for people to standard error.
  func note(_ text: String) { output.note(text) }
}

/// How results and notes are given.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as one JSON object.")
  var json = false

  @Flag(help: "Print nothing but results and errors.")
  var quiet = false

  /// Writes a note for people to standard error.
  func note(_ text: String) {
    if !quiet { Terminal.note(text) }
  }
}

/// How a network runs, beside the number of threads.
struct EngineArguments: ParsableArguments {
  /// The names that the option takes; those of the element types are understood, too.
  enum Name: String, CaseIterable, ExpressibleByArgument {
    case fp32
    case bf16

    init?(argument: String) {
      switch argument {
      case "fp32", "float32": self = .fp32
      case "bf16", "bfloat16": self = .bf16
      default: return nil
      }
    }
  }

  @Option(
    name: .customLong("precision"),
    help: ArgumentHelp(
      "Keep the weights of dense layers as they are (fp32) or rounded to bfloat16 (bf16): half the memory, less exact.",
      valueName: "TYPE"))
  var precision = Name.fp32

  @Flag(name: .customLong("pin"), help: "Keep each thread but the first on a processor of its own.")
  var pinsThreads = false

  /// - Parameter limits: what the file of the network may ask for.
  func options(threads: Int? = nil, _ limits: ReadLimits) -> EngineOptions {
    EngineOptions(
      threads: threads, memoryLimit: limits.runBytes, precision: precision == .bf16 ? .bfloat16 : .float32,
      pinsThreads: pinsThreads)
  }
}

/// Whole numbers of 1 or more, separated by commas: `1,2,4`.
struct NumberList: ExpressibleByArgument {
  let values: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    values = parts.compactMap { $0 }
    guard values.count == parts.count, values.allSatisfy({ $0 > 0 }) else { return nil }
  }
}

/// How far files are trusted.
struct ReadingOptions: ParsableArguments {
  @Flag(
    help: "Read HDF5 in this process, not in a confined one: a few milliseconds faster, for files you trust.")
  var trusted = false

  @Option(
    help: ArgumentHelp(
      "Let a file ask for more or less of its reader; NAME is one of "
        + ReadLimits.named.map(\.name).joined(separator: ", ")
        + "; depth is \(ReadLimits.deepest) at most. Repeatable.", valueName: "NAME=N"))
  var limit: [ReadLimit] = []

  /// What a file may ask of its reader.
  var limits: ReadLimits {
    var limits = ReadLimits()
    for limit in limit { limits[keyPath: limit.path] = limit.value }
    limits.isolation = trusted ? nil : HDF5Isolation()
    return limits
  }

  /// Reads the file at a path.
  func read(_ path: String) throws(FormatError) -> ModelFile { try ModelFile.read(path, limits: limits) }
}

/// A bound on what a file may ask for: `depth=64`.
struct ReadLimit: ExpressibleByArgument {
  let path: WritableKeyPath<ReadLimits, Int> & Sendable
  let value: Int

  init?(argument: String) {
    let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let value = Int(parts[1]), value > 0,
      let (_, path) = ReadLimits.named.first(where: { $0.name == parts[0] })
    else { return nil }
    guard path != \.depth || value <= ReadLimits.deepest else { return nil }
    self.path = path
    self.value = value
  }
}

/// A model file, with layers from elsewhere when it holds weights alone.
struct ModelArgument: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Take the layers of a weights-only file from this .keras, .h5 or config.json.", valueName: "FILE"))
  var architecture: String?

  @OptionGroup var reading: ReadingOptions

  /// Reads the model at a path.
  func read(_ path: String) throws(FormatError) -> ModelFile {
    let file = try reading.read(path)
    guard let architecture else { return file }
    return try file.adopting(architecture: try reading.read(architecture))
  }
}

/// The answer of a verb is "no": exit status 1 without an error message.
struct NegativeAnswer: Error {}

/// Something could not be done, and what has been said already: exit status 2 without another message.
struct ReportedFailure: Error {}
