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

  /// A column of products that is added as a row: the same memory under another shape.
  @Test(arguments: [2, 3, 5])
  func groupsEndWhereAllRowsAreNeeded(threads: Int) throws {
    var random = SeededGenerator(73)
    var sketch = GraphSketch()
    sketch.input("x", [.known(512), .known(64)])
    sketch.input("scores", [.known(512), .known(512)])
    sketch.constant("w", random.floats([64, 1]))
    sketch.node("Gemm", ["x", "w"], ["column"])
    sketch.node("Flatten", ["column"], ["row"], [Attribute("axis", .int(0))])
    sketch.node("Add", ["scores", "row"], ["sum"])
    sketch.node("Softmax", ["sum"], ["y"])
    sketch.output("y")
    try Self.check(sketch.model, [random.floats([512, 64]), random.floats([512, 512])], threads: threads)
  }

  /// A row that every part reads, and that a later step would overwrite in place as many rows.
  @Test(arguments: [2, 3, 5])
  func nothingIsOverwrittenBeforeAllPartsHaveReadIt(threads: Int) throws {
    var random = SeededGenerator(74)
    var sketch = GraphSketch()
    sketch.input("x", [.known(1), .known(4096)])
    sketch.input("m", [.known(64), .known(4096)])
    sketch.constant("square", Tensor([Int64(64), 64]))
    sketch.node("Sigmoid", ["x"], ["a"])
    sketch.node("Add", ["m", "a"], ["y"])
    sketch.node("Reshape", ["a", "square"], ["b"])
    sketch.node("Tanh", ["b"], ["c"])
    sketch.node("Sqrt", ["c"], ["d"])
    sketch.node("Neg", ["d"], ["z"])
    sketch.output("y", "z")
    try Self.check(sketch.model, [random.floats([1, 4096]), random.floats([64, 4096])], threads: threads)
  }

  /// Compares several threads with one, which has no groups.
  private static func check(_ model: Model, _ inputs: [Tensor], threads: Int) throws {
    let expected = try ExecutionContext(plan: ExecutionPlan(model, options: EngineOptions(threads: 1))).run(inputs)
    let context = ExecutionContext(plan: try ExecutionPlan(model, options: EngineOptions(threads: threads)))
    for _ in 0..<10 {
      for (actual, expected) in zip(try context.run(inputs), expected) {
        let (left, right) = (try actual.elements(as: Float.self), try expected.elements(as: Float.self))
        #expect(left.map(\.bitPattern) == right.map(\.bitPattern))
      }
    }
  }
}
