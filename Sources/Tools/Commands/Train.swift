import ArgumentParser
import NNEngine
import NNFormat
import NNTraining

/// `nnfmt train`: trains a network on rows of data.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network; Keras goes on with the result, and the other way round.",
    discussion: """
      Data: .npz with x and y, .npy with --targets, .csv with --target, or a folder with a folder of images for each class.
      Loss, optimizer, metrics and the optimizer's state are taken from the file when it has them.

      Examples:
        nnfmt train digits.keras --data digits.npz --epochs 20 --output trained.keras --metrics accuracy
        nnfmt train iris.h5 --data iris.csv --target species --validation-split 0.2 --patience 5 --output iris.h5
        nnfmt train flowers.keras --data photos/ --epochs 10 --resume --checkpoint run.npz --output flowers.keras
      """)

  @Argument(help: ArgumentHelp("The model file.", valueName: "MODEL"))
  var path: String

  @Option(help: ArgumentHelp("The rows: .npz, .npy, .csv or a folder of images.", valueName: "FILE"))
  var data: String

  @Option(help: ArgumentHelp("The file to write the trained model to.", valueName: "FILE"))
  var output: String

  @Option(help: ArgumentHelp("Epochs in all (default: 1).", valueName: "N"))
  var epochs = 1

  @Option(help: ArgumentHelp("Rows of a batch (default: 32).", valueName: "N"))
  var batch = 32

  @OptionGroup var rows: TrainingRowOptions
  @OptionGroup var settings: TrainingSettingOptions
  @OptionGroup var control: TrainingControlOptions
  @OptionGroup var model: ModelArgument
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if epochs < 0 { throw ValidationError("--epochs must be 0 or more.") }
    if batch < 1 { throw ValidationError("--batch must be 1 or more.") }
  }

  func run() throws {
    let run = TrainingRun(
      path: path, data: data, output: output, epochs: epochs, batch: batch, rows: rows, settings: settings,
      control: control, shared: shared)
    do {
      try run.run(try model.read(path))
    } catch let error as FormatError {
      throw error.inFile(path)
    } catch let error as EngineError {
      let file = error.node == nil && error.kind == .invalidInput ? data : path
      throw FormatError(
        error.kind == .unsupported ? .unsupported : .mismatch, error.description.trimmingStop, file: file)
    }
  }
}

/// Where rows come from and which of them judge.
struct TrainingRowOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The targets of .npy data.", valueName: "FILE"))
  var targets: String?

  @Option(
    help: ArgumentHelp("The target column of .csv data, by name or number (default: the last).", valueName: "COLUMN"))
  var target: String?

  @Option(help: ArgumentHelp("Rows to judge by after each epoch, of the same kind as --data.", valueName: "FILE"))
  var validation: String?

  @Option(help: ArgumentHelp("Judge by this share of the rows instead, drawn by the seed.", valueName: "X"))
  var validationSplit: Double?

  @Flag(help: "Count rows and images that cannot be read and leave them out.")
  var skipBad = false

  @Flag(help: "Take the rows in the order of the file.")
  var noShuffle = false

  func validate() throws {
    if let validationSplit, !(validationSplit > 0 && validationSplit < 1) {
      throw ValidationError("--validation-split must be between 0 and 1.")
    }
    if validation != nil, validationSplit != nil {
      throw ValidationError("--validation and --validation-split both name the rows to judge by.")
    }
  }
}

/// What is made small, and how.
struct TrainingSettingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The loss by Keras's name (default: the file's, else by the output).", valueName: "NAME"))
  var loss: String?

  @Option(help: ArgumentHelp("The optimizer by Keras's name (default: the file's, else adam).", valueName: "NAME"))
  var optimizer: String?

  @Option(help: ArgumentHelp("The learning rate.", valueName: "X"))
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "How the learning rate changes with the steps: \"exponential 1000 0.9\", \"steps 500,900 0.01,0.001\", \"cosine 2000 warmup 100\", \"polynomial 1000\", \"inverse 100 0.5\".",
      valueName: "TEXT"))
  var schedule: String?

  @Option(help: ArgumentHelp("Metrics, separated by commas (default: the file's).", valueName: "LIST"))
  var metrics: String?

  @Option(help: ArgumentHelp("The share of a label that is spread over the classes.", valueName: "X"))
  var labelSmoothing: Double?

  @Option(help: ArgumentHelp("The share of the weights that decays, times the learning rate.", valueName: "X"))
  var weightDecay: Float?

  @Option(help: ArgumentHelp("Limit the length of each gradient.", valueName: "X"))
  var clipNorm: Float?

  @Option(help: ArgumentHelp("Limit the length of all gradients together.", valueName: "X"))
  var globalClipNorm: Float?

  @Option(help: ArgumentHelp("Limit each element of the gradients.", valueName: "X"))
  var clipValue: Float?

  @Option(help: ArgumentHelp("How much a class counts: CLASS=WEIGHT. Repeatable.", valueName: "CLASS=WEIGHT"))
  var classWeight: [String] = []

  @Option(help: ArgumentHelp("Layers that stay as they are; * stands for any text. Repeatable.", valueName: "PATTERN"))
  var freeze: [String] = []

  @Option(help: ArgumentHelp("Where random numbers start (default: 0).", valueName: "N"))
  var seed: UInt64 = 0

  func validate() throws {
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be above 0.")
    }
    let limits = [("--clip-norm", clipNorm), ("--global-clip-norm", globalClipNorm), ("--clip-value", clipValue)]
    for (name, limit) in limits {
      if let limit, !(limit > 0) { throw ValidationError("\(name) must be above 0.") }
    }
    if limits.filter({ $0.1 != nil }).count > 1 {
      throw ValidationError("--clip-norm, --global-clip-norm and --clip-value exclude each other.")
    }
    if let labelSmoothing, !(labelSmoothing >= 0 && labelSmoothing < 1) {
      throw ValidationError("--label-smoothing must be 0 or more and below 1.")
    }
    if let weightDecay, !(weightDecay >= 0) { throw ValidationError("--weight-decay must be 0 or more.") }
  }

  /// The limits of the gradients; `nil` when none is asked for.
  var clipping: Optimizer.Clipping? {
    clipNorm.map { .norm($0) } ?? globalClipNorm.map { .globalNorm($0) } ?? clipValue.map { .value($0) }
  }
}

/// When training ends, and what is written on the way.
struct TrainingControlOptions: ParsableArguments {
  @Option(help: ArgumentHelp("End after this many epochs without improvement.", valueName: "N"))
  var patience: Int?

  @Flag(help: "Keep the weights of the best epoch instead of the last.")
  var best = false

  @Option(help: ArgumentHelp("The figure to go by: loss, val_loss, a metric, val_METRIC.", valueName: "NAME"))
  var monitor: String?

  @Option(help: ArgumentHelp("The least change that counts as an improvement (default: 0).", valueName: "X"))
  var minDelta = 0.0

  @Option(help: ArgumentHelp("Lower the learning rate after this many epochs without improvement.", valueName: "N"))
  var plateau: Int?

  @Option(help: ArgumentHelp("What the learning rate is then multiplied by (default: 0.5).", valueName: "X"))
  var plateauFactor: Double?

  @Option(help: ArgumentHelp("Write the state here after each epoch and on an interrupt.", valueName: "FILE"))
  var checkpoint: String?

  @Flag(help: "Go on from the checkpoint (default: OUTPUT.checkpoint).")
  var resume = false

  @Option(help: ArgumentHelp("Write a row for each epoch: .csv or .json.", valueName: "FILE"))
  var history: String?

  func validate() throws {
    if let patience, patience < 0 { throw ValidationError("--patience must be 0 or more.") }
    if let plateau, plateau < 1 { throw ValidationError("--plateau must be 1 or more.") }
    if let plateauFactor, !(plateauFactor > 0 && plateauFactor < 1) {
      throw ValidationError("--plateau-factor must be between 0 and 1.")
    }
    if plateauFactor != nil, plateau == nil { throw ValidationError("--plateau-factor needs --plateau.") }
    if !(minDelta >= 0) { throw ValidationError("--min-delta must be 0 or more.") }
  }
}
