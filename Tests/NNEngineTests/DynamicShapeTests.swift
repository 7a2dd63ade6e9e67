import NNEngine
import NNFormat
import Testing

@Suite struct DynamicShapeTests {
  @Test func shapeChainsResolveWithoutRunning() throws {
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 3, 4])
    sketch.node("Shape", ["x"], ["s"], [Attribute("end", .int(1))])
    sketch.constant("rest", Tensor([Int64(-1)]))
    sketch.node("Concat", ["s", "rest"], ["shape"], [Attribute("axis", .int(0))])
    sketch.node("Reshape", ["x", "shape"], ["y"])
    sketch.output("y")
    var random = SeededGenerator(41)
    let context = try ExecutionContext(plan: ExecutionPlan(sketch.model))
    for batch in [1, 5, 2, 1] {
      let input = random.floats([batch, 3, 4])
      #expect(try context.resolution(for: [input.shape]).isStatic)
      let output = try context.run([input])
      #expect(output[0].shape == [batch, 12])
      #expect(try output[0].numbers == input.numbers)
    }
  }

  @Test func computedElementsDecideShapes() throws {
    var sketch = GraphSketch()
    sketch.input("count", [], .int64)
    sketch.input("x", [.symbolic("n"), 2])
    sketch.constant("zero", Tensor([Int64(0)], shape: []))
    sketch.constant("one", Tensor([Int64(1)], shape: []))
    sketch.node("Range", ["zero", "count", "one"], ["r"])
    sketch.node("Relu", ["x"], ["h"])
    sketch.node("Gather", ["h", "r"], ["g"])
    sketch.node("Add", ["g", "g"], ["y"])
    sketch.output("y", "h", "r")
    let context = try ExecutionContext(plan: ExecutionPlan(sketch.model))
    var random = SeededGenerator(42)
    let x = random.floats([6, 2])
    for count in [2, 6, 0, 4] as [Int64] {
      let inputs = [Tensor([count], shape: []), x]
      let expected = try ReferenceInterpreter(sketch.model).run(["count": inputs[0], "x": x]).map(\.tensor)
      try expectClose(try context.run(inputs), expected, "count \(count)")
    }
  }

  @Test func remembersShapesAndAllocatesNothingFurther() throws {
    let plan = try ExecutionPlan(classifier([20, 30, 4]).model)
    let context = ExecutionContext(plan: plan)
    let first = try context.resolution(for: [[3, 20]])
    _ = try context.resolution(for: [[5, 20]])
    #expect(try context.resolution(for: [[3, 20]]) === first)
    for batch in 6...12 { _ = try context.resolution(for: [[batch, 20]]) }
    #expect(try context.resolution(for: [[3, 20]]) !== first)
  }

  @Test func valuesShareTheArena() throws {
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 64])
    var random = SeededGenerator(43)
    for layer in 0..<8 {
      sketch.constant("w\(layer)", random.floats([64, 64]))
      sketch.node("MatMul", [layer == 0 ? "x" : "h\(layer - 1)", "w\(layer)"], ["h\(layer)"])
    }
    sketch.output("h7")
    let resolution = try ExecutionContext(plan: ExecutionPlan(sketch.model)).resolution(for: [[16, 64]])
    #expect(resolution.arenaByteCount == 2 * 16 * 64 * 4)
  }
}
