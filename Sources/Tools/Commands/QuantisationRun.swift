import NNEngine
import NNFormat

/// One call of `quantise`, step by step.
struct QuantisationRun {
  private let command: Quantise
  private let settings: QuantisationSettings
  private let bar: ProgressBar
  private var result: QuantisationResult

  init(_ command: Quantise) {
    self.command = command
    settings = command.options.settings
    bar = ProgressBar(isShown: !command.shared.quiet)
    result = QuantisationResult(
      source: command.source, target: command.target, settings: settings.inForce + Self.runSettings(of: command))
  }

  private var options: EngineOptions {
    EngineOptions(threads: command.shared.threads, memoryLimit: command.model.reading.limits.runBytes)
  }

  /// Does the work; the file is written unless the result says why not.
  mutating func run() throws -> QuantisationResult {
    defer { bar.finish() }
    let target = try ConversionTarget(path: command.target)
    try settings.validate()
    let file = try command.model.read(command.source)
    result.bytesBefore = file.storedByteCount
    switch target {
    case .onnx:
      var quantiser = try ModelQuantiser(try file.model().withoutSidecar(), settings)
      echo { _ in true }
      let calibrated = try calibrate(quantiser)
      let data = try validationData(quantiser.model) ?? calibrated?.data ?? randomData(quantiser.model)
      let model = try quantise(&quantiser, calibrated?.calibration, on: data).model
      quantiser.describeActivations(calibrated?.calibration, in: &result.layers)
      try write { (path) throws(FormatError) in try ONNXFile.write(model, to: path) }
    case .keras(let layout):
      let layers = try Self.layers(of: file, layout: layout)
      result.targetFormat = target.name
      var quantiser = try KerasNetworkQuantiser(layers, settings)
      echo { !["format", "reduce-range", "symmetric"].contains($0) }
      let data = try validationData(quantiser.model) ?? randomData(quantiser.model)
      // Without measurements nothing has to be turned into operators.
      let kept = command.isMeasured ? try quantise(&quantiser, nil, on: data).kept : [:]
      let (model, rows) = try quantiser.quantised(keeping: kept)
      if !command.isMeasured { result.layers = rows }
      try write { (path) throws(FormatError) in try KerasWriter.write(model, to: path, layout: layout) }
    case .safetensors, .npz:
      throw FormatError(
        .unsupported, "holds weights without layers, and no quantised ones", file: command.target,
        advice: "Use .onnx, .keras, .h5 or .weights.h5")
    }
    return result
  }

  /// Prints the settings in force whose names pass.
  private func echo(_ isShown: (String) -> Bool) {
    for (name, value) in result.settings where isShown(name) { command.shared.note("\(name): \(value)") }
  }

  /// What is in force beside the way that numbers are rounded.
  private static func runSettings(of command: Quantise) -> [(name: String, value: String)] {
    var rows: [(name: String, value: String)] = []
    let data = [("calibration-data", command.calibrationData), ("validation-data", command.validationData)]
    for case (let name, let path?) in data { rows.append((name, path)) }
    if let limit = command.maxDrop { rows.append(("max-drop", "\(limit)")) }
    if let ratio = command.requireSpeedup { rows.append(("require-speedup", "\(ratio)")) }
    guard command.isMeasured else { return rows }
    if command.calibrationData == nil {
      if command.validationData == nil { rows.append(("data", "random inputs")) }
      rows.append(("seed", String(command.options.settings.seed)))
    }
    rows.append(("batch", String(command.batch ?? 1)))
    rows.append(("threads", String(command.shared.threads ?? ThreadPool.onlineProcessorCount)))
    return rows
  }

  private static func layers(of file: ModelFile, layout: KerasModel.Layout) throws(FormatError) -> KerasModel {
    switch file.content {
    case .keras(let model): return model
    case .onnx(let model): return try Conversion().keras(from: model, layout: layout, path: file.path).model
    }
  }

  /// Quantises, measures and fills in the result.
  ///
  /// - Returns: the quantised network, and the layers that were left as they were for the sake of the budget.
  private mutating func quantise<Quantiser: NetworkQuantiser>(
    _ quantiser: inout Quantiser, _ calibration: Calibration?, on data: QuantisationData?
  ) throws -> (model: Model, kept: [Int: String]) {
    let ranges = calibration?.ranges ?? [:]
    bar.show(0, "rounding weights")
    var (quantised, rows) = try quantiser.quantised(ranges: ranges)
    var kept: [Int: String] = [:]
    if let data {
      let measurement = try QuantisationMeasurement(
        quantiser, data, options: options, rowsPerRun: rowsPerRun(quantiser.model))
      let bar = bar
      try measurement.measureAlone(ranges, &rows) { bar.show($0, "measuring layers by themselves") }
      if let limit = command.maxDrop {
        let budget = try QuantisationBudget(limit, &quantiser, measurement, ranges, rows)
        kept = budget.kept
        result.budget = (limit, budget)
        if !budget.isMet { result.refusal = "no layer can be quantised within the budget" }
        let known = rows
        (quantised, rows) = try quantiser.quantised(ranges: ranges, keeping: kept)
        for index in rows.indices {
          rows[index].output = rows[index].isQuantised ? known[index].output : nil
          rows[index].sensitivity = known[index].sensitivity
        }
      }
      result.outputs = try measurement.measureTogether(quantised, &rows)
      result.accuracy = try measurement.accuracy(quantised)
    }
    result.layers = rows
    if command.isMeasured { try measureSpeed(quantiser.model, quantised) }
    return (quantised, kept)
  }

  private mutating func measureSpeed(_ before: Model, _ after: Model) throws {
    bar.show(0.5, "measuring speed")
    let speed = try QuantisationSpeed(before, after, rows: command.batch ?? 1, seed: settings.seed, options: options)
    result.speed = speed
    if let wanted = command.requireSpeedup, speed.ratio < wanted {
      result.refusal =
        "it runs \(Figures.fixed(speed.ratio, 2)) times as fast here, \(Figures.fixed(wanted, 2)) are required"
    }
  }

  /// Writes the file, unless it is refused.
  private mutating func write(_ body: (String) throws(FormatError) -> Void) throws(FormatError) {
    guard result.refusal == nil else { return }
    bar.show(1, "writing")
    do throws(FormatError) {
      try body(command.target)
      result.bytesAfter = try command.model.reading.read(command.target).storedByteCount
    } catch {
      throw error.inFile(command.target)
    }
  }

  // MARK: Data

  private func calibrate(
    _ quantiser: ModelQuantiser
  ) throws -> (data: QuantisationData, calibration: Calibration)? {
    guard let path = command.calibrationData else { return nil }
    bar.show(0, "calibrating")
    let network = try Network(quantiser.model, options: options)
    let inputs = try Self.inputs(path, of: network).inputs
    let data = try Self.naming(path) { () throws(EngineError) in
      try QuantisationData(inputs, for: network, limit: settings.sampleCount, seed: settings.seed)
    }
    let calibration = try Self.naming(path) { () throws(EngineError) in
      try Calibration(quantiser, data, options: options, rowsPerRun: rowsPerRun(quantiser.model))
    }
    return (data, calibration)
  }

  private func validationData(_ model: Model) throws -> QuantisationData? {
    guard let path = command.validationData else { return nil }
    let network = try Network(model, options: options)
    let (inputs, classes) = try Self.inputs(path, of: network)
    return try Self.naming(path) { () throws(EngineError) in
      try QuantisationData(inputs, classes: classes, for: network)
    }
  }

  private func randomData(_ model: Model) throws -> QuantisationData? {
    guard command.report != nil else { return nil }
    return try QuantisationData(randomFor: Network(model, options: options), rows: 64, seed: settings.seed)
  }

  /// The inputs of a network from a file, and the classes that an archive holds beside them.
  private static func inputs(
    _ path: String, of network: Network
  ) throws(FormatError) -> (inputs: [String: Tensor], classes: [Int]?) {
    var input = try TensorInput.read(path)
    do throws(FormatError) {
      let classes = try input.takeClasses(besides: network.inputs)
      return (try TensorInput.assign([(nil, input)], to: network.inputs), classes)
    } catch {
      throw error.inFile(path)
    }
  }

  /// Lets an error of data name its file.
  private static func naming<Value>(_ path: String, _ body: () throws(EngineError) -> Value) throws(FormatError)
    -> Value
  {
    do throws(EngineError) {
      return try body()
    } catch {
      throw FormatError(
        error.kind == .unsupported ? .unsupported : .mismatch, error.description.trimmingStop, file: path)
    }
  }

  /// What the network's first axis fixes, or as many rows as make a run worth while.
  private func rowsPerRun(_ model: Model) -> Int {
    let constants = Set(model.graph.initializers.map(\.name))
    let input = model.graph.inputs.first { !constants.contains($0.name) }
    return input?.shape?.dimensions.first?.value ?? 64
  }
}
