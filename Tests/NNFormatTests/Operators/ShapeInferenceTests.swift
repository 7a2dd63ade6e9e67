import NNFormat
import Testing

/// Inference over whole graphs, and the form of it that runs beside a network.
@Suite struct ShapeInferenceTests {
  private let standard = [OperatorSetImport(version: 17)]

  /// Shape, Gather, Concat and Reshape as converters write them for a layer that flattens all but the batch.
  @Test func shapeCalculationsResolve() throws {
    var graph = Graph(
      inputs: [Value(name: "x", elementType: .float32, shape: [.symbolic("N"), 8, 4])],
      outputs: [Value(name: "y", elementType: .float32, shape: [.unknown, .unknown])],
      nodes: [
        Node("Shape", inputs: ["x"], outputs: ["shape"]),
        Node("Cast", inputs: ["shape"], outputs: ["shape32"], attributes: [Attribute("to", .int(6))]),
        Node(
          "Slice", inputs: ["shape32", "zero", "one", "zero"], outputs: ["batch32"]),
        Node("Cast", inputs: ["batch32"], outputs: ["batch"], attributes: [Attribute("to", .int(7))]),
        Node("Concat", inputs: ["batch", "rest"], outputs: ["target"], attributes: [Attribute("axis", .int(0))]),
        Node("Reshape", inputs: ["x", "target"], outputs: ["y"]),
      ])
    graph.initializers = [
      Initializer(name: "zero", tensor: Tensor([Int64(0)])), Initializer(name: "one", tensor: Tensor([Int64(1)])),
      Initializer(name: "rest", tensor: Tensor([Int64(-1)])),
    ]
    var model = Model(graph: graph, operatorSets: standard, irVersion: 8)
    let inference = try ShapeInference.infer(model)
    #expect(inference["target"]?.contents == [.symbolic("N"), -1])
    #expect(inference["y"] == InferredValue(elementType: .float32, shape: [.symbolic("N"), 32]))
    #expect(inference["nothing"] == nil)

    // An initializer that a caller may replace says nothing of the elements.
    model.graph.inputs.append(Value(name: "rest", elementType: .int64, shape: [1]))
    #expect(try ShapeInference.infer(model)["target"]?.contents == [.symbolic("N"), .unknown])
    model.irVersion = 3
    #expect(try ShapeInference.infer(model)["target"]?.contents == [.symbolic("N"), -1])
  }

  @Test func unknownOperatorsTakeStatedTypes() throws {
    var graph = Graph(
      inputs: [Value(name: "x", elementType: .float32, shape: [-1, .symbolic("")])],
      nodes: [
        Node("Odd", domain: "com.example", inputs: ["x"], outputs: ["a", "b"]),
        Node("Relu", inputs: ["a"], outputs: ["c"]),
      ])
    graph.valueInfo = [Value(name: "a", elementType: .float32, shape: [2, 3])]
    let inference = try ShapeInference.infer(Model(graph: graph, operatorSets: standard, irVersion: 8))
    #expect(inference["x"]?.shape == [.unknown, .unknown])
    #expect(inference["c"]?.shape == [2, 3])
    #expect(inference["b"] == InferredValue())
  }

  @Test func functionsAreFollowed() throws {
    var join = Node("Concat", inputs: ["p", "p"], outputs: ["q"], attributes: [Attribute("axis", .int(0))])
    join.attributes[0].referencedName = "where"
    var function = Function(name: "Twice", domain: "local", inputs: ["p"], outputs: ["q"], nodes: [join])
    function.operatorSets = standard
    function.attributeNames = ["where"]
    var endless = Function(
      name: "Endless", domain: "local", inputs: ["p"], outputs: ["q"],
      nodes: [Node("Endless", domain: "local", inputs: ["p"], outputs: ["q"])])
    endless.operatorSets = standard
    let graph = Graph(
      inputs: [Value(name: "x", elementType: .float32, shape: [.symbolic("N"), 3])],
      nodes: [
        Node("Twice", domain: "local", inputs: ["x"], outputs: ["y"], attributes: [Attribute("where", .int(1))]),
        Node("Endless", domain: "local", inputs: ["x"], outputs: ["z"]),
      ])
    var model = Model(graph: graph, operatorSets: standard, irVersion: 8)
    model.functions = [function, endless]
    let inference = try ShapeInference.infer(model)
    #expect(inference["y"] == InferredValue(elementType: .float32, shape: [.symbolic("N"), 6]))
    #expect(inference["z"] == InferredValue())
  }

  @Test func rankIsLimited() throws {
    var inference = ShapeInference(operatorSets: standard)
    let wide = Shape(Array(repeating: Dimension.known(1), count: 40))
    inference.addInput(Value(name: "x", elementType: .int64, shape: wide))
    let error = #expect(throws: FormatError.self) {
      try inference.add(Node("Gather", inputs: ["x", "x"], outputs: ["y"]))
    }
    #expect(error?.kind == .limit)
  }

  @Test func longTensorsHaveNoContents() {
    var inference = ShapeInference(operatorSets: standard)
    inference.addInitializer(Initializer(name: "short", tensor: Tensor([Int32](repeating: 7, count: 64))))
    inference.addInitializer(Initializer(name: "long", tensor: Tensor([Int32](repeating: 7, count: 65))))
    inference.addInitializer(Initializer(name: "float", tensor: Tensor([Float(1)])))
    #expect(inference["short"]?.contents?.count == 64)
    #expect(inference["long"] == InferredValue(elementType: .int32, shape: [65]))
    #expect(inference["float"] == InferredValue(elementType: .float32, shape: [1]))
  }

  @Test func constantTensors() throws {
    var inference = ShapeInference(operatorSets: standard)
    let value = try inference.add(
      Node("Constant", inputs: [], outputs: ["c"], attributes: [Attribute("value", .tensor(Tensor([Int64(3), -1])))]))
    #expect(value == [InferredValue(elementType: .int64, shape: [2], contents: [3, -1])])
  }

  @Test func concreteShapes() throws {
    let node = Node("Reshape", inputs: ["x", "s"], outputs: ["y"])
    let schema = try #require(OperatorRegistry.schema("Reshape", version: 17))
    let data = ConcreteValue(.float32, [5, 8, 4])
    let known = try schema.inferConcrete(
      node, version: 17, inputs: [data, ConcreteValue(.int64, [2], contents: [0, -1])])
    #expect(known == [ConcreteValue(.float32, [5, 32])])
    let open = try schema.inferConcrete(node, version: 17, inputs: [data, ConcreteValue(.int64, [2])])
    #expect(open == [nil])
    let shape = try #require(OperatorRegistry.schema("Shape", version: 17))
    let call = Node("Shape", inputs: ["x"], outputs: ["s"])
    #expect(
      try shape.inferConcrete(call, version: 17, inputs: [data]) == [ConcreteValue(.int64, [3], contents: [5, 8, 4])])
  }

  /// No attribute value or shape makes any rule trap.
  @Test(arguments: OperatorRegistry.all.map { "\($0.name)@\($0.sinceVersion)@\($0.domain)" })
  func hostileNodesNeverTrap(_ row: String) throws {
    let parts = row.split(separator: "@", omittingEmptySubsequences: false)
    let version = try #require(Int(parts[1]))
    let schema = try #require(OperatorRegistry.schema(String(parts[0]), domain: String(parts[2]), version: version))
    var generator = SeededGenerator(state: UInt64(row.utf8.reduce(7) { ($0 &* 31) &+ Int($1) }.magnitude))
    for _ in 0..<300 {
      let count = min(
        schema.inputCount.upperBound, max(schema.inputCount.lowerBound, Int.random(in: 0...5, using: &generator)))
      let outputs = min(
        schema.outputCount.upperBound, max(schema.outputCount.lowerBound, Int.random(in: 0...3, using: &generator)))
      let inputs = (0..<count).map { _ in generator.value() }
      let attributes = schema.attributes.compactMap { rule -> Attribute? in
        guard rule.isRequired || Bool.random(using: &generator) else { return nil }
        return generator.value(of: rule.kind).map { Attribute(rule.name, $0) }
      }
      let node = Node(
        schema.name, inputs: inputs.indices.map { "i\($0)" }, outputs: (0..<outputs).map { "o\($0)" },
        attributes: attributes)
      if let result = try? schema.outputs(of: node, version: version, inputs: inputs) {
        #expect(result.count == outputs)
        #expect(result.allSatisfy { ($0.contents?.count ?? 0) <= 64 && ($0.shape?.rank ?? 0) <= 64 })
      }
    }
  }
}

/// A small deterministic generator (xorshift64*), for reproducible hostile input.
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state == 0 ? 88_172_645_463_325_252 : state
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 2_685_821_657_736_338_717
  }

  mutating func integer() -> Int {
    let corners = [
      0, 1, -1, 2, 3, -2, 4, 7, 64, 65, 99, -99, Int.max, Int.min, 1 << 62, Int(Int32.max), Int.min + 1, Int.max - 1,
    ]
    return Bool.random(using: &self) ? Int.random(in: -3...4, using: &self) : corners.randomElement(using: &self) ?? 0
  }

  mutating func dimension() -> Dimension {
    switch Int.random(in: 0...5, using: &self) {
    case 0: .unknown
    case 1: .symbolic(Bool.random(using: &self) ? "N" : "M")
    default: .known(integer())
    }
  }

  mutating func value() -> InferredValue? {
    if Int.random(in: 0...9, using: &self) == 0 { return nil }
    let rank = Int.random(in: 0...4, using: &self)
    let shape = Int.random(in: 0...5, using: &self) == 0 ? nil : Shape((0..<rank).map { _ in dimension() })
    let type: ElementType? = [.float32, .int64, .int64, .int32, .bool, nil].randomElement(using: &self) ?? nil
    guard type == .int64, Bool.random(using: &self) else { return InferredValue(elementType: type, shape: shape) }
    let contents = (0..<Int.random(in: 0...4, using: &self)).map { _ in dimension() }
    return InferredValue(
      elementType: type, shape: Bool.random(using: &self) ? [.known(contents.count)] : shape, contents: contents)
  }

  mutating func value(of kind: AttributeRule.Kind) -> AttributeValue? {
    switch kind {
    case .int: .int(Int64(integer()))
    case .ints: .ints((0..<Int.random(in: 0...4, using: &self)).map { _ in Int64(integer()) })
    case .float: .float(1)
    case .string:
      .text(["ij,jk->ik", "...", "", "->", ",", "i", "...i->i...", "constant"].randomElement(using: &self) ?? "")
    case .tensor: .tensor(Tensor([Int64(integer())]))
    default: nil
    }
  }
}
