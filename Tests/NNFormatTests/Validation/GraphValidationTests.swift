import NNFormat
import TestSupport
import Testing

/// Graphs that contradict themselves or the standard: the code of the finding, and its place.
@Suite struct GraphValidationTests {
  @Test func aSoundModelHasNoFindings() throws {
    let model = ValidationTesting.model()
    #expect(ModelValidator.findings(in: model, readingWeights: true).isEmpty)
    try ModelValidator.throwIfInvalid(model)
  }

  @Test(arguments: [
    Change("duplicate-producer") {
      $0.graph.nodes[1].outputs = ["h"]; $0.graph.outputs[0].name = "h"
    },
    Change("duplicate-producer") { $0.graph.nodes[0].outputs = ["w"] },
    Change("cycle") { $0.graph.nodes[0].inputs[0] = "y" },
    Change("cycle") { $0.graph.nodes[1].inputs = ["y"] },
    Change("unsorted-nodes") { $0.graph.nodes.swapAt(0, 1) },
    Change("undefined-value") { $0.graph.nodes[1].inputs = ["nowhere"] },
    Change("missing-output") { $0.graph.outputs.append(Value(name: "z", elementType: .float32, shape: nil)) },
    Change("duplicate-output") { $0.graph.outputs.append($0.graph.outputs[0]) },
    Change("duplicate-input") { $0.graph.inputs.append($0.graph.inputs[0]) },
    Change("unnamed-input") { $0.graph.inputs.append(Value(name: "", elementType: .float32, shape: [])) },
    Change("duplicate-initializer") { $0.graph.initializers.append($0.graph.initializers[0]) },
    Change("malformed-node") { $0.graph.nodes[1].inputs = ["h", "b"] },
    Change("malformed-node") { $0.graph.nodes[0].inputs = ["x"] },
    Change("malformed-node") { $0.graph.nodes[0].attributes = [Attribute("transB", .float(1))] },
    Change("malformed-node") { $0.graph.nodes[1].attributes = [Attribute("slope", .float(1))] },
    Change("attribute-reference") { model in
      model.graph.nodes[0].attributes = [Attribute("alpha", .float(1))]
      model.graph.nodes[0].attributes[0].referencedName = "alpha"
    },
    Change("no-operator") { $0.graph.nodes[1].operatorType = "" },
    Change("operator-too-new") {
      $0.operatorSets = [OperatorSetImport(version: 17)]; $0.graph.nodes[1].operatorType = "Gelu"
    },
    Change("missing-operator-set") { $0.graph.nodes[1].domain = "ai.onnx.ml" },
    Change("missing-operator-set") { $0.operatorSets = [] },
    Change("operator-set-version") { $0.operatorSets = [OperatorSetImport(version: 0)] },
    Change("duplicate-operator-set") { $0.operatorSets.append(OperatorSetImport(domain: "ai.onnx", version: 13)) },
    Change("format-version") { $0.irVersion = 0 },
    Change("no-type") { $0.graph.inputs[0].type = nil },
    Change("negative-extent") { $0.graph.inputs[0].type = .tensor(.float32, [-3, 4]) },
    Change("too-large") { $0.graph.inputs[0].type = .tensor(.float32, [4_611_686_018_427_387_904, 4]) },
    Change("type-mismatch") { $0.graph.outputs[0].type = .tensor(.float32, [.symbolic("n"), 5]) },
    Change("type-mismatch") { $0.graph.outputs[0].type = .tensor(.float64, [.symbolic("n"), 3]) },
    Change("type-mismatch") { $0.graph.outputs[0].type = .tensor(.float32, [3]) },
    Change("type-mismatch") { $0.graph.valueInfo = [Value(name: "h", elementType: .int64, shape: nil)] },
    Change("type-mismatch") { $0.graph.inputs[0].type = .tensor(.float32, [1, 7]) },
    Change("type-mismatch") { $0.graph.inputs.append(Value(name: "b", elementType: .float32, shape: [4])) },
  ])
  func whatIsBrokenIsFound(_ change: Change) {
    let model = ValidationTesting.model(change.apply)
    #expect(ValidationTesting.errors(model).contains(change.code), "\(ModelValidator.findings(in: model))")
    #expect(throws: FormatError.self) { try ModelValidator.throwIfInvalid(model) }
  }

  @Test(arguments: [
    Change("unknown-domain") { model in
      model.operatorSets.append(OperatorSetImport(domain: "acme", version: 1))
      model.graph.nodes[1].domain = "acme"
    },
    Change("unknown-operator") { $0.graph.nodes[1].operatorType = "Frobnicate" },
    Change("operator-set-version") { $0.operatorSets = [OperatorSetImport(version: 900)] },
    Change("duplicate-node-name") { $0.graph.nodes[1].name = "fc" },
    Change("nan-weights") { $0.graph.initializers[1].tensor = Tensor([Float.nan, 0, 0]) },
    Change("no-type") { $0.graph.outputs[0].type = nil },
  ])
  func whatIsUnusualIsAWarning(_ change: Change) throws {
    let model = ValidationTesting.model(change.apply)
    let findings = ModelValidator.findings(in: model, readingWeights: true)
    #expect(findings.map(\.code) == [change.code])
    #expect(findings.allSatisfy { $0.severity == .warning })
    try ModelValidator.throwIfInvalid(model)
  }

  @Test func placesNameNodeAndIndex() {
    let model = ValidationTesting.model { $0.graph.nodes[1].inputs = ["nowhere"] }
    #expect(ModelValidator.findings(in: model).first { $0.severity == .error }?.place == "node 1 \"act\" (Relu)")
  }

  @Test func subgraphsSeeWhatIsAroundThem() {
    func model(reading name: String, writing output: String = "inner") -> Model {
      ValidationTesting.model { model in
        let branch = Graph(
          name: "b", outputs: [Value(name: output, elementType: .float32, shape: nil)],
          nodes: [Node("Neg", inputs: [name], outputs: [output])])
        model.graph.initializers.append(Initializer(name: "c", tensor: Tensor([true], shape: [])))
        model.graph.nodes[1] = Node(
          name: "if", "If", inputs: ["c"], outputs: ["y"],
          attributes: [Attribute("then_branch", .graph(branch)), Attribute("else_branch", .graph(branch))])
      }
    }
    #expect(ValidationTesting.errors(model(reading: "h")).isEmpty)
    #expect(ValidationTesting.errors(model(reading: "nowhere")) == ["undefined-value", "undefined-value"])
    #expect(ValidationTesting.errors(model(reading: "h", writing: "w")).contains("duplicate-producer"))
    #expect(ValidationTesting.errors(model(reading: "y")).contains("cycle"))
  }

  @Test func functionsAreCheckedAndMayNotRecur() {
    func model(_ change: (inout [Function]) -> Void) -> Model {
      ValidationTesting.model { model in
        var function = Function(
          name: "F", domain: "own", inputs: ["a"], outputs: ["r"], nodes: [Node("Relu", inputs: ["a"], outputs: ["r"])])
        function.operatorSets = [OperatorSetImport(version: 21), OperatorSetImport(domain: "own", version: 1)]
        model.functions = [function]
        change(&model.functions)
        model.operatorSets.append(OperatorSetImport(domain: "own", version: 1))
        model.graph.nodes[1] = Node(name: "call", "F", domain: "own", inputs: ["h"], outputs: ["y"])
      }
    }
    #expect(ValidationTesting.errors(model { _ in }).isEmpty)
    #expect(ValidationTesting.errors(model { $0.append($0[0]) }).contains("duplicate-function"))
    let own = Node("F", domain: "own", inputs: ["a"], outputs: ["r"])
    #expect(ValidationTesting.errors(model { $0[0].nodes = [own] }) == ["recursive-function"])
    #expect(ValidationTesting.errors(model { $0[0].nodes[0].inputs = ["x"] }).contains("undefined-value"))
    #expect(ValidationTesting.errors(model { $0[0].inputs = [] }).contains("malformed-node"))
    #expect(ValidationTesting.errors(model { $0[0].attributeNames = ["alpha"] }) == ["malformed-node"])
  }

  @Test func constantIndicesLieInside() {
    func gather(_ output: String) -> Node { Node("Gather", inputs: ["w", "i"], outputs: [output]) }
    func findings(_ index: Int64, _ change: (inout Model) -> Void) -> [Finding] {
      let model = ValidationTesting.model { model in
        model.graph.initializers.append(Initializer(name: "i", tensor: Tensor([index])))
        change(&model)
      }
      return ModelValidator.findings(in: model).filter { $0.code == "index-out-of-range" }
    }
    func constant(_ tensor: Tensor, _ name: String) -> Node {
      Node("Constant", inputs: [], outputs: [name], attributes: [Attribute("value", .tensor(tensor))])
    }
    let main = { (model: inout Model) in
      model.graph.nodes.append(gather("z"))
      model.graph.outputs.append(Value(name: "z", elementType: .float32, shape: [1, 3]))
    }
    let branches = { (model: inout Model) in
      func branch(_ name: String, _ nodes: [Node]) -> Attribute {
        let result = Value(name: nodes[nodes.count - 1].outputs[0], elementType: .float32, shape: nil)
        return Attribute(name, .graph(Graph(name: name, outputs: [result], nodes: nodes)))
      }
      model.graph.initializers.append(Initializer(name: "c", tensor: Tensor([true], shape: [])))
      let inner = Node(
        name: "inner", "If", inputs: ["c"], outputs: ["r"],
        attributes: [
          branch("then_branch", [gather("p")]), branch("else_branch", [Node("Neg", inputs: ["w"], outputs: ["n"])]),
        ])
      model.graph.nodes[1] = Node(
        name: "if", "If", inputs: ["c"], outputs: ["y"],
        attributes: [branch("then_branch", [gather("q")]), branch("else_branch", [inner])])
    }
    let function = { (index: Int64) in
      { (model: inout Model) in
        var function = Function(
          name: "F", domain: "own", inputs: ["a"], outputs: ["r"],
          nodes: [
            constant(Tensor([1, 2, 3, 4] as [Float]), "w"), constant(Tensor([index]), "i"), gather("g"),
            Node("Add", inputs: ["a", "g"], outputs: ["r"]),
          ])
        function.operatorSets = [OperatorSetImport(version: 21)]
        model.functions = [function]
        model.operatorSets.append(OperatorSetImport(domain: "own", version: 1))
        model.graph.nodes[1] = Node(name: "call", "F", domain: "own", inputs: ["h"], outputs: ["y"])
      }
    }
    for index in [-4, 0, 3] as [Int64] {
      for change in [main, branches, function(index)] { #expect(findings(index, change).isEmpty) }
    }
    for index in [-5, 4] as [Int64] {
      for (change, severity, places) in [
        (main, .error, ["node 2 \"z\" (Gather)"]),
        (function(index), .error, ["function \"F\", node 2 \"g\" (Gather)"]),
        (
          branches, .warning,
          [
            "node 1 \"if\" (If), then_branch, node 0 \"q\" (Gather)",
            "node 1 \"if\" (If), else_branch, node 0 \"inner\" (If), then_branch, node 0 \"p\" (Gather)",
          ]
        ),
      ] as [((inout Model) -> Void, Finding.Severity, [String])] {
        let found = findings(index, change)
        #expect(found.map(\.place) == places && found.allSatisfy { $0.severity == severity }, "\(found)")
      }
    }
  }

  @Test(arguments: [0, 1, 2, -1, Int64.max, .min]) func batchDimensionsOfAnySize(_ count: Int64) {
    let model = ValidationTesting.model { model in
      model.graph.initializers.append(Initializer(name: "i", tensor: Tensor([9, 9, 9, 9] as [Int64], shape: [4, 1])))
      model.graph.nodes.append(
        Node("GatherND", inputs: ["w", "i"], outputs: ["z"], attributes: [Attribute("batch_dims", .int(count))]))
    }
    let found = ModelValidator.findings(in: model).contains { $0.code == "index-out-of-range" }
    #expect(found == [0, 1].contains(count))
  }

  @Test func longChainsDoNotExhaustTheStack() {
    let count = 100_000
    let model = ValidationTesting.model { model in
      model.graph.nodes = (0..<count).map { Node("Relu", inputs: ["v\($0 + 1)"], outputs: ["v\($0)"]) }
      model.graph.nodes[count - 1].inputs = ["v0"]
      model.graph.outputs[0].name = "v0"
    }
    #expect(ValidationTesting.errors(model).contains("cycle"))
  }

  @Test func sparsePositionsLieInside() throws {
    func errors(_ positions: [Int64]) throws -> [String] {
      let sparse = SparseTensor(values: Tensor([1, 2] as [Float]), indices: Tensor(positions), shape: [4, 3])
      return ValidationTesting.errors(ValidationTesting.model { $0.graph.sparseInitializers = [("s", sparse)] })
    }
    #expect(try errors([0, 11]).isEmpty)
    #expect(try errors([0, 12]) == ["malformed-sparse-tensor"])
    #expect(try errors([-1, 2]) == ["malformed-sparse-tensor"])
    #expect(try errors([1]) == ["malformed-sparse-tensor"])
  }
}
