import NNFormat
import TestSupport
import Testing

/// A Keras model that goes through an ONNX file comes back as it was.
@Suite struct SidecarTests {
  @Test(arguments: Fixtures.rows(.predict)) func comesBackWordForWord(_ row: FixtureRow) throws {
    guard case .keras(let original) = try row.read().content else { return }
    let back = try restored(try throughFile(try Conversion().onnx(from: original).model), layout: original.layout)
    #expect(back.layout == original.layout)
    #expect(back.kerasVersion == original.kerasVersion)
    #expect(back.backend == original.backend)
    #expect(back.configuration?.text() == original.configuration?.text())
    #expect(back.trainingConfiguration?.text() == original.trainingConfiguration?.text())
    #expect(back.metadata?.text() == original.metadata?.text())
    #expect(back.optimizer?.name == original.optimizer?.name)
    #expect(back.weightGroups.map(\.name) == original.weightGroups.map(\.name))
    try expectSame(back.weights, original.weights)
    try expectSame(back.optimizer?.variables ?? [], original.optimizer?.variables ?? [])
    try expectSame(back.root?.all.flatMap(\.weights.values) ?? [], original.root?.all.flatMap(\.weights.values) ?? [])
  }

  @Test func changedStructureIsMadeAnewAndTold() throws {
    guard case .keras(let original) = try ModelFile.read(Fixtures.model("digits.keras")).content else {
      Issue.record("not a Keras file")
      return
    }
    var model = try Conversion().onnx(from: original).model
    let output = model.graph.outputs[0].name
    model.graph.nodes.append(Node(name: "more", "Relu", inputs: [output], outputs: ["more"]))
    model.graph.outputs = [Value(name: "more", type: model.graph.outputs[0].type)]
    let result = try Conversion().keras(from: model, layout: .archive, path: "memory")
    #expect(result.notes.contains { $0.kind == .changed && $0.message.contains("changed since") })
    #expect(!result.notes.contains { $0.kind == .restored })
    #expect(result.model.configuration?.text() != original.configuration?.text())
  }

  @Test func newWeightValuesAreTaken() throws {
    guard case .keras(let original) = try ModelFile.read(Fixtures.model("digits.keras")).content else {
      Issue.record("not a Keras file")
      return
    }
    var model = try Conversion().onnx(from: original).model
    let index = try #require(model.graph.initializers.firstIndex { $0.name.hasSuffix("/bias") })
    let shape = model.graph.initializers[index].tensor.shape
    let tensor = Tensor([Float](repeating: 7, count: shape.reduce(1, *)), shape: shape)
    model.graph.initializers[index].tensor = tensor
    let back = try restored(model, layout: .archive)
    #expect(back.configuration == original.configuration)
    #expect(try back.weights.contains { try $0.tensor().denseBytes == tensor.denseBytes })
  }

  private func throughFile(_ model: Model) throws -> Model {
    let folder = try TemporaryFolder()
    try ONNXFile.write(model, to: folder.file("model.onnx"))
    guard case .onnx(let read) = try ModelFile.read(folder.file("model.onnx")).content else { return model }
    return read
  }

  private func restored(_ model: Model, layout: KerasModel.Layout) throws -> KerasModel {
    let result = try Conversion().keras(from: model, layout: layout, path: "memory")
    #expect(result.notes.map(\.kind) == [.restored])
    return result.model
  }

  private func expectSame(_ left: [KerasWeight], _ right: [KerasWeight]) throws {
    #expect(left.map(\.name) == right.map(\.name))
    #expect(left.map(\.path) == right.map(\.path))
    for (one, other) in zip(left, right) {
      let (a, b) = (try one.tensor(), try other.tensor())
      #expect(a.elementType == b.elementType && a.shape == b.shape, "\(one.path)")
      #expect(try a.denseBytes == b.denseBytes, "\(one.path)")
    }
  }
}
