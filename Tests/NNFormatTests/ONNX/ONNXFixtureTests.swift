import NNFormat
import Testing

/// Files that the onnx package for Python wrote.
@Suite struct ONNXFixtureTests {
  private func model(_ name: String) throws -> Model {
    let file = try ModelFile.read(ONNXTesting.fixtures + "/" + name)
    guard case .onnx(let model) = file.content else { throw FormatError(.unrecognized, "no ONNX model") }
    return model
  }

  @Test(arguments: ["every_type.onnx", "every_field.onnx", "internal.onnx", "external.onnx"])
  func readAndWrittenIsTheSame(name: String) throws {
    let bytes = try ONNXFile.bytes(of: model(name))
    #expect(try bytes == ONNXTesting.bytes(of: ONNXTesting.fixtures + "/" + name))
  }

  @Test func typedFieldsHoldWhatRawBytesDo() throws {
    let model = try model("every_type.onnx")
    let tensors = Dictionary(uniqueKeysWithValues: model.graph.initializers.map { ($0.name, $0.tensor) })
    #expect(Set(tensors.values.map(\.elementType)) == Set(ElementType.allCases))
    for (name, raw) in tensors where name.hasSuffix("_raw") {
      let typed = try #require(tensors[name.replacing("_raw", with: "_typed")])
      #expect(typed.elementType == raw.elementType)
      #expect(typed.encoding.placement == .typed)
      let rawBytes = try unsafe raw.withBytes { unsafe [UInt8]($0) }
      #expect(try unsafe typed.withBytes { unsafe [UInt8]($0) } == rawBytes, "\(name)")
      guard case .mapped = raw.storage else {
        Issue.record("\(name) was copied")
        continue
      }
    }
    #expect(try tensors["int16_raw"]?.elements(as: Int16.self) == [-2, -1, 0, 1, 2, 1])
    let strings = try #require(tensors["string_typed"])
    guard case .strings([[0x74, 0x65, 0x78, 0x74], [0x00, 0xFF]]) = strings.storage else {
      Issue.record("strings differ")
      return
    }
  }

  @Test func everyFieldArrives() throws {
    let model = try model("every_field.onnx")
    let node = try #require(model.graph.nodes.first)
    #expect(node.attributes.count == 14)
    #expect(Set(node.attributes.map { "\($0.value.kind)" }).count == 14)
    #expect((node.domain, node.overload, node.docString) == ("test", "v2", "All of it"))
    #expect(node.metadata.entries.map(\.value) == ["value", "again"])
    #expect(model.trainingInfo.first?.algorithm?.name == "algorithm")
    #expect(model.trainingInfo.first?.updateBindings["w"] == "algorithm_out")
    #expect(model.graph.quantizationAnnotations.first?.parameters["SCALE_TENSOR"] == "scale")
    #expect(model.graph.sparseInitializers.first?.name == "sparse")
    #expect(model.functions.first?.nodes.first?.attributes.first?.referencedName == "slope")
    #expect(model.graph.valueInfo.map(\.name) == ["opaque", "untyped"])
    #expect(!model.unknownFields.bytes.isEmpty)
  }

  @Test func externalDataIsWhatIsInside() throws {
    let inside = try model("internal.onnx").graph.initializers[0].tensor
    let outside = try model("external.onnx").graph.initializers[0].tensor
    #expect(outside.encoding.placement == .external)
    #expect(try inside.elements(as: Float.self) == outside.elements(as: Float.self))
  }

  @Test func dataMovesInAndOut() throws {
    let folder = try ScratchFolder()
    let (beside, inside) = (folder.file("beside.onnx"), folder.file("inside.onnx"))
    try ONNXFile.write(try model("internal.onnx"), to: beside, data: .beside)
    #expect(folder.names == ["beside.onnx", "beside.onnx.data"])
    guard case .onnx(let model) = try ModelFile.read(beside).content else { return }
    guard case .mapped(_, let range) = model.graph.initializers[0].tensor.storage else { return }
    #expect(range.lowerBound % 4096 == 0)
    try ONNXFile.write(model, to: inside, data: .inside)
    #expect(try ONNXTesting.bytes(of: inside) == ONNXTesting.bytes(of: ONNXTesting.fixtures + "/internal.onnx"))
    // The source of the elements is replaced while it is read.
    try ONNXFile.write(model, to: beside, data: .beside)
    guard case .onnx(let again) = try ModelFile.read(beside).content else { return }
    #expect(try ONNXTesting.describe(again) == ONNXTesting.describe(model))
  }

  @Test func tensorFiles() throws {
    let path = ONNXTesting.fixtures + "/tensor.pb"
    let (name, tensor) = try TensorFile.readPB(path: path)
    #expect(name == "input")
    #expect(tensor.shape == [3, 4])
    #expect(try tensor.elements(as: Float.self) == (0..<12).map(Float.init))
    let folder = try ScratchFolder()
    try TensorFile.writePB(tensor, name: name, to: folder.file("t.pb"))
    #expect(try ONNXTesting.bytes(of: folder.file("t.pb")) == ONNXTesting.bytes(of: path))
    #expect(ONNXTesting.error { () throws(FormatError) in try ModelFile.read(path) }?.kind == .unrecognized)
  }
}
