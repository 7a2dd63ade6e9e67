import NNEngine
import NNFormat
import Testing

@Suite struct FusionTests {
  /// Runs with and without fusion, compares both with the reference, and returns the fused operators.
  private func check(
    _ sketch: GraphSketch, _ input: Tensor, tolerance: Double = 2e-5
  ) throws -> [String] {
    let expected = try ReferenceInterpreter(sketch.model).run(["x": input]).map(\.tensor)
    try expectClose(try sketch.run([input]), expected, tolerance: tolerance, "fused")
    try expectClose(
      try sketch.run([input], options: EngineOptions(fusion: false)), expected, tolerance: tolerance, "plain")
    return try ExecutionPlan(sketch.model).stepDescriptions.map(\.operatorType)
  }

  @Test func matMulBiasAndActivation() throws {
    var random = SeededGenerator(21)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 7, 5])
    sketch.constant("w", random.floats([5, 9]))
    sketch.constant("b", random.floats([9]))
    sketch.node("MatMul", ["x", "w"], ["m"])
    sketch.node("Add", ["b", "m"], ["a"])
    sketch.node("Gelu", ["a"], ["y"])
    sketch.output("y")
    #expect(try check(sketch, random.floats([3, 7, 5])) == ["Dense+bias+gelu"])
  }

  @Test func keepsValuesThatAreOutputs() throws {
    var random = SeededGenerator(22)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 5])
    sketch.constant("w", random.floats([5, 4]))
    sketch.node("MatMul", ["x", "w"], ["m"])
    sketch.node("Relu", ["m"], ["y"])
    sketch.output("m", "y")
    #expect(try check(sketch, random.floats([2, 5])) == ["Dense", "Relu"])
  }

  @Test func siluFromItsParts() throws {
    var random = SeededGenerator(23)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 5])
    sketch.node("Sigmoid", ["x"], ["s"])
    sketch.node("Mul", ["x", "s"], ["y"])
    sketch.output("y")
    #expect(try check(sketch, random.floats([3, 5])) == ["silu"])
  }

  @Test(arguments: [true, false])
  func normalizationBehindDense(isTransposed: Bool) throws {
    var random = SeededGenerator(24)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 6])
    sketch.constant("w", random.floats(isTransposed ? [4, 6] : [6, 4]))
    sketch.constant("b", random.floats([4]))
    sketch.node(
      "Gemm", ["x", "w", "b"], ["g"],
      [Attribute("transB", .int(isTransposed ? 1 : 0)), Attribute("alpha", .float(0.5))])
    for name in ["scale", "offset", "mean", "variance"] { sketch.constant(name, random.floats([4], in: 0.5...2)) }
    sketch.node("BatchNormalization", ["g", "scale", "offset", "mean", "variance"], ["n"])
    sketch.node("Relu", ["n"], ["y"])
    sketch.output("y")
    #expect(try check(sketch, random.floats([3, 6])) == ["Dense+bias+relu"])
  }

  @Test func normalizationOfChannelsLast() throws {
    var random = SeededGenerator(25)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 3, 4])
    for name in ["scale", "offset", "mean", "variance"] { sketch.constant(name, random.floats([4], in: 0.5...2)) }
    sketch.node("Transpose", ["x"], ["t"], [Attribute("perm", .ints([0, 2, 1]))])
    sketch.node("BatchNormalization", ["t", "scale", "offset", "mean", "variance"], ["n"])
    sketch.node("Transpose", ["n"], ["y"], [Attribute("perm", .ints([0, 2, 1]))])
    sketch.output("y")
    #expect(try check(sketch, random.floats([2, 3, 4])) == ["Affine"])
  }

  @Test func constantsFold() throws {
    var random = SeededGenerator(26)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 3])
    sketch.constant("w", random.floats([4, 3]))
    sketch.node("Transpose", ["w"], ["wt"])
    sketch.node("Identity", ["x"], ["i"])
    sketch.node("MatMul", ["i", "wt"], ["m"])
    sketch.node("Dropout", ["m"], ["y"])
    sketch.output("y")
    #expect(try check(sketch, random.floats([5, 3])) == ["Dense"])
  }

  @Test(arguments: [ElementType.float16, .bfloat16])
  func sixteenBitWeights(type: ElementType) throws {
    var random = SeededGenerator(27)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 8], type)
    sketch.constant("w", half(random.doubles([8, 4], in: -1...1), type))
    sketch.constant("b", half(random.doubles([4], in: -1...1), type))
    sketch.node("Gemm", ["x", "w", "b"], ["g"])
    sketch.node("Tanh", ["g"], ["y"])
    sketch.output("y")
    let steps = try check(
      sketch, half(random.doubles([3, 8], in: -1...1), type), tolerance: type == .float16 ? 2e-3 : 2e-2)
    #expect(steps == ["Dense+bias+tanh"])
  }

  /// Random graphs of elementwise operators, products and layout changes over a batch of rows.
  @Test(arguments: 0..<60)
  func randomGraphsAgree(seed: Int) throws {
    var random = SeededGenerator(UInt64(1000 + seed))
    var sketch = GraphSketch()
    var width = Int.random(in: 1...9, using: &random)
    let input = random.floats([Int.random(in: 0...5, using: &random), width])
    sketch.input("x", [.symbolic("n"), .known(width)])
    var current = "x"
    var sameWidth = ["x"]
    for step in 0..<Int.random(in: 1...12, using: &random) {
      let next = "v\(step)"
      switch Int.random(in: 0..<9, using: &random) {
      case 0, 1:
        let columns = Int.random(in: 1...40, using: &random)
        sketch.constant("w\(step)", random.floats([width, columns], in: -1...1))
        sketch.node("MatMul", [current, "w\(step)"], [next])
        (width, sameWidth) = (columns, [])
      case 2:
        sketch.constant("b\(step)", random.floats([width]))
        sketch.node("Add", [current, "b\(step)"], [next])
      case 3:
        sketch.node(
          ["Relu", "Sigmoid", "Tanh", "Softplus", "Elu"].randomElement(using: &random) ?? "Relu", [current], [next])
      case 4:
        let other = sameWidth.randomElement(using: &random) ?? current
        sketch.node(["Add", "Mul", "Max"].randomElement(using: &random) ?? "Add", [current, other], [next])
      case 5: sketch.node("Softmax", [current], [next])
      case 6:
        sketch.node("Sigmoid", [current], ["s\(step)"])
        sketch.node("Mul", [current, "s\(step)"], [next])
      case 7:
        sketch.node(
          "Concat", [current, sameWidth.randomElement(using: &random) ?? current], [next], [Attribute("axis", .int(1))])
        (width, sameWidth) = (width * 2, [])
      default:
        sketch.node("Transpose", [current], ["t\(step)"])
        sketch.node("Transpose", ["t\(step)"], [next])
      }
      current = next
      sameWidth.append(next)
      if Int.random(in: 0..<6, using: &random) == 0 { sketch.output(next) }
    }
    if !sketch.graph.outputs.contains(where: { $0.name == current }) { sketch.output(current) }
    sketch.graph.outputs.append(Value(name: "x"))
    _ = try check(sketch, input, tolerance: 1e-4)
  }
}
