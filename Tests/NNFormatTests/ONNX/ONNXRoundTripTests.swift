import NNFormat
import Testing

/// What is written is read again as it was.
@Suite struct ONNXRoundTripTests {
  @Test(arguments: 0..<200)
  func randomModels(seed: Int) throws {
    var random = RandomModel(seed: UInt64(seed))
    let model = random.model()
    let bytes = try ONNXFile.bytes(of: model)
    let again = try ONNXTesting.decode(bytes)
    #expect(try ONNXTesting.describe(again) == ONNXTesting.describe(model))
    #expect(try ONNXFile.bytes(of: again) == bytes)
  }

  @Test func theSameModelGivesTheSameFile() throws {
    let folder = try ScratchFolder()
    var random = RandomModel(seed: 7)
    let model = random.model()
    try ONNXFile.write(model, to: folder.file("a.onnx"))
    try ONNXFile.write(model, to: folder.file("b.onnx"))
    let bytes = try ONNXTesting.bytes(of: folder.file("a.onnx"))
    #expect(try ONNXTesting.bytes(of: folder.file("b.onnx")) == bytes)
    #expect(try ONNXFile.bytes(of: model) == bytes)
    #expect(folder.names == ["a.onnx", "b.onnx"])
  }

  /// Fields that hold their default but are there, are absent although they are usual, or occur twice.
  @Test(
    arguments: [
      [0x22, 0x00],
      [0x28, 0x00, 0x32, 0x00],
      [0x42, 0x00],
      [0x42, 0x02, 0x0A, 0x00],
      [0x42, 0x04, 0x0A, 0x00, 0x10, 0x00],
      [0x72, 0x02, 0x0A, 0x00, 0x72, 0x02, 0x12, 0x00, 0x72, 0x00],
      [0x72, 0x06, 0x0A, 0x01, 0x61, 0x12, 0x01, 0x62, 0x72, 0x06, 0x0A, 0x01, 0x61, 0x12, 0x01, 0x63],
      [0x32, 0x03, 0xFF, 0x41, 0xC3],
      [0x32, 0x04, 0xF4, 0x8F, 0xBE, 0x85],
      [0xAA, 0x06, 0x01, 0x00],
    ] as [[UInt8]])
  func presenceIsKept(fields: [UInt8]) throws {
    let graph: [UInt8] = [0x3A, 0x00]
    let head = fields.first.map { $0 < 0x3A } ?? false
    let bytes: [UInt8] = [0x08, 0x08] + (head ? fields + graph : graph + fields)
    #expect(try ONNXFile.bytes(of: ONNXTesting.decode(bytes)) == bytes)
  }

  @Test func attributesThatAreSpelledOtherwiseAreKept() throws {
    // An integer without `i`, a float without `type`, a list beside a stated default, a reference.
    let attributes: [[UInt8]] = [
      [0x0A, 1, 0x61, 0xA0, 0x01, 2],
      [0x0A, 1, 0x62, 0x15, 0, 0, 0x80, 0x3F],
      [0x0A, 1, 0x63, 0x18, 0, 0x40, 5, 0xA0, 0x01, 7],
      [0x0A, 1, 0x64, 0xA0, 0x01, 1, 0xAA, 0x01, 1, 0x65],
    ]
    let node: [UInt8] = attributes.flatMap { (attribute) -> [UInt8] in [0x2A, UInt8(attribute.count)] + attribute }
    let graph = [0x0A, UInt8(node.count)] + node
    let bytes: [UInt8] = [0x08, 0x08, 0x3A, UInt8(graph.count)] + graph
    let model = try ONNXTesting.decode(bytes)
    #expect(model.graph.nodes[0].int("a", default: 9) == 0)
    #expect(model.graph.nodes[0].float("b", default: 9) == 1)
    #expect(model.graph.nodes[0].ints("c") == [5])
    #expect(model.graph.nodes[0].attributes[3].referencedName == "e")
    #expect(try ONNXFile.bytes(of: model) == bytes)
  }

  @Test func denotationsHoldAsLongAsTheType() throws {
    let type: [UInt8] = [0x0A, 0x0C, 0x08, 0x01, 0x12, 0x08, 0x0A, 0x06, 0x08, 0x03, 0x1A, 0x02, 0x41, 0x42]
    let graph = [0x5A, UInt8(type.count + 5), 0x0A, 1, 0x78, 0x12, UInt8(type.count)] + type
    let bytes: [UInt8] = [0x08, 0x08, 0x3A, UInt8(graph.count)] + graph
    var model = try ONNXTesting.decode(bytes)
    #expect(model.graph.inputs[0].shape == [3])
    #expect(try ONNXFile.bytes(of: model) == bytes)
    model.graph.inputs[0].type = .tensor(.float32, [4])
    let again = try ONNXTesting.decode(try ONNXFile.bytes(of: model))
    #expect(again.graph.inputs[0].shape == [4])
    #expect(again.graph.inputs[0].unknownFields.isEmpty)
  }
}
