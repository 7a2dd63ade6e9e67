import NNEngine
import NNFormat

/// A graph under construction, for tests.
struct GraphSketch {
  var graph = Graph(name: "test")
  var version = 21

  init(version: Int = 21) { self.version = version }

  var model: Model {
    let domains = Set(graph.nodes.map(\.domain)).subtracting([""]).sorted()
    return Model(
      graph: graph,
      operatorSets: [OperatorSetImport(version: version)]
        + domains.map { OperatorSetImport(domain: $0, version: $0 == "ai.onnx.ml" ? 4 : 1) }, irVersion: 10)
  }

  mutating func input(_ name: String, _ shape: Shape?, _ type: ElementType = .float32) {
    graph.inputs.append(Value(name: name, elementType: type, shape: shape))
  }

  mutating func constant(_ name: String, _ tensor: Tensor) {
    graph.initializers.append(Initializer(name: name, tensor: tensor))
  }

  mutating func node(
    _ type: String, domain: String = "", _ inputs: [String], _ outputs: [String], _ attributes: [Attribute] = []
  ) {
    graph.nodes.append(
      Node(
        name: "\(type.lowercased())_\(graph.nodes.count)", type, domain: domain, inputs: inputs, outputs: outputs,
        attributes: attributes))
  }

  mutating func output(_ names: String...) {
    for name in names { graph.outputs.append(Value(name: name)) }
  }

  /// Runs the network on inputs in declared order.
  func run(_ inputs: [Tensor], options: EngineOptions = .init()) throws -> [Tensor] {
    try ExecutionContext(plan: ExecutionPlan(model, options: options)).run(inputs)
  }
}

/// A repeatable source of numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func floats(_ shape: [Int], in range: ClosedRange<Float> = -2...2) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Float.random(in: range, using: &self) }, shape: shape)
  }

  mutating func doubles(_ shape: [Int], in range: ClosedRange<Double> = -2...2) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Double.random(in: range, using: &self) }, shape: shape)
  }

  mutating func ints(_ shape: [Int], in range: ClosedRange<Int64>) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Int64.random(in: range, using: &self) }, shape: shape)
  }

  mutating func bools(_ shape: [Int]) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Bool.random(using: &self) }, shape: shape)
  }
}

/// A classifier: Flatten, then for each width Gemm, Relu, and Softmax at the end.
func classifier(_ widths: [Int], seed: UInt64 = 1, inputShape: [Int]? = nil) -> GraphSketch {
  var random = SeededGenerator(seed)
  var sketch = GraphSketch()
  let rowShape = inputShape ?? [widths[0]]
  sketch.input("x", Shape([.symbolic("batch")] + rowShape.map(Dimension.known)))
  sketch.node("Flatten", ["x"], ["h0"])
  for layer in 1..<widths.count {
    let scale = 1 / Float(widths[layer - 1]).squareRoot()
    sketch.constant("w\(layer)", random.floats([widths[layer - 1], widths[layer]], in: -scale...scale))
    sketch.constant("b\(layer)", random.floats([widths[layer]], in: -0.1...0.1))
    sketch.node("Gemm", ["h\(layer - 1)", "w\(layer)", "b\(layer)"], ["g\(layer)"])
    let isLast = layer == widths.count - 1
    sketch.node(isLast ? "Softmax" : "Relu", ["g\(layer)"], [isLast ? "y" : "h\(layer)"])
  }
  sketch.output("y")
  return sketch
}

extension Tensor {
  /// All elements as doubles, for comparison.
  var numbers: [Double] {
    get throws {
      switch elementType {
      case .float32: try elements(as: Float.self).map { Double($0) }
      case .float64: try elements(as: Double.self)
      case .int32: try elements(as: Int32.self).map { Double($0) }
      case .int64: try elements(as: Int64.self).map { Double($0) }
      case .uint8: try elements(as: UInt8.self).map { Double($0) }
      case .int8: try elements(as: Int8.self).map { Double($0) }
      case .bool: try elements(as: Bool.self).map { $0 ? 1 : 0 }
      case .float16, .bfloat16:
        try Constant(self).doubles ?? []
      default: []
      }
    }
  }
}
