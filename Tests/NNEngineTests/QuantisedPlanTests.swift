import NNEngine
import NNFormat
import Testing

/// What becomes of quantised weights when a plan is made.
@Suite struct QuantisedPlanTests {
  private static func operators(_ sketch: GraphSketch) throws -> [String] {
    try ExecutionPlan(sketch.model, options: EngineOptions()).steps.map(\.operatorType)
  }

  /// x · bits + b, then Relu; `weights` bytes of weights.
  private static func bits(weights: Int) -> GraphSketch {
    var random = SeededGenerator(41)
    var sketch = GraphSketch()
    sketch.input("x", [.known(2), .known(32)])
    sketch.constant("w", random.codes(UInt8.self, [weights]))
    sketch.constant("s", random.scales([3, 2]))
    sketch.constant("b", random.floats([3]))
    let attributes = [("K", 32), ("N", 3), ("bits", 4), ("block_size", 16)]
    sketch.node(
      "MatMulNBits", domain: "com.microsoft", ["x", "w", "s"], ["p"],
      attributes.map { Attribute($0.0, .int(Int64($0.1))) })
    sketch.node("Add", ["p", "b"], ["h"])
    sketch.node("Relu", ["h"], ["y"])
    sketch.output("y")
    return sketch
  }

  @Test func packedBitsBecomeADenseLayer() throws {
    #expect(try Self.operators(Self.bits(weights: 3 * 2 * 8)) == ["Dense+bias+relu"])
  }

  @Test func constantCodesBecomeFloatWeights() throws {
    var random = SeededGenerator(42)
    var sketch = GraphSketch()
    sketch.input("x", [.known(2), .known(9)])
    sketch.constant("w", random.codes(Int8.self, [9, 4]))
    sketch.constant("s", random.scales([4]))
    sketch.node("DequantizeLinear", ["w", "s"], ["f"])
    sketch.node("MatMul", ["x", "f"], ["y"])
    sketch.output("y")
    #expect(try Self.operators(sketch) == ["Dense"])
  }

  @Test func weightsOfAnotherSizeAreRefusedByTheNode() throws {
    let error = #expect(throws: EngineError.self) { try Self.operators(Self.bits(weights: 3 * 2 * 8 - 1)) }
    #expect(error?.kind == .shapeMismatch)
    #expect(error?.description.contains("matmulnbits_0") == true)
  }

  @Test(arguments: [ElementType.int32, .float32]) func productsOfWiderNumbersAreRefused(_ type: ElementType) throws {
    var sketch = GraphSketch()
    sketch.input("x", [.known(2), .known(2)], type)
    sketch.node("MatMulInteger", ["x", "x"], ["y"])
    sketch.output("y")
    let error = #expect(throws: EngineError.self) { try Self.operators(sketch) }
    #expect(error?.kind == .unsupported)
    #expect(error?.description.contains(type.name) == true)
  }
}
