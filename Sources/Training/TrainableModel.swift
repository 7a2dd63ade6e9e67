import NNEngine
import NNFormat

/// A model file on its way through training: its settings, and how the result goes back into the file's own form.
public struct TrainableModel: Sendable {
  /// The file as it was read.
  public let file: ModelFile
  private let keras: KerasTraining?
  private let onnx: Model?
  /// What the file says it is compiled with.
  public let compiled: CompileSettings
  /// The graph that is trained.
  public var graph: Model? { keras?.model ?? onnx }

  /// A file to be trained.
  ///
  /// - Parameter frozen: patterns of layer names that stay as they are; `*` stands for any text.
  /// - Throws: `FormatError` that names the layer which cannot be trained.
  public init(_ file: ModelFile, frozen: [String] = []) throws(FormatError) {
    self.file = file
    switch file.content {
    case .keras(let model):
      let patterns = frozen.map(NamePattern.init)
      keras = try KerasTraining(model) { name in patterns.contains { $0.matches(name) } }
      onnx = nil
      compiled = try model.compileSettings()
    case .onnx(let model):
      keras = nil
      onnx = model
      compiled = CompileSettings()
    }
  }

  /// Settings for a trainer.
  public func settings(loss: Loss, optimizer: Optimizer, metrics: [Metric], seed: UInt64) -> TrainingSettings {
    var settings =
      keras?.settings(loss: loss, optimizer: optimizer, metrics: metrics, seed: seed)
      ?? TrainingSettings(loss: loss, optimizer: optimizer, metrics: metrics, seed: seed)
    settings.outputs = outputs
    return settings
  }

  /// The losses of a network with several outputs as the file states them, by the outputs' names; `nil` for one output.
  public var outputs: [TrainingOutput]? {
    guard let graph, graph.graph.outputs.count > 1 else { return nil }
    let names = graph.graph.outputs.map(\.name)
    if compiled.outputs.isEmpty { return compiled.loss.map { loss in names.map { TrainingOutput($0, loss: loss) } } }
    guard compiled.outputs.contains(where: { $0.name.isEmpty }) else { return compiled.outputs }
    return zip(names, compiled.outputs).map { name, output in
      TrainingOutput(name, loss: output.loss, weight: output.weight, metrics: output.metrics)
    }
  }

  /// What the file's optimizer remembers, when it is the one that trains on.
  public func slots(for settings: TrainingSettings) throws(FormatError) -> OptimizerSlots? {
    guard case .keras(let model) = file.content, let parameters = settings.parameters else { return nil }
    return try model.optimizerSlots(of: settings.optimizer, variableCount: parameters.count)
  }

  /// The file with what training made of it.
  ///
  /// A Keras model gets its compile settings and its optimizer's state; an ONNX model its weights.
  public func result(_ state: TrainingState, _ settings: TrainingSettings, path: String) -> ModelFile {
    let tensors = state.parameters + state.statistics
    if let keras {
      var model = keras.model(with: tensors)
      if let outputs = settings.outputs {
        if outputs != self.outputs || compiled.optimizer != settings.optimizer {
          model = model.compiled(outputs: outputs, optimizer: settings.optimizer)
        }
      } else if compiled.loss != settings.loss || compiled.optimizer != settings.optimizer
        || compiled.metrics != settings.metrics
      {
        model = model.compiled(loss: settings.loss, optimizer: settings.optimizer, metrics: settings.metrics)
      }
      let slots = OptimizerSlots(
        step: state.step, learningRate: state.learningRate, slots: state.slots, momentumProduct: state.momentumProduct)
      return ModelFile(path: path, content: .keras(model.remembering(slots, of: settings.optimizer)))
    }
    var model = onnx ?? Model(graph: Graph(), operatorSets: [], irVersion: 10)
    let values = Dictionary(tensors.map { ($0.name, $0.tensor) }) { first, _ in first }
    for index in model.graph.initializers.indices {
      if let tensor = values[model.graph.initializers[index].name] { model.graph.initializers[index].tensor = tensor }
    }
    return ModelFile(path: path, content: .onnx(model))
  }

  /// Writes a model in the form that the extension asks for.
  ///
  /// - Throws: `FormatError` when the form cannot hold it.
  public static func write(_ file: ModelFile, to path: String) throws(FormatError) {
    switch file.content {
    case .keras(let model) where !path.hasSuffix(".onnx"): try KerasWriter.write(model, to: path)
    case .onnx(let model) where path.hasSuffix(".onnx"): try ONNXFile.write(model, to: path)
    case .keras(let model): try ONNXFile.write(try model.lowered(), to: path)
    case .onnx:
      throw FormatError(
        .unsupported, "an ONNX model is trained into .onnx", file: path, advice: "Convert it to .keras before or after")
    }
  }
}

/// A name with `*` for any text.
public struct NamePattern: Sendable {
  private let parts: [String]

  /// A pattern.
  public init(_ text: String) {
    parts = text.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
  }

  /// Whether the whole name fits.
  public func matches(_ name: String) -> Bool {
    guard let first = parts.first, let last = parts.last, name.hasPrefix(first) else { return false }
    if parts.count == 1 { return name == first }
    var rest = name.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.count >= last.count && rest.hasSuffix(last)
  }
}
