import NNEngine
import NNFormat
import Testing

/// Functions of the model, conditional nodes, and what is refused.
@Suite struct GraphExpansionTests {
  /// A function of the domain "own" that imports the standard operators.
  private func function(
    _ name: String, _ inputs: [String], _ outputs: [String], _ nodes: [Node], version: Int = 21
  ) -> Function {
    var function = Function(name: name, domain: "own", inputs: inputs, outputs: outputs, nodes: nodes)
    function.operatorSets = [OperatorSetImport(version: version), OperatorSetImport(domain: "own", version: 1)]
    return function
  }

  private func reference(_ name: String, to argument: String, _ kind: AttributeValue) -> Attribute {
    var attribute = Attribute(name, kind)
    attribute.referencedName = argument
    return attribute
  }

  /// A model of one call of `functions[0]` on x, or on x and z.
  private func model(
    _ functions: [Function], inputs: [String] = ["x"], _ attributes: [Attribute] = []
  ) -> Model {
    var sketch = GraphSketch()
    for input in inputs where !input.isEmpty { sketch.input(input, [3]) }
    sketch.graph.nodes = [
      Node(
        name: "call", functions[0].name, domain: "own", inputs: inputs, outputs: ["y"], attributes: attributes)
    ]
    sketch.output("y")
    var model = sketch.model
    model.operatorSets.append(OperatorSetImport(domain: "own", version: 1))
    model.functions = functions
    return model
  }

  private func run(_ model: Model, _ inputs: [Tensor] = [Tensor([Float(-2), 1, 3])]) throws -> [Double] {
    try ExecutionContext(plan: ExecutionPlan(model)).run(inputs)[0].numbers
  }

  private func failure(_ model: Model) throws -> EngineError {
    do { _ = try ExecutionPlan(model) } catch { return error }
    Issue.record("nothing was thrown")
    return EngineError(.invalidInput, "")
  }

  // MARK: Functions

  @Test func functionWithAttributes() throws {
    let slope = reference("alpha", to: "slope", .float(0))
    var leaky = function("Leaky", ["a"], ["b"], [Node("LeakyRelu", inputs: ["a"], outputs: ["b"], attributes: [slope])])
    leaky.attributeNames = ["slope"]
    #expect(try run(model([leaky], [Attribute("slope", .float(0.5))])) == [-1, 1, 3])
    #expect(try failure(model([leaky])).message.contains("slope"))
    // A default stands in for what the call does not give; without one, the operator's own default holds.
    leaky.attributeNames = []
    leaky.attributes = [Attribute("slope", .float(0.25))]
    #expect(try run(model([leaky])) == [-0.5, 1, 3])
    leaky.attributes = []
    #expect(try run(model([leaky])).map { Float($0) } == [-0.02, 1, 3])
  }

  @Test func functionsInsideOfFunctions() throws {
    let twice = function(
      "Twice", ["a"], ["b"],
      [
        Node("Own", domain: "own", inputs: ["a"], outputs: ["m"]),
        Node("Own", domain: "own", inputs: ["m"], outputs: ["b"]),
      ])
    // Names inside do not meet those outside: x, y and m are values of both.
    let own = function(
      "Own", ["x"], ["y"],
      [Node("Add", inputs: ["x", "x"], outputs: ["m"]), Node("Neg", inputs: ["m"], outputs: ["y"])])
    #expect(try run(model([twice, own])) == [-8, 4, 12])
  }

  /// Forty functions that call the next one twice would unfold to 2^40 nodes.
  @Test func functionsThatDoubleAreRefused() throws {
    let functions = (0..<40).map { level in
      let callee = level == 39 ? ("Neg", "") : ("F\(level + 1)", "own")
      return function(
        "F\(level)", ["a"], ["b"],
        [
          Node(callee.0, domain: callee.1, inputs: ["a"], outputs: ["m"]),
          Node(callee.0, domain: callee.1, inputs: ["m"], outputs: ["b"]),
        ])
    }
    #expect(try failure(model(functions)).message.contains("unfold to more than 65536 values"))
    #expect(try run(model(Array(functions[30...]))) == [-2, 1, 3])
  }

  @Test func omittedArgumentsAndPassedOnes() throws {
    let clip = function(
      "Bound", ["a", "low", "high"], ["b"], [Node("Clip", inputs: ["a", "low", "high"], outputs: ["b"])])
    #expect(try run(model([clip])) == [-2, 1, 3])
    #expect(try run(model([function("Same", ["a"], ["a"], [])])) == [-2, 1, 3])
  }

  @Test func functionsImportOperatorSetsOfTheirOwn() throws {
    // Axes are an attribute before version 13, an input since then.
    let sum = Node("ReduceSum", inputs: ["a"], outputs: ["b"], attributes: [Attribute("axes", .ints([0]))])
    #expect(try run(model([function("Total", ["a"], ["b"], [sum], version: 11)])) == [2])
  }

  @Test func functionThatCallsItself() throws {
    let loop = function("Loop", ["a"], ["b"], [Node("Loop", domain: "own", inputs: ["a"], outputs: ["b"])])
    let error = try failure(model([loop]))
    #expect(error.kind == .invalidGraph && error.message.contains("itself"))
  }

  // MARK: Conditions

  private func branch(_ nodes: [Node], _ output: String, _ constants: [Initializer] = []) -> Graph {
    var graph = Graph(name: "branch", outputs: [Value(name: output)], nodes: nodes)
    graph.initializers = constants
    return graph
  }

  private func conditional(_ condition: String, _ then: Graph, _ otherwise: Graph, _ output: String) -> Node {
    Node(
      name: "choice_\(output)", "If", inputs: [condition], outputs: [output],
      attributes: [Attribute("then_branch", .graph(then)), Attribute("else_branch", .graph(otherwise))])
  }

  @Test(arguments: [true, false])
  func constantCondition(_ isTrue: Bool) throws {
    var sketch = GraphSketch()
    sketch.input("x", [3])
    sketch.constant("yes", Tensor([isTrue], shape: []))
    sketch.node("Not", ["yes"], ["no"])
    sketch.node("Abs", ["x"], ["outer"])
    // The inner choice reads values of two graphs around it, and its own constant hides one of them.
    let inner = conditional(
      "no", branch([Node("Identity", inputs: ["x"], outputs: ["i"])], "i"),
      branch(
        [Node("Add", inputs: ["outer", "k"], outputs: ["i"])], "i",
        [Initializer(name: "k", tensor: Tensor([Float(10)]))]),
      "chosen")
    let then = branch(
      [inner, Node("Mul", inputs: ["chosen", "k"], outputs: ["t"])], "t",
      [Initializer(name: "k", tensor: Tensor([Float(2)]))])
    sketch.graph.nodes.append(conditional("yes", then, branch([], "outer"), "picked"))
    sketch.node("Neg", ["picked"], ["y"])
    sketch.output("y", "picked")
    for fusion in [true, false] {
      let results = try sketch.run([Tensor([Float(-1), 2, 3])], options: EngineOptions(fusion: fusion))
      #expect(try results[0].numbers == (isTrue ? [-22, -24, -26] : [-1, -2, -3]))
      #expect(try results[1].numbers == (isTrue ? [22, 24, 26] : [1, 2, 3]))
    }
  }

  @Test func conditionInAFunction() throws {
    let flag = Node(
      "Constant", inputs: [], outputs: ["c"], attributes: [Attribute("value", .tensor(Tensor([true], shape: [])))])
    let scaled = Node(
      "LeakyRelu", inputs: ["a"], outputs: ["s"], attributes: [reference("alpha", to: "slope", .float(0))])
    var choose = function(
      "Choose", ["a"], ["b"],
      [flag, conditional("c", branch([scaled], "s"), branch([Node("Neg", inputs: ["a"], outputs: ["n"])], "n"), "b")])
    choose.attributeNames = ["slope"]
    #expect(try run(model([choose], [Attribute("slope", .float(2))])) == [-4, 1, 3])
  }

  @Test func computedCondition() throws {
    var sketch = GraphSketch()
    sketch.input("x", [3])
    sketch.input("c", [], .bool)
    sketch.graph.nodes.append(conditional("c", branch([], "x"), branch([], "x"), "y"))
    sketch.output("y")
    let error = try failure(sketch.model)
    #expect(error.kind == .unsupported && error.message.contains("constant"))
    #expect(error.node == "\"choice_y\" (If)")
  }

  // MARK: Refusals

  @Test(arguments: ["Loop", "Scan"])
  func otherControlFlow(_ type: String) throws {
    var sketch = GraphSketch()
    sketch.input("x", [3])
    sketch.node(type, ["x"], ["y"], [Attribute("body", .graph(Graph()))])
    sketch.output("y")
    let error = try failure(sketch.model)
    #expect(error.kind == .unsupported && error.message.contains(type) && error.node?.contains(type) == true)
  }

  @Test(arguments: [
    ("Relu6", "", "Relu"), ("Tanh", "com.example", "standard operator Tanh"),
    ("BiasSoftmax", "com.microsoft", "Add and Softmax"),
    ("Sofmax", "", "Softmax"),
  ])
  func alternatives(_ type: String, _ domain: String, _ named: String) throws {
    let node = Node(name: "odd", type, domain: domain, inputs: ["a"], outputs: ["b"])
    // In the graph, in a function, and in a branch.
    var sketch = GraphSketch()
    sketch.input("a", [3])
    sketch.graph.nodes = [node]
    sketch.output("b")
    let top = sketch.model
    sketch.graph.nodes = [conditional("yes", branch([node], "b"), branch([], "a"), "c")]
    sketch.graph.outputs = [Value(name: "c")]
    sketch.constant("yes", Tensor([true], shape: []))
    let branched = sketch.model
    let called = model([function("Wrap", ["a"], ["b"], [node])])
    for var candidate in [top, branched, called] {
      candidate.operatorSets.append(OperatorSetImport(domain: domain, version: 1))
      let error = try failure(candidate)
      #expect(error.kind == .unsupported && error.message.contains(type) && error.message.contains(named), "\(error)")
      #expect(error.node?.contains("odd") == true, "\(error)")
    }
  }

  @Test func laterOperatorSet() throws {
    var sketch = GraphSketch(version: 10)
    sketch.input("x", [3])
    sketch.node("Mish", ["x"], ["y"])
    sketch.output("y")
    let error = try failure(sketch.model)
    #expect(error.message.contains("from version 18") && error.message.contains("imports 10"))
  }
}
