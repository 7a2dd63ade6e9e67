import NNFormat
import OrderedCollections
import TestSupport
import Testing

/// An ONNX model of another program that goes through a Keras file comes back as it was, as long as the layers are.
@Suite struct ONNXSidecarTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: ["torch_tower_dynamo_20.onnx", "tf2onnx_tower_17.onnx"], ["keras", "h5"])
  func changedLayersAreMadeAnew(_ name: String, ending: String) throws {
    var keras = try layers(of: name, ending)
    var text = try #require(keras.configuration?.text())
    text.replace("\"softmax\"", with: "\"sigmoid\"")
    let configuration = try JSONValue.parse(text)
    #expect(configuration != keras.configuration)
    keras.configuration = configuration
    try KerasReader().finish(&keras)
    try expectMadeAnew(keras, "the layers were changed")
    keras.preserved = nil
    try KerasWriter.write(keras, to: folder.file("changed.\(ending)"))
    try expectMadeAnew(try kerasFile("changed.\(ending)"), "the layers were changed")
  }

  /// The training configuration is no part of the layers.
  @Test(arguments: ["keras", "h5"]) func compilingChangesNothing(_ ending: String) throws {
    var keras = try layers(of: "torch_tower_script_17.onnx", ending)
    keras.trainingConfiguration = ["optimizer": "adam", "loss": "mse"]
    try KerasWriter.write(keras, to: folder.file("compiled.\(ending)"))
    let result = try Conversion().onnx(from: try kerasFile("compiled.\(ending)"))
    #expect(result.notes.map(\.kind) == [.restored, .dropped])
  }

  /// Kernels are transposed in PyTorch's models.
  @Test(arguments: ["keras", "h5"]) func newWeightsFlowBack(_ ending: String) throws {
    let name = "torch_tower_script_17.onnx"
    let original = try onnx(name)
    let keras = try layers(of: name, ending)
    let kernel = Tensor((0..<96).map { Float($0) }, shape: [12, 8])
    let bias = Tensor([Float](repeating: 7, count: 8))
    let layer = try #require(keras.root?.sublayers.first { $0.className == "Dense" }?.name)
    let (changed, report) = WeightExchange.replacing(["\(layer)/kernel": kernel, "\(layer)/bias": bias], in: keras)
    #expect(report.loaded.count == 2)
    try KerasWriter.write(changed, to: folder.file("trained.\(ending)"))
    let result = try Conversion().onnx(from: try kerasFile("trained.\(ending)"))
    #expect(result.notes.map(\.kind) == [.restored])
    let differences = try zip(original.graph.initializers, result.model.graph.initializers).filter {
      try !$0.tensor.hasSameElements(as: $1.tensor)
    }.map { $1 }
    #expect(differences.count == 2)
    let matrix = try #require(differences.first { $0.tensor.shape == [8, 12] }).tensor
    #expect(try matrix.denseBytes == kernel.transposed([1, 0]).denseBytes)
    #expect(try #require(differences.first { $0.tensor.shape == [8] }).tensor.denseBytes == bias.denseBytes)
    #expect(matrix.encoding == original.graph.initializers.first { $0.tensor.shape == [8, 12] }?.tensor.encoding)
  }

  /// A kernel that nodes scale is a weight of its own, which no initializer is.
  @Test func newWeightsOfAnotherFormAreToldOf() throws {
    var model = Self.chain(shared: false)
    model.graph.initializers.append(Initializer(name: "two", tensor: Tensor([Float(2)], shape: [])))
    model.graph.nodes.insert(Node(name: "scale", "Mul", inputs: ["w1", "two"], outputs: ["scaled"]), at: 0)
    model.graph.nodes[1].inputs[1] = "scaled"
    let keras = try Conversion().keras(from: model, layout: .archive, path: "memory").model
    #expect(try Conversion().onnx(from: keras).notes.map(\.kind) == [.restored])
    let first = try #require(keras.root?.sublayers.first { $0.className == "Dense" }?.name)
    let tensor = Tensor([Float(9), 8, 7, 6], shape: [2, 2])
    let (changed, report) = WeightExchange.replacing(["\(first)/kernel": tensor], in: keras)
    #expect(report.loaded.count == 1)
    try expectMadeAnew(changed, "in another form")
  }

  /// Weights of equal elements are told apart by where they come from.
  @Test func equalWeightsKeepTheirPlaces() throws {
    let model = Self.chain(shared: false)
    var keras = try Conversion().keras(from: model, layout: .archive, path: "memory").model
    let last = try #require(keras.root?.sublayers.last?.name)
    keras = WeightExchange.replacing(["\(last)/bias": Tensor([Float(1), 2])], in: keras).model
    let back = try Conversion().onnx(from: keras)
    #expect(back.notes.map(\.kind) == [.restored])
    let values = Dictionary(uniqueKeysWithValues: back.model.graph.initializers.map { ($0.name, $0.tensor) })
    #expect(try values["b1"]?.elements(as: Float.self) == [0, 0])
    #expect(try values["b2"]?.elements(as: Float.self) == [1, 2])
  }

  /// An initializer that two layers use cannot take the new values of one of them.
  @Test func sharedInitializersStayWhole() throws {
    let model = Self.chain(shared: true)
    var keras = try Conversion().keras(from: model, layout: .archive, path: "memory").model
    let carried = try #require(keras.onnxSidecar).model()
    #expect(carried.graph.initializers.filter { $0.tensor.shape == [0] }.map(\.name) == ["w1", "w2"])
    #expect(try Conversion().onnx(from: keras).notes.map(\.kind) == [.restored])
    let last = try #require(keras.root?.sublayers.last?.name)
    keras = WeightExchange.replacing(["\(last)/bias": Tensor([Float(1), 2])], in: keras).model
    try expectMadeAnew(keras, "in another form")
  }

  @Test(arguments: [("keras", nil), ("h5", nil), ("h5", 2), ("h5", 3), ("weights.h5", nil)] as [(String, Int?)])
  func travelsBetweenLayouts(_ ending: String, generation: Int?) throws {
    let name = "torch_tower_dynamo_20.onnx"
    for first in ["keras", "h5"] {
      let keras = try layers(of: name, first)
      var conversion = Conversion()
      conversion.kerasGeneration = generation
      _ = try conversion.convert(
        ModelFile(path: "memory", content: .keras(keras)), to: folder.file("second.\(ending)"))
      var second = try kerasFile("second.\(ending)")
      if ending == "weights.h5" {
        #expect(second.onnxSidecar == nil)
        second = try second.adopting(architecture: keras)
      }
      let result = try Conversion().onnx(from: second)
      #expect(result.notes.map(\.kind) == [.restored], "\(first): \(result.notes)")
      #expect(try ONNXFile.bytes(of: result.model) == ONNXFile.bytes(of: try onnx(name)))
    }
  }

  @Test func weightsAloneCarryNothing() throws {
    let name = "torch_tower_dynamo_20.onnx"
    let report = try Conversion().convert(
      try ModelFile.read(Fixtures.model(name)), to: folder.file("layers.weights.h5"))
    #expect(!report.notes.contains { $0.kind == .kept })
    let model = try onnx("tf2onnx_tower_17.onnx")
    var described = model
    described.metadata["author"] = "someone"
    let bare = try Conversion().keras(from: described, layout: .weights, path: "memory")
    #expect(bare.notes.contains { $0.kind == .dropped && $0.subject == "metadata \"author\"" })
  }

  @Test func keptKerasModelsCarryNoONNX() throws {
    _ = try Conversion().convert(try ModelFile.read(Fixtures.model("digits.keras")), to: folder.file("digits.onnx"))
    _ = try Conversion().convert(try ModelFile.read(folder.file("digits.onnx")), to: folder.file("digits.keras"))
    #expect(try kerasFile("digits.keras").onnxSidecar == nil)
  }

  @Test(arguments: [13, 18, 21]) func otherOperatorSetsAreReached(_ version: Int) throws {
    let keras = try layers(of: "torch_tower_script_17.onnx", "keras")
    var conversion = Conversion()
    conversion.operatorSetVersion = version
    let result = try conversion.onnx(from: keras)
    #expect(result.notes.first?.kind == .restored)
    #expect(result.model.operatorSetVersion() == version)
    #expect(result.model.producerName == "pytorch")
    conversion.operatorSetVersion = 7
    #expect(throws: FormatError.self) { try conversion.onnx(from: keras) }
  }

  /// Elements in a file beside the model come into the model, or go beside it again when that is asked for.
  @Test func dataBesideTheModelComeInside() throws {
    var conversion = Conversion()
    conversion.writesExternalData = true
    var model = try onnx("torch_tower_script_17.onnx")
    let extra = Tensor((0..<1024).map { Float($0) }, shape: [1024])
    model.graph.initializers.append(Initializer(name: "unused", tensor: extra))
    _ = try conversion.convert(ModelFile(path: "memory", content: .onnx(model)), to: folder.file("beside.onnx"))
    let original = try ModelFile.read(folder.file("beside.onnx"))
    _ = try Conversion().convert(original, to: folder.file("layers.keras"))
    _ = try Conversion().convert(try ModelFile.read(folder.file("layers.keras")), to: folder.file("back.onnx"))
    #expect(try ModelComparison(original, try ModelFile.read(folder.file("back.onnx"))).isEqual)
    _ = try conversion.convert(try ModelFile.read(folder.file("layers.keras")), to: folder.file("beside2.onnx"))
    #expect(try folder.names.contains("beside2.onnx.data"))
    #expect(try ModelComparison(original, try ModelFile.read(folder.file("beside2.onnx"))).isEqual)
  }

  @Test(arguments: ["keras", "h5"]) func isShown(_ ending: String) throws {
    _ = try layers(of: "torch_tower_script_17.onnx", ending)
    let report = ModelReport(try ModelFile.read(folder.file("layers.\(ending)")))
    #expect(report.metadata["onnx"]?.contains("pytorch") == true)
    #expect(!report.findings.contains { $0.code == "extra-member" || $0.code == "unreadable-onnx" })
  }

  @Test(arguments: ["keras", "h5"]) func writingIsRepeatable(_ ending: String) throws {
    let first = try layers(of: "torch_tower_script_17.onnx", ending)
    try KerasWriter.write(first, to: folder.file("again.\(ending)"))
    #expect(
      try TemporaryFolder.bytes(of: folder.file("again.\(ending)"))
        == TemporaryFolder.bytes(of: folder.file("layers.\(ending)")))
  }

  /// A chain of two layers without activation, with biases of the same zeros.
  private static func chain(shared: Bool) -> Model {
    let second = shared ? "b1" : "b2"
    var graph = Graph(
      name: "chain", inputs: [Value(name: "x", type: .tensor(.float32, Shape([4, 2])))],
      outputs: [Value(name: "y", type: .tensor(.float32, Shape([4, 2])))],
      nodes: [
        Node(name: "first", "Gemm", inputs: ["x", "w1", "b1"], outputs: ["h"]),
        Node(name: "act", "Relu", inputs: ["h"], outputs: ["r"]),
        Node(name: "second", "Gemm", inputs: ["r", "w2", second], outputs: ["y"]),
      ])
    graph.initializers = [
      Initializer(name: "b2", tensor: Tensor([Float(0), 0])), Initializer(name: "b1", tensor: Tensor([Float(0), 0])),
      Initializer(name: "w1", tensor: Tensor([Float(1), 2, 3, 4], shape: [2, 2])),
      Initializer(name: "w2", tensor: Tensor([Float(1), 2, 3, 4], shape: [2, 2])),
    ]
    return Model(graph: graph, operatorSets: [OperatorSetImport(version: 17)], irVersion: 8)
  }

  private func expectMadeAnew(_ keras: KerasModel, _ reason: String) throws {
    let result = try Conversion().onnx(from: keras)
    #expect(result.notes.first?.kind == .changed && result.notes.first?.message.contains(reason) == true)
    #expect(!result.notes.contains { $0.kind == .restored })
    let metadata = result.model.metadata.keys
    #expect(metadata.contains("nnfmt.keras.config") && !metadata.contains { $0.hasPrefix(ONNXSidecar.prefix) })
  }

  private func onnx(_ name: String) throws -> Model {
    guard case .onnx(let model) = try ModelFile.read(Fixtures.model(name)).content else {
      throw FormatError(.mismatch, "is no ONNX model", file: name)
    }
    return model
  }

  /// An ONNX fixture as a Keras file that was written and read.
  private func layers(of name: String, _ ending: String) throws -> KerasModel {
    _ = try Conversion().convert(try ModelFile.read(Fixtures.model(name)), to: folder.file("layers.\(ending)"))
    return try kerasFile("layers.\(ending)")
  }

  private func kerasFile(_ name: String) throws -> KerasModel {
    guard case .keras(let model) = try ModelFile.read(folder.file(name)).content else {
      throw FormatError(.mismatch, "is no Keras model", file: name)
    }
    return model
  }
}
