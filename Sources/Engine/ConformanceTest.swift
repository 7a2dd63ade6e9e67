import NNFormat

/// One folder of ONNX test data, run and compared.
public struct ConformanceTest: Sendable {
  /// How a test ended.
  public enum Outcome: Sendable, Hashable {
    /// Every output of every data set is as expected.
    case passed
    /// What is wrong first.
    case failed(String)
    /// What the engine does not run, and why.
    case skipped(String)
  }

  /// The files of the test.
  public let folder: TestFolder
  /// The operators of the model's graph, each once, in order of appearance.
  public private(set) var operators: [String] = []
  /// How it ended.
  public private(set) var outcome: Outcome

  /// Validates the model of a folder, runs it on every data set and compares.
  ///
  /// A model that is invalid fails. One that uses what the engine does not run, or takes what is no tensor, is skipped.
  /// The tolerance is the folder's own unless one is given.
  public init(
    _ folder: TestFolder, tolerance: TensorTolerance? = nil, limits: ReadLimits = ReadLimits(),
    options: EngineOptions = .init()
  ) {
    self.folder = folder
    outcome = .passed
    do {
      let model = try ModelFile.read(folder.modelPath, limits: limits).model()
      for node in model.graph.nodes where !operators.contains(Self.name(of: node)) {
        operators.append(Self.name(of: node))
      }
      outcome = try Self.run(model, folder, tolerance ?? folder.tolerance(), options)
    } catch let error as FormatError {
      outcome = error.kind == .unsupported ? .skipped("\(error)") : .failed("\(error)")
    } catch let error as EngineError {
      outcome = error.kind == .unsupported ? .skipped("\(error)") : .failed("\(error)")
    } catch {
      outcome = .failed("\(error)")
    }
  }

  private static func name(of node: Node) -> String {
    node.domain.isEmpty ? node.operatorType : "\(node.domain).\(node.operatorType)"
  }

  private static func run(
    _ model: Model, _ folder: TestFolder, _ tolerance: TensorTolerance, _ options: EngineOptions
  ) throws -> Outcome {
    if let error = ModelValidator.findings(in: model).first(where: { $0.severity == .error }) {
      return .failed("the model is invalid: \(error.message) (\(error.place)) [\(error.code)]")
    }
    guard !folder.dataSets.isEmpty else { return .failed("there is no test_data_set_0") }
    let missing = UnsupportedOperator.names(in: model)
    guard missing.isEmpty else {
      return .skipped("operators that do not run: \(missing.joined(separator: ", "))")
    }
    let network = try Network(model, options: options)
    for dataSet in folder.dataSets {
      if let difference = try run(network, model, dataSet, tolerance) { return .failed(difference) }
    }
    return .passed
  }

  private static func run(
    _ network: Network, _ model: Model, _ dataSet: TestFolder.DataSet, _ tolerance: TensorTolerance
  ) throws -> String? {
    var inputs: [String: TensorValue] = [:]
    let taken = network.inputs + network.plan.otherInputs
    // Where files are as many as all inputs, those that initializers fill count too.
    let isWhole = dataSet.inputs.count == model.graph.inputs.count
    let candidates = isWhole ? model.graph.inputs : taken
    for (index, path) in dataSet.inputs.enumerated() {
      let type = index < candidates.count ? candidates[index].type : nil
      let (stored, value) = try TensorValueFile.readPB(path: path, type: type ?? .tensor(.float32, nil))
      let name = taken.contains { $0.name == stored } || index >= candidates.count ? stored : candidates[index].name
      if taken.contains(where: { $0.name == name }) { inputs[name] = value }
    }
    let results = try network.run(values: inputs)
    guard results.count == dataSet.outputs.count else {
      return "the network has \(results.count) outputs, \(dataSet.path) expects \(dataSet.outputs.count)"
    }
    let types = Dictionary(model.graph.outputs.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    let names = model.graph.outputs.map(\.name)
    for (name, path) in zip(names, dataSet.outputs) {
      guard let result = results.first(where: { $0.name == name }) else { return "output \"\(name)\" is missing" }
      let type = (types[name] ?? nil) ?? .tensor(.float32, nil)
      let (_, expected) = try TensorValueFile.readPB(path: path, type: type)
      guard let difference = try tolerance.difference(result.value, expected: expected) else { continue }
      return "output \"\(name)\" \(difference)"
    }
    return nil
  }
}
