import NNEngine
import NNFormat
import NNTraining

/// One training from files to files.
struct TrainingRun {
  let path: String
  let data: String
  let output: String
  let epochs: Int
  let batch: Int
  let rows: TrainingRowOptions
  let settings: TrainingSettingOptions
  let control: TrainingControlOptions
  let shared: SharedOptions

  private var checkpointPath: String { control.checkpoint ?? "\(output).checkpoint" }
  private var writesCheckpoints: Bool { control.checkpoint != nil || control.resume }

  func run(_ file: ModelFile) throws {
    let model = try TrainableModel(file, frozen: settings.freeze)
    guard let graph = model.graph, let width = try ExecutionPlan(graph).outputs.first?.shape?.dimensions.last?.value
    else { throw FormatError(.unsupported, "the network's output has no known width", file: path) }
    for metric in model.compiled.unknownMetrics where settings.metrics == nil {
      shared.note("note: the metric \(metric) is not known to training and is left out")
    }
    if graph.graph.outputs.count > 1 {
      guard model.outputs != nil, settings.loss == nil, settings.metrics == nil, settings.labelSmoothing == nil else {
        throw FormatError(
          .unsupported, "the network has \(graph.graph.outputs.count) outputs, whose losses only the file can state",
          file: path, advice: "Compile it with a loss for each, in Keras or with NeuralNetwork")
      }
    }
    let loaded = try LoadedRows(
      self, graph, loss: try loss(model, width, graph), width: width, outputs: model.outputs)
    let trainingSettings = try configured(model, loaded.loss)
    let trainer = try Trainer(graph, settings: trainingSettings, options: EngineOptions(threads: shared.threads))
    let usesState = settings.optimizer == nil && settings.freeze.isEmpty
    if usesState, let slots = try model.slots(for: trainingSettings) {
      try trainer.restoreOptimizer(step: slots.step, slots: slots.slots, momentumProduct: slots.momentumProduct)
      if let rate = slots.learningRate, settings.learningRate == nil, settings.schedule == nil {
        trainer.setLearningRate(Double(rate))
      }
      shared.note("going on after \(Figures.grouped(slots.step)) steps of the file's optimizer")
    }
    let session = TrainingSession(trainer, options(), fingerprint: fingerprint(graph, loaded, trainingSettings))
    if control.resume, FileSystem.exists(checkpointPath) {
      try session.resume(try Checkpoint(path: checkpointPath), path: checkpointPath)
      shared.note("resumed from \(checkpointPath) after \(session.history.count) epochs")
    }
    let ending = try train(session, loaded)
    try finish(session, model, ending, loaded)
  }

  private func options() -> SessionOptions {
    var options = SessionOptions()
    (options.batch, options.epochs, options.shuffles) = (batch, epochs, !rows.noShuffle)
    (options.monitor, options.patience, options.keepsBest) = (control.monitor, control.patience, control.best)
    options.minimumChange = control.minDelta
    options.plateau = control.plateau.map { ($0, control.plateauFactor ?? 0.5) }
    options.checkpoint = writesCheckpoints ? checkpointPath : nil
    return options
  }

  /// What a resumed training must have in common with the one that wrote the checkpoint.
  private func fingerprint(_ graph: Model, _ loaded: LoadedRows, _ settings: TrainingSettings) -> String {
    let parameters = graph.graph.initializers.map { "\($0.name)\($0.tensor.shape)" }.joined(separator: " ")
    return
      "\(parameters); rows \(loaded.training.rowCount); batch \(batch); loss \(settings.loss.kind.rawValue); optimizer \(settings.optimizer.rule); seed \(settings.seed)"
  }

  private func loss(_ model: TrainableModel, _ width: Int, _ graph: Model) throws(FormatError) -> Loss {
    var loss: Loss
    if let name = settings.loss {
      loss = try TrainingNames.loss(name)
    } else if let known = model.compiled.loss {
      loss = known
    } else {
      switch graph.graph.nodes.last?.operatorType {
      case "Softmax": loss = Loss(.sparseCategoricalCrossEntropy)
      case "Sigmoid": loss = Loss(.binaryCrossEntropy)
      default: loss = Loss(.meanSquaredError)
      }
    }
    if let smoothing = settings.labelSmoothing {
      guard loss.smoothsLabels else {
        throw FormatError(
          .unsupported, "the loss has no label smoothing", file: path,
          advice: "Losses with it are categorical_crossentropy, binary_crossentropy and the focal ones")
      }
      loss.labelSmoothing = smoothing
    }
    return loss
  }

  private func configured(_ model: TrainableModel, _ loss: Loss) throws(FormatError) -> TrainingSettings {
    var optimizer = model.compiled.optimizer ?? .adam()
    if let name = settings.optimizer { optimizer = try TrainingNames.optimizer(name, rate: nil) }
    if let rate = settings.learningRate { optimizer.learningRate = .constant(rate) }
    if let text = settings.schedule {
      optimizer.learningRate = try Schedule(parsing: text, rate: Double(optimizer.learningRate.rate(at: 0)))
    }
    if let decay = settings.weightDecay { optimizer.weightDecay = decay }
    if let clipping = settings.clipping { optimizer.clipping = clipping }
    let metrics = try settings.metrics == nil ? model.compiled.metrics : TrainingNames.metrics(settings.metrics)
    return model.settings(loss: loss, optimizer: optimizer, metrics: metrics, seed: settings.seed)
  }

  private func train(_ session: TrainingSession, _ loaded: LoadedRows) throws -> TrainingSession.Ending {
    Interrupt.listen()
    let view = TrainingView(isShown: !shared.quiet && !shared.json)
    return try session.run(
      loaded.training, validation: loaded.validation,
      afterBatch: { progress in
        view.show(progress)
        return Interrupt.wasRequested ? .stop : .proceed
      },
      afterEpoch: { record in
        view.show(record, of: epochs)
        if let history = control.history { try? HistoryFile.write(session.history, to: history) }
      })
  }

  private func finish(
    _ session: TrainingSession, _ model: TrainableModel, _ ending: TrainingSession.Ending, _ loaded: LoadedRows
  ) throws {
    let trainer = session.trainer
    if case .interrupted = ending {
      if !writesCheckpoints {
        try session.writeCheckpoint(to: checkpointPath)
      }
      Terminal.note("interrupted; the state is in \(checkpointPath). Give the same command with --resume to go on.")
      throw ReportedFailure()
    }
    try TrainableModel.write(model.result(trainer.state, trainer.settings, path: output), to: output)
    if let history = control.history { try HistoryFile.write(session.history, to: history) }
    if case .stoppedEarly(let epoch) = ending {
      shared.note("stopped early: nothing was better than epoch \(epoch)")
    }
    if shared.json {
      let report: JSONValue = [
        "schema": "nnfmt.train/1", "model": .string(path), "output": .string(output),
        "parameters": .int(trainer.parameterCount), "steps": .int(trainer.step),
        "skipped": .int(loaded.skipped), "epochs": .array(session.history.map(\.json)),
      ]
      print(report.text(.indented))
    } else {
      shared.note("\(Figures.grouped(trainer.parameterCount)) trained parameters written to \(output)")
    }
  }
}

/// The rows of a training, split.
struct LoadedRows {
  var training: any TrainingData
  var validation: (any TrainingData)?
  var skipped = 0
  var loss: Loss

  init(_ run: TrainingRun, _ graph: Model, loss: Loss, width: Int, outputs: [TrainingOutput]?) throws {
    self.loss = loss
    let widths = try ExecutionPlan(graph).outputs.map { $0.shape?.dimensions.last?.value ?? 1 }
    let names = Set(graph.graph.initializers.map(\.name))
    let inputs = graph.graph.inputs.filter { !names.contains($0.name) }
    var words: [[String]?]?
    func read(_ path: String) throws -> (any TrainingData, Int) {
      if FileSystem.isFolder(path) {
        let shape = inputs.first?.shape?.dimensions.dropFirst().compactMap(\.value) ?? []
        let folder = try ImageFolder(
          path, shape: shape, isSparse: loss.takesClasses || width == 1, classCount: width, skipsBad: run.rows.skipBad)
        folder.classWeights = try Self.factors(run.settings.classWeight, folder.classNames)
        return (folder, folder.skipped)
      }
      var data = try DataFile.read(
        path, targets: run.rows.targets, target: run.rows.target, skipsBad: run.rows.skipBad, inputs: inputs,
        outputs: outputs?.map(\.name) ?? [], words: words)
      words = data.words
      let factors = try Self.factors(run.settings.classWeight, data.classNames)
      if !factors.isEmpty { data.weights = try data.weights(ofClasses: factors) }
      if let outputs {
        let places = outputs.map { output in graph.graph.outputs.firstIndex { $0.name == output.name } ?? 0 }
        return (try data.rows(for: outputs, widths: places.map { widths[$0] }, file: path), data.skipped)
      }
      return (try data.rows(for: loss, outputCount: width, file: path), data.skipped)
    }
    (training, skipped) = try read(run.data)
    if skipped > 0 { run.shared.note("\(skipped) of \(training.rowCount + skipped) rows of \(run.data) skipped") }
    if let path = run.rows.validation { validation = try read(path).0 }
    if let share = run.rows.validationSplit {
      let order = TrainingSelection.shuffled(training.rowCount, seed: run.settings.seed)
      let count = Int((Double(order.count) * share).rounded())
      guard count > 0, count < order.count else {
        throw FormatError(.mismatch, "\(order.count) rows cannot be split by \(share)", file: run.data)
      }
      let whole = training
      validation = TrainingSelection(whole, rows: Array(order.prefix(count)))
      training = TrainingSelection(whole, rows: Array(order.dropFirst(count)))
    }
  }

  /// How much classes count.
  private static func factors(_ arguments: [String], _ names: [String]?) throws -> [Int: Float] {
    var factors: [Int: Float] = [:]
    for argument in arguments {
      let parts = argument.split(separator: "=").map(String.init)
      guard parts.count == 2, let factor = Float(parts[1]), factor >= 0,
        let label = names?.firstIndex(of: parts[0]) ?? Int(parts[0])
      else { throw FormatError(.malformed, "--class-weight \(argument) is not CLASS=WEIGHT") }
      factors[label] = factor
    }
    return factors
  }
}
