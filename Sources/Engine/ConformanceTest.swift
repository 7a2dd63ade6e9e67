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
  public init(_ folder: TestFolder, tolerance: TensorTolerance? = nil, options: EngineOptions = .init()) {
    self.folder = folder
    outcome = .passed
    do {
      let model = try ModelFile.read(folder.modelPath).model()
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
    let missing = model.graph.nodes.filter { node in
      let version = model.operatorSetVersion(domain: node.domain) ?? 0
      return OperatorTable.row(node.operatorType, domain: node.domain, version: version) == nil
    }
    guard missing.isEmpty else {
      var names: [String] = []
      for node in missing where !names.contains(name(of: node)) { names.append(name(of: node)) }
      return .skipped("operators that do not run: \(names.joined(separator: ", "))")
    }
    if let value = (model.graph.inputs + model.graph.outputs).first(where: { $0.elementType == nil }) {
      return .skipped("\"\(value.name)\" is no tensor")
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
    var inputs: [String: Tensor] = [:]
    // Where files are as many as all inputs, those that initializers fill count too.
    let isWhole = dataSet.inputs.count == model.graph.inputs.count
    let names = isWhole ? model.graph.inputs.map(\.name) : network.inputs.map(\.name)
    for (index, path) in dataSet.inputs.enumerated() {
      let (stored, tensor) = try TensorFile.readPB(path: path)
      let name = network.inputs.contains { $0.name == stored } || index >= names.count ? stored : names[index]
      if network.inputs.contains(where: { $0.name == name }) { inputs[name] = tensor }
    }
    let results = try network.run(inputs)
    guard results.count == dataSet.outputs.count else {
      return "the network has \(results.count) outputs, \(dataSet.path) expects \(dataSet.outputs.count)"
    }
    for (index, path) in dataSet.outputs.enumerated() {
      let (_, expected) = try TensorFile.readPB(path: path)
      guard let difference = try tolerance.difference(results[index].tensor, expected: expected) else { continue }
      return "output \"\(results[index].name)\" \(difference)"
    }
    return nil
  }
}
