import NNEngine
import NNFormat
import Testing

@Suite struct RowGroupTests {
  /// Every kind of step that can be run by rows, an output in their middle, and a step that needs all rows.
  private static func model() -> Model {
    var random = SeededGenerator(71)
    var sketch = GraphSketch()
    sketch.input("x", Shape([.symbolic("rows"), .known(40)]))
    for (name, shape) in [
      ("w0", [40, 64]), ("b0", [64]), ("w1", [64, 64]), ("b1", [64]), ("scale", [64]), ("offset", [64]),
      ("row", [1, 64]),
      ("factor", []), ("w2", [64, 10]), ("b2", [10]),
    ] {
      sketch.constant(name, random.floats(shape))
    }
    sketch.node("Gemm", ["x", "w0", "b0"], ["d0"])
    sketch.node("Relu", ["d0"], ["a0"])
    sketch.node("Gemm", ["a0", "w1", "b1"], ["d1"])
    sketch.node("Add", ["d1", "a0"], ["sum"])
    sketch.node("LayerNormalization", ["sum", "scale", "offset"], ["normal"])
    sketch.node("Mul", ["normal", "row"], ["scaled"])
    sketch.node("Sub", ["factor", "scaled"], ["flipped"])
    sketch.node("Tanh", ["flipped"], ["t"])
    sketch.node("ReduceMax", ["t"], ["highest"], [Attribute("keepdims", .int(0))])
    sketch.node("Div", ["t", "highest"], ["shares"])
    sketch.node("Gemm", ["shares", "w2", "b2"], ["logits"])
    sketch.node("Softmax", ["logits"], ["y"])
    sketch.output("y", "sum", "t")
    return sketch.model
  }

  @Test(arguments: [1, 23, 24, 25, 47, 64, 257])
  func threadsChangeNoBit(rows: Int) throws {
    let model = Self.model()
    var random = SeededGenerator(72)
    let input = random.floats([rows, 40])
    let expected = try ExecutionContext(plan: ExecutionPlan(model, options: EngineOptions(threads: 1))).run([input])
    for threads in [2, 3, 5] {
      let context = ExecutionContext(plan: try ExecutionPlan(model, options: EngineOptions(threads: threads)))
      for _ in 0..<5 {
        let actual = try context.run([input])
        for (actual, expected) in zip(actual, expected) {
          let (left, right) = (try actual.elements(as: Float.self), try expected.elements(as: Float.self))
          #expect(left.map(\.bitPattern) == right.map(\.bitPattern), "threads \(threads)")
        }
      }
    }
  }

  @Test func stepsThatNeedAllRowsSplitGroups() throws {
    let plan = try ExecutionPlan(Self.model(), options: EngineOptions(threads: 2))
    let groups = try ExecutionContext(plan: plan).resolution(for: [[600, 40]]).groups
    #expect(groups.count == 2)
    #expect(groups.first?.steps.lowerBound == 0)
    #expect(groups.last?.steps.upperBound == plan.steps.count)
    // One thread has nobody to wait for, and few rows are not worth sharing.
    let alone = try ExecutionPlan(Self.model(), options: EngineOptions(threads: 1))
    #expect(try ExecutionContext(plan: alone).resolution(for: [[600, 40]]).groups.isEmpty)
    #expect(try ExecutionContext(plan: plan).resolution(for: [[8, 40]]).groups.isEmpty)
  }
}
