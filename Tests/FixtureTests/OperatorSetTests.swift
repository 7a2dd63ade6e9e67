import NNEngine
import NNFormat
import TestSupport
import Testing

/// Models that are moved to another operator set compute what they computed.
@Suite struct OperatorSetTests {
  /// One node in the form of an older or newer operator set.
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    var version: Int
    var node: Node
    var constants: [Initializer] = []

    init(_ description: String, _ version: Int, _ node: Node, _ constants: [(String, Tensor)] = []) {
      self.description = description
      self.version = version
      self.node = node
      self.constants = constants.map { Initializer(name: $0.0, tensor: $0.1) }
    }

    /// The node on `x` of shape (3, 4, 5); its first output is the graph's.
    var model: Model {
      var graph = Graph(
        name: "case", inputs: [Value(name: "x", type: .tensor(.float32, [3, 4, 5]))],
        outputs: [Value(name: node.outputs[0], type: nil)], nodes: [node])
      graph.initializers = constants
      return Model(graph: graph, operatorSets: [OperatorSetImport(version: version)], irVersion: 8)
    }
  }

  private static func node(_ type: String, _ inputs: [String] = ["x"], _ attributes: [Attribute] = []) -> Node {
    Node(name: "node", type, inputs: inputs, outputs: ["y"], attributes: attributes)
  }

  private static func list(_ name: String, _ values: [Int64]) -> Attribute { Attribute(name, .ints(values)) }

  static let cases: [Case] = [
    Case("axes of Unsqueeze", 11, node("Unsqueeze", ["x"], [list("axes", [0])])),
    Case("axes of ReduceSum", 11, node("ReduceSum", ["x"], [list("axes", [1]), Attribute("keepdims", .int(0))])),
    Case("axes of ReduceMean", 13, node("ReduceMean", ["x"], [list("axes", [-1])])),
    Case("axes of ReduceMean as input", 18, node("ReduceMean", ["x", "a"]), [("a", Tensor([1] as [Int64]))]),
    Case("no axes, nothing to reduce", 18, node("ReduceMean", ["x"], [Attribute("noop_with_empty_axes", .int(1))])),
    Case("no axes, all reduced", 18, node("ReduceMax", ["x"], [Attribute("keepdims", .int(0))])),
    Case("bounds of Clip", 6, node("Clip", ["x"], [Attribute("min", .float(-0.5)), Attribute("max", .float(0.25))])),
    Case("one bound of Clip", 9, node("Clip", ["x"], [Attribute("max", .float(0.25))])),
    Case("Slice", 9, node("Slice", ["x"], [list("starts", [0, 1]), list("ends", [2, 9]), list("axes", [0, 2])])),
    Case("Slice of leading axes", 9, node("Slice", ["x"], [list("starts", [1]), list("ends", [-1])])),
    Case("Dropout", 7, node("Dropout", ["x"], [Attribute("ratio", .float(0.3))])),
    Case("Softmax over two axes", 11, node("Softmax", ["x"], [Attribute("axis", .int(1))])),
    Case("LogSoftmax over all but the first", 9, node("LogSoftmax")),
    Case("Softmax over the last axis", 11, node("Softmax", ["x"], [Attribute("axis", .int(2))])),
    Case("a part of a shape", 15, node("Shape", ["x"], [Attribute("start", .int(1)), Attribute("end", .int(3))])),
    Case("Cast", 21, node("Cast", ["x"], [Attribute("to", .int(6)), Attribute("saturate", .int(1))])),
    Case("Cast by name", 4, node("Cast", ["x"], [Attribute("to", .text("INT32"))])),
    Case(
      "Reshape", 14, node("Reshape", ["x", "s"], [Attribute("allowzero", .int(0))]),
      [("s", Tensor([0, -1] as [Int64]))]),
    Case(
      "BatchNormalization", 15,
      node("BatchNormalization", ["x", "p", "p", "p", "p"], [Attribute("training_mode", .int(0))]),
      [("p", Tensor([1, 2, 3, 4] as [Float]))]),
  ]

  @Test(arguments: cases, [13, 15, 17, 18, 20, 21, 23]) func nodesKeepTheirMeaning(_ example: Case, version: Int) throws
  {
    let model = example.model
    let moved = try model.moved(toOperatorSet: version).model
    #expect(moved.operatorSetVersion() == version)
    let errors = ModelValidator.findings(in: moved).filter { $0.severity == .error }
    #expect(errors.isEmpty, "\(errors)")
    #expect(try ModelEquivalence(model, moved).relativeDifference == 0)
  }

  @Test(arguments: [
    (20, node("Gelu"), 18), (17, node("LayerNormalization", ["x", "w"]), 13), (24, node("Swish"), 21),
    (18, node("ReduceMean", ["x", "x"]), 17), (9, node("Dropout", ["x"]).giving("mask"), 13),
    (13, node("BatchNormalization", ["x", "w", "w", "w", "w"]).giving("m").giving("v"), 15),
    (18, node("GroupNormalization", ["x", "w", "w"], [Attribute("num_groups", .int(2))]), 21),
    (11, node("Unheard"), 13),
  ]) func whatHasNoFormIsNamed(_ version: Int, _ node: Node, to target: Int) throws {
    let model = Case("", version, node, [("w", Tensor([Float](repeating: 1, count: 4)))]).model
    do throws(FormatError) {
      _ = try model.moved(toOperatorSet: target)
      Issue.record("\(node.operatorType) was moved")
    } catch {
      #expect(error.kind == .unsupported && error.place == "node \(node.label)", "\(error)")
    }
  }

  @Test func subgraphsAndFunctionsMoveAlong() throws {
    var inner = Graph(
      name: "inner", outputs: [Value(name: "t", type: nil)],
      nodes: [
        Node("ReduceMean", inputs: ["x"], outputs: ["t"], attributes: [Self.list("axes", [0])])
      ])
    inner.docString = "branch"
    var other = inner
    other.nodes[0].outputs = ["e"]
    other.outputs[0].name = "e"
    let branch = Node(
      name: "if", "If", inputs: ["c"], outputs: ["y"],
      attributes: [Attribute("then_branch", .graph(inner)), Attribute("else_branch", .graph(other))])
    var model = Case("", 13, branch, [("c", Tensor([true], shape: []))]).model
    var function = Function(
      name: "Mean", domain: "own", inputs: ["v"], outputs: ["r"],
      nodes: [Node("ReduceMean", inputs: ["v"], outputs: ["r"], attributes: [Self.list("axes", [1])])])
    function.operatorSets = [OperatorSetImport(version: 13)]
    model.functions = [function]
    // The table may not know If; its graphs move in either case.
    guard OperatorRegistry.schema("If", version: 13) != nil else { return }
    let moved = try model.moved(toOperatorSet: 18).model
    guard case .graph(let graph) = moved.graph.nodes[0].attribute("then_branch") else {
      Issue.record("no branch")
      return
    }
    #expect(graph.nodes[0].inputs.count == 2 && graph.initializers.count == 1 && graph.docString == "branch")
    #expect(moved.functions[0].nodes.map(\.operatorType) == ["Constant", "ReduceMean"])
    #expect(moved.functions[0].operatorSets == [OperatorSetImport(version: 18)])
  }

  @Test(arguments: Fixtures.rows(.predict)) func loweredModelsMove(_ row: FixtureRow) throws {
    guard case .keras(let keras) = try row.read().content else { return }
    let model = try Conversion().onnx(from: keras).model
    let isNarrow = row.name.contains("float16")
    for version in [17, 24] {
      do throws(FormatError) {
        let moved = try model.moved(toOperatorSet: version).model
        let difference = try ModelEquivalence(model, moved).relativeDifference
        #expect(difference <= (isNarrow ? 2e-2 : 2e-6), "operator set \(version)")
      } catch {
        // Operators that came later have no older form.
        #expect(version == 17 && error.place?.hasPrefix("node ") == true, "\(error)")
      }
    }
  }

  @Test func theSidecarMovesAlong() throws {
    let folder = try TemporaryFolder()
    let original = try ModelFile.read(Fixtures.model("digits.keras"))
    _ = try Conversion().convert(original, to: folder.file("a.onnx"))
    var conversion = Conversion()
    conversion.operatorSetVersion = 15
    _ = try conversion.convert(try ModelFile.read(folder.file("a.onnx")), to: folder.file("b.onnx"))
    #expect(try ModelComparison(original, try ModelFile.read(folder.file("b.onnx"))).isEqual)
  }
}

extension Node {
  fileprivate func giving(_ output: String) -> Node {
    var node = self
    node.outputs.append(output)
    return node
  }
}
