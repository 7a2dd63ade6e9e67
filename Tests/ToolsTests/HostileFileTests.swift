import Foundation
import NNFormat
import TestSupport
import Testing

/// Files that lie, in every verb: exit status 2 with one line, and nothing left behind.
@Suite struct HostileFileTests {
  /// A small model that is changed into a hostile one.
  private static func model(_ change: (inout Model) throws -> Void) rethrows -> Model {
    let nodes = [
      Node(name: "fc", "Gemm", inputs: ["x", "w", "b"], outputs: ["h"]),
      Node(name: "act", "Relu", inputs: ["h"], outputs: ["y"]),
    ]
    var graph = Graph(
      name: "g", inputs: [Value(name: "x", type: .tensor(.float32, [2, 4]))],
      outputs: [Value(name: "y", type: .tensor(.float32, [2, 3]))], nodes: nodes)
    graph.initializers = [
      Initializer(name: "w", tensor: Tensor([Float](repeating: 0.5, count: 12), shape: [4, 3])),
      Initializer(name: "b", tensor: Tensor([0, 1, 2] as [Float])),
    ]
    var model = Model(graph: graph, operatorSets: [OperatorSetImport(version: 17)], irVersion: 8)
    try change(&model)
    return model
  }

  /// What a verb says of a file.
  private func expectRefused(_ path: String, _ word: String, in folder: TemporaryFolder, verbs: [String]) throws {
    let before = try folder.names
    for verb in verbs {
      let rest: [String] =
        switch verb {
        case "convert": [folder.file("out.keras")]
        case "predict": ["--input", Fixtures.path("digits/images.npy")]
        default: []
        }
      try Self.expectFailure([verb, path] + rest, [path] + (word.isEmpty ? [] : [word]))
      #expect(try folder.names == before, "\(verb)")
    }
  }

  /// `check` counts what it could not read; the other verbs print nothing.
  private static func expectFailure(_ arguments: [String], _ words: [String] = []) throws {
    guard arguments.first == "check" else {
      try ToolsTests.expectFailure(arguments, words)
      return
    }
    let result = try Tool.run(arguments)
    #expect(result.status == 2 && result.errorLines.count == 1, "\(result.error)")
    #expect(result.output == "0 passed, 1 failed, 0 skipped\n")
    for word in words { #expect(result.error.lowercased().contains(word.lowercased()), "\(word): \(result.error)") }
  }

  @Test func graphsThatContradictThemselves() throws {
    let folder = try TemporaryFolder()
    let graphs: [(String, Model)] = [
      ("circle", Self.model { $0.graph.nodes[0].inputs = ["y", "w", "b"] }),
      ("two", Self.model { $0.graph.nodes.append(Node("Relu", inputs: ["x"], outputs: ["h"])) }),
      ("absent", Self.model { $0.graph.nodes[1].inputs = ["nothing"] }),
      ("late", Self.model { $0.graph.nodes.swapAt(0, 1) }),
    ]
    for (name, model) in graphs {
      let path = folder.file("\(name).onnx")
      try ONNXFile.write(model, to: path)
      // `check` has an answer: no. The others cannot do their work.
      let result = try Tool.run(["check", path])
      #expect(result.status == 1 && result.output.contains("error"), "\(name): \(result.output)")
      try expectRefused(path, "", in: folder, verbs: ["convert", "predict"])
      try Self.expectFailure(["convert", path, folder.file("out.onnx")], [path])
      #expect(try Tool.run(["inspect", path]).status == 0, "\(name)")
      #expect(try !folder.names.contains("out.onnx"))
    }
  }

  @Test(arguments: [
    ("negative", "negative"), ("overflow", "too"), ("short", "bytes"), ("long", "bytes"), ("outside", "outside"),
    ("absolute", "outside"), ("link", "outside"), ("offset", "bytes from byte"), ("length", "are given"),
    ("nowhere", "cannot be found"), ("words", "no offset"), ("minus", "no offset"),
  ]) func tensorsThatLie(_ kind: String, word: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(try Self.lying(kind), to: "\(kind).onnx")
    _ = try folder.write([UInt8](repeating: 0, count: 16), to: "data.bin")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.bin"), withDestinationPath: Fixtures.path("manifest.json"))
    try expectRefused(path, word, in: folder, verbs: ["convert", "check", "inspect", "predict"])
  }

  /// The bytes of a model whose initializer `b` is not what it says.
  private static func lying(_ kind: String) throws -> [UInt8] {
    func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(content.count)] + content }
    func entry(_ key: String, _ value: String) -> [UInt8] {
      field(13, field(1, Array(key.utf8)) + field(2, Array(value.utf8)))
    }
    func external(_ location: String, _ more: [UInt8] = []) -> [UInt8] {
      [0x08, 0x03, 0x10, 0x01] + entry("location", location) + more + [0x70, 0x01]
    }
    let huge: [UInt8] = [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
    let tensor: [UInt8] =
      switch kind {
      case "negative": [0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x01, 0x10, 0x01]
      case "overflow": huge + huge + [0x10, 0x01]
      case "short": [0x08, 0x03, 0x10, 0x01] + field(9, [0, 0, 0, 0])
      case "long": [0x08, 0x03, 0x10, 0x01] + field(9, [UInt8](repeating: 0, count: 16))
      case "outside": external("../../etc/passwd")
      case "absolute": external("/etc/passwd")
      case "link": external("link.bin")
      case "offset": external("data.bin", entry("offset", "8"))
      case "length": external("data.bin", entry("length", "16"))
      case "nowhere": external("nowhere.bin")
      case "words": external("data.bin", entry("offset", "eight"))
      default: external("data.bin", entry("offset", "-8"))
      }
    let whole = Self.model { $0.graph.initializers.removeLast() }
    // Fields of one message may come in pieces: the initializer is a second piece of the graph.
    let piece = field(5, tensor + field(8, [0x62]))
    return try ONNXFile.bytes(of: whole) + field(7, piece)
  }

  @Test(arguments: ["digits.onnx", "digits.keras", "digits.h5"]) func everyTruncationIsOneLine(_ name: String) throws {
    let folder = try TemporaryFolder()
    var source = Fixtures.model(name)
    if name.hasSuffix(".onnx") {
      source = folder.file("whole.onnx")
      _ = try Conversion().convert(try ModelFile.read(Fixtures.model("digits.keras")), to: source)
    }
    let bytes = try TemporaryFolder.bytes(of: source)
    let inner = try TemporaryFolder()
    for index in 0..<200 {
      let length = bytes.count * index / 200
      let path = try inner.write(Array(bytes[..<length]), to: "cut\(name.drop { $0 != "." })")
      let target = inner.file(name.hasSuffix(".onnx") ? "out.keras" : "out.onnx")
      try Self.expectFailure(["convert", path, target], [path])
      #expect(try inner.names.count == 1, "\(length)")
      if index % 20 == 0 {
        for arguments in [["check", path], ["predict", path, "--input", Fixtures.path("digits/images.npy")]] {
          try Self.expectFailure(arguments, [path])
        }
        #expect(try [0, 2].contains(Tool.run(["inspect", path]).status))
      }
    }
  }

  /// Chains take time by their length, not by its square: of what takes a second here, the square takes minutes.
  @Test func longChainsOfNodes() throws {
    let folder = try TemporaryFolder()
    var graph = Graph(
      name: "g", inputs: [Value(name: "v0", type: .tensor(.float32, [2, 4]))],
      outputs: [Value(name: "v10000", type: .tensor(.float32, [2, 4]))])
    for index in 0..<10000 {
      graph.nodes.append(Node("Tanh", inputs: ["v\(index)"], outputs: ["v\(index + 1)"]))
    }
    let path = folder.file("chain.onnx")
    try ONNXFile.write(Model(graph: graph, operatorSets: [OperatorSetImport(version: 17)], irVersion: 8), to: path)
    let start = ContinuousClock.now
    for arguments in [["convert", path, folder.file("out.keras")], ["convert", path, folder.file("out.h5")]] {
      let result = try Tool.run(arguments)
      #expect(result.status == 0, "\(result.error)")
    }
    #expect(ContinuousClock.now - start < .seconds(90))
    guard case .keras(let model) = try ModelFile.read(folder.file("out.keras")).content else {
      Issue.record("no Keras model")
      return
    }
    let names = (model.root?.sublayers ?? []).map(\.name)
    #expect(names.count == 10001 && Set(names).count == 10001)
  }

  /// Layers of which nothing is stored, each with findings.
  @Test func longChainsOfLayers() throws {
    func layer(_ name: String, behind input: String) -> String {
      """
      {"module": "keras.layers", "class_name": "Dense", "config": {"name": "\(name)", "units": 4, "dtype": "float32"},
      "registered_name": null, "name": "\(name)", "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config":
      {"shape": [null, 4], "dtype": "float32", "keras_history": ["\(input)", 0, 0]}}], "kwargs": {}}]}
      """
    }
    let input = """
      {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [null, 4], "dtype": "float32",
      "name": "l0"}, "registered_name": null, "name": "l0", "inbound_nodes": []}
      """
    let layers = [input] + (1...10000).map { layer("l\($0)", behind: "l\($0 - 1)") }
    let json = """
      {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"name": "f", "layers":
      [\(layers.joined(separator: ",\n"))], "input_layers": [["l0", 0, 0]], "output_layers": [["l10000", 0, 0]]}}
      """
    let folder = try TemporaryFolder()
    let (archive, region) = (folder.file("chain.keras"), ByteRegion(AlignedBytes(copying: Array(json.utf8)), name: "c"))
    let weights = try ZipArchive(ByteRegion(MappedFile(path: Fixtures.model("small.keras")))).region("model.weights.h5")
    try ZipWriter.write(to: archive) { (writer) throws(FormatError) in
      try writer.add("config.json", [region])
      try writer.add("model.weights.h5", [weights])
    }
    let start = ContinuousClock.now
    #expect(try Tool.run(["inspect", archive]).status == 0)
    let check = try Tool.run(["check", archive])
    #expect(check.status == 1 && check.output.contains("missing-weights"))
    #expect(ContinuousClock.now - start < .seconds(90))
  }

  /// A few bytes that ask for more memory than the machine has.
  @Test func runsThatAskForMuch() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tile.onnx")
    var graph = Graph(
      name: "g", inputs: [Value(name: "x", type: .tensor(.float32, [1, 4]))], outputs: [Value(name: "y")],
      nodes: [
        Node("Tile", inputs: ["x", "s"], outputs: ["t"]),
        Node("ReduceSum", inputs: ["t"], outputs: ["y"], attributes: [Attribute("keepdims", .int(0))]),
      ])
    graph.initializers = [Initializer(name: "s", tensor: Tensor([Int64(1 << 30), 1 << 10]))]
    try ONNXFile.write(Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10), to: path)
    let input = folder.file("x.npy")
    try Data(NpyFile.bytes(of: Tensor([Float(1), 2, 3, 4], shape: [1, 4]))).write(to: URL(fileURLWithPath: input))
    for verb in [["predict", path, "--input", input], ["bench", path]] {
      try Self.expectFailure(verb, [path, "Tile", "more than the"])
      try Self.expectFailure(verb + ["--limit", "run-bytes=1000"], [path, "Tile", "1000"])
    }
  }

  @Test func outputsThatCannotBeWritten() throws {
    let folder = try TemporaryFolder()
    let source = Fixtures.model("digits.keras")
    try FileManager.default.createDirectory(atPath: folder.file("folder.onnx"), withIntermediateDirectories: false)
    try Self.expectFailure(["convert", source, folder.file("folder.onnx")], ["folder.onnx", "a folder"])
    try Self.expectFailure(["convert", source, folder.file("absent/out.onnx")], ["absent/out.onnx", "No such file"])
    try Self.expectFailure(["convert", source, "/proc/out.onnx"], ["/proc/out.onnx"])
    try Self.expectFailure(["convert", source, "/dev/null/out.h5"], ["/dev/null/out.h5"])
    #expect(try folder.names == ["folder.onnx"])
  }

  @Test(arguments: ["digits.keras", "digits.h5", "digits.onnx"]) func aFileMayBeItsOwnTarget(_ name: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.file(name)
    _ = try Conversion().convert(try ModelFile.read(Fixtures.model("digits.keras")), to: path)
    let before = try TemporaryFolder.bytes(of: path)
    let result = try Tool.run(["convert", path, path])
    #expect(result.status == 0, "\(result.error)")
    #expect(try TemporaryFolder.bytes(of: path) == before)
    #expect(try folder.names == [name])
  }

  @Test func aFailureLeavesTheOldFile() throws {
    let folder = try TemporaryFolder()
    let old = try folder.write("old", to: "out.onnx")
    try Self.expectFailure(["convert", Fixtures.model("conv2d.h5"), old])
    try Self.expectFailure(["convert", Fixtures.model("truncated.h5"), old])
    #expect(try TemporaryFolder.bytes(of: old) == Array("old".utf8))
    #expect(try folder.names == ["out.onnx"])
  }
}
