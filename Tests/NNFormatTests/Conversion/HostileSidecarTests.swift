import NNFormat
import TestSupport
import Testing

/// A Keras file whose ONNX model is damaged is a Keras file all the same: its layers make a new ONNX model.
@Suite struct HostileSidecarTests {
  @Test func damagedModelsAreToldOf() throws {
    let keras = try Self.layers()
    let bytes = try Self.bytes(of: keras)
    var untouched = 0
    for step in 0..<200 {
      try expectMadeAnew(keras, carrying: Array(bytes.prefix(bytes.count * step / 200)))
      // A changed byte may be one of a name or a number that nothing contradicts.
      var changed = bytes
      changed[bytes.count * step / 200] ^= 0x55
      let notes = try Self.notes(keras, carrying: changed)
      if notes.contains(where: { $0.kind == .restored }) { untouched += 1 }
    }
    #expect(untouched < 150)
  }

  @Test func bytesOfAnotherTypeAreToldOf() throws {
    var keras = try Self.layers()
    for tensor in [Tensor([Float(1), 2]), Tensor([UInt8]()), Tensor([UInt8](repeating: 0xFF, count: 100))] {
      keras.onnxSidecar = ONNXSidecar(.stored(.success(tensor)))
      #expect(try Conversion().onnx(from: keras).notes.first?.kind == .changed)
    }
    keras.onnxSidecar = ONNXSidecar(.stored(.failure(FormatError(.truncated, "the file ends there"))))
    #expect(try Conversion().onnx(from: keras).notes.first?.message.contains("the file ends there") == true)
  }

  /// Entries of the index that point to nothing, or to what does not fit.
  @Test(arguments: [
    #"{}"#, #"[1]"#, #"[{}]"#, #"["#, #"nothing"#,
    #"[{"initializer": -1, "weight": "first/kernel", "shape": [2, 3], "transposed": false}]"#,
    #"[{"initializer": 99, "weight": "first/kernel", "shape": [2, 3], "transposed": false}]"#,
    #"[{"initializer": 1e30, "weight": "first/kernel", "shape": [2, 3], "transposed": false}]"#,
    #"[{"initializer": 0, "weight": "elsewhere/kernel", "shape": [2, 3], "transposed": false}]"#,
    #"[{"initializer": 0, "weight": "first/kernel", "shape": [2, 4], "transposed": false}]"#,
    #"[{"initializer": 0, "weight": "first/kernel", "shape": [-2, -3], "transposed": false}]"#,
    #"[{"initializer": 0, "weight": "first/kernel", "shape": [4611686018427387904, 4], "transposed": false}]"#,
    #"[{"initializer": 0, "weight": "first/kernel", "shape": [6], "transposed": true}]"#,
    #"[{"initializer": 0, "weight": "first/kernel", "shape": [2, 3]}]"#,
    #"[{"initializer": 0, "weight": "first/kernel", "shape": [2, 3], "transposed": false}, {"initializer": 0, "weight": "first/bias", "shape": [3], "transposed": false}]"#,
    #"[{"initializer": 0, "weight": "first/kernel", "shape": [2, 3], "transposed": false}, {"initializer": 1, "weight": "first/kernel", "shape": [3], "transposed": false}]"#,
  ]) func damagedIndexesAreToldOf(_ index: String) throws {
    let keras = try Self.layers()
    try expectMadeAnew(keras) { model in
      let place = model.metadata.entries.count - ONNXSidecar.Key.allCases.count
      model.metadata.entries[place].value = index
    }
  }

  @Test func othersThanTheStrippedInitializersAreNotReplaced() throws {
    try expectMadeAnew(try Self.layers()) { model in
      model.graph.initializers[0].tensor = Tensor([Float(1), 2, 3, 4, 5, 6], shape: [2, 3])
    }
    try expectMadeAnew(try Self.layers()) { model in
      model.graph.initializers[0].tensor = Tensor([Double](), shape: [0])
    }
    try expectMadeAnew(try Self.layers()) { $0.metadata.entries.removeLast() }
    try expectMadeAnew(try Self.layers()) { $0.metadata.entries = [] }
    try expectMadeAnew(try Self.layers()) { $0.metadata.entries.swapAt(0, 1) }
  }

  /// Layers can be described truly beside a graph that is none.
  @Test func tangledGraphsAreToldOf() throws {
    try expectMadeAnew(try Self.layers()) { model in
      model.graph.nodes.append(Node("Relu", inputs: ["b"], outputs: ["a"]))
      model.graph.nodes.append(Node("Relu", inputs: ["a"], outputs: ["b"]))
    }
    try expectMadeAnew(try Self.layers()) { $0.graph.nodes.append($0.graph.nodes[0]) }
  }

  /// A carried model has no folder, so it cannot refer to other files.
  @Test func otherFilesAreNotRead() throws {
    let keras = try Self.layers()
    try expectMadeAnew(keras) { model in
      var tensor = Tensor([UInt8](repeating: 0, count: 4), shape: [4])
      tensor.encoding.placement = .external
      tensor.encoding.externalData = ["location": "/etc/passwd", "length": "4"]
      model.graph.initializers.append(Initializer(name: "extra", tensor: tensor))
    }
  }

  @Test func damagedFilesOpen() throws {
    let folder = try TemporaryFolder()
    let keras = try Self.layers()
    for ending in ["keras", "h5"] {
      var damaged = keras
      damaged.onnxSidecar = ONNXSidecar(.stored(.success(Tensor([UInt8](repeating: 3, count: 50)))))
      try KerasWriter.write(damaged, to: folder.file("damaged.\(ending)"))
      let file = try ModelFile.read(folder.file("damaged.\(ending)"))
      #expect(ModelReport(file).findings.contains { $0.code == "unreadable-onnx" })
      let report = try Conversion().convert(file, to: folder.file("back.onnx"))
      #expect(report.notes.first?.kind == .changed)
      // What is not understood is kept in the same layout.
      _ = try Conversion().convert(file, to: folder.file("again.\(ending)"))
      #expect(
        try TemporaryFolder.bytes(of: folder.file("again.\(ending)"))
          == TemporaryFolder.bytes(of: folder.file("damaged.\(ending)")))
    }
  }

  private func expectMadeAnew(_ keras: KerasModel, carrying bytes: [UInt8]) throws {
    let notes = try Self.notes(keras, carrying: bytes)
    #expect(notes.first?.kind == .changed && notes.first?.subject == "ONNX model")
  }

  private func expectMadeAnew(_ keras: KerasModel, _ change: (inout Model) -> Void) throws {
    var model = try #require(keras.onnxSidecar).model()
    change(&model)
    try expectMadeAnew(keras, carrying: try ONNXFile.bytes(of: model))
  }

  private static func notes(_ keras: KerasModel, carrying bytes: [UInt8]) throws -> [ConversionNote] {
    var keras = keras
    keras.onnxSidecar = ONNXSidecar(.stored(.success(Tensor(bytes))))
    return try Conversion().onnx(from: keras).notes
  }

  private static func bytes(of keras: KerasModel) throws -> [UInt8] {
    try ONNXFile.bytes(of: try #require(keras.onnxSidecar).model())
  }

  /// One layer of two inputs and three units.
  private static func layers() throws -> KerasModel {
    var graph = Graph(
      name: "small", inputs: [Value(name: "x", type: .tensor(.float32, Shape([4, 2])))],
      outputs: [Value(name: "first", type: .tensor(.float32, Shape([4, 3])))],
      nodes: [Node(name: "first", "Gemm", inputs: ["x", "w", "b"], outputs: ["first"])])
    graph.initializers = [
      Initializer(name: "w", tensor: Tensor([Float(1), 2, 3, 4, 5, 6], shape: [2, 3])),
      Initializer(name: "b", tensor: Tensor([Float(1), 2, 3])),
    ]
    let model = Model(graph: graph, operatorSets: [OperatorSetImport(version: 17)], irVersion: 8)
    let keras = try Conversion().keras(from: model, layout: .archive, path: "memory").model
    #expect(try Conversion().onnx(from: keras).notes.map(\.kind) == [.restored])
    return keras
  }
}
