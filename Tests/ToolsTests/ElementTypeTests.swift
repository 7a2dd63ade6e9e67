import NNFormat
import TestSupport
import Testing

/// Element types that are no plain numbers, from file to file.
@Suite struct ElementTypeTests {
  /// A model that joins its input of two cells a row with a constant column.
  private func model(_ type: ElementType, _ column: Tensor, in folder: TemporaryFolder) throws -> String {
    var graph = Graph(
      name: "join", inputs: [Value(name: "x", elementType: type, shape: [.symbolic("n"), 2])],
      outputs: [Value(name: "y", elementType: type, shape: [.symbolic("n"), 3])],
      nodes: [
        Node("Shape", inputs: ["x"], outputs: ["rows"], attributes: [Attribute("end", .int(1))]),
        Node("Concat", inputs: ["rows", "one"], outputs: ["shape"], attributes: [Attribute("axis", .int(0))]),
        Node("Expand", inputs: ["column", "shape"], outputs: ["columns"]),
        Node("Concat", inputs: ["x", "columns"], outputs: ["y"], attributes: [Attribute("axis", .int(1))]),
      ])
    graph.initializers = [
      Initializer(name: "column", tensor: column), Initializer(name: "one", tensor: Tensor([Int64(1)])),
    ]
    let path = folder.file("model.onnx")
    try ONNXFile.write(Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10), to: path)
    return path
  }

  @Test func stringsInAndOut() throws {
    let folder = try TemporaryFolder()
    let word = try Tensor(elementType: .string, shape: [1, 1], storage: .strings([Array("a,\"b\"".utf8)]))
    let path = try model(.string, word, in: folder)
    let table = try folder.write("x_0,x_1\n007,\"Grüße, Welt\"\n\"say \"\"hi\"\"\",\n", to: "rows.csv")
    let text = try Tool.run(["predict", path, "--input", table, "--output", "-"])
    #expect(text.status == 0, "\(text.error)")
    #expect(text.output == "y_0,y_1,y_2\n007,\"Grüße, Welt\",\"a,\"\"b\"\"\"\n\"say \"\"hi\"\"\",,\"a,\"\"b\"\"\"\n")
    // Row by row, and through files of tensors.
    let out = folder.file("out") + "/"
    #expect(try Tool.run(["predict", path, "--input", table, "--batch", "1", "--output", out]).status == 0)
    #expect(try TensorFile.readPB(path: out + "output_0.pb").tensor.texts()[3] == "say \"hi\"")
    let shown = try Tool.run(["predict", path, "--input", table, "--json"])
    #expect(shown.status == 0 && shown.output.contains("Welt"), "\(shown.error)")
    let array = folder.file("out.npy")
    #expect(try Tool.run(["predict", path, "--input", table, "--output", array]).status == 0)
    #expect(try Tool.run(["predict", path, "--input", table, "--expect", array]).status == 0)
  }

  @Test func smallIntegersInAndOut() throws {
    let folder = try TemporaryFolder()
    let path = try model(.int4, Tensor([-8.0], shape: [1, 1]).converted(to: .int4), in: folder)
    let array = try folder.write(NpyFile.bytes(of: Tensor([Int8(7), -3, 0, 1, 2, -8], shape: [3, 2])), to: "rows.npy")
    let result = try Tool.run(["predict", path, "--input", array, "--batch", "1", "--output", "-"])
    #expect(result.output == "y_0,y_1,y_2\n7,-3,-8\n0,1,-8\n2,-8,-8\n", "\(result.error)")
    let table = try folder.write("1,8\n", to: "large.csv")
    try expectFailure(["predict", path, "--input", table], ["int4"])
  }

  @Test func unsupportedOperatorInABranch() throws {
    let folder = try TemporaryFolder()
    let odd = Node(name: "odd", "Relu6", domain: "com.example", inputs: ["x"], outputs: ["b"])
    let branch = Graph(name: "branch", outputs: [Value(name: "b")], nodes: [odd])
    var graph = Graph(
      name: "main", inputs: [Value(name: "x", elementType: .float32, shape: [2])],
      outputs: [Value(name: "y", elementType: .float32, shape: [2])],
      nodes: [
        Node(
          name: "choice", "If", inputs: ["yes"], outputs: ["y"],
          attributes: [Attribute("then_branch", .graph(branch)), Attribute("else_branch", .graph(branch))])
      ])
    graph.initializers = [Initializer(name: "yes", tensor: Tensor([true], shape: []))]
    let sets = [OperatorSetImport(version: 21), OperatorSetImport(domain: "com.example", version: 1)]
    let path = folder.file("model.onnx")
    try ONNXFile.write(Model(graph: graph, operatorSets: sets, irVersion: 10), to: path)
    let table = try folder.write("1,2\n", to: "rows.csv")
    try expectFailure(["predict", path, "--input", table], ["Relu6", "odd", "nearest operator that runs is Relu"])
  }
}
