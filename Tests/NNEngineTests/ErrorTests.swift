import NNEngine
import NNFormat
import Testing

@Suite struct ErrorTests {
  /// The error of an expression, or a recorded issue.
  private func failure(_ body: () throws -> Void) throws -> EngineError {
    do { try body() } catch let error as EngineError { return error }
    Issue.record("nothing was thrown")
    return EngineError(.invalidInput, "")
  }

  @Test func missingValue() throws {
    var sketch = GraphSketch()
    sketch.input("x", [2])
    sketch.node("Add", ["x", "ghost"], ["y"])
    sketch.output("y")
    let error = try failure { _ = try ExecutionPlan(sketch.model) }
    #expect(error.kind == .invalidGraph && error.message.contains("ghost") && error.node?.contains("Add") == true)
  }

  @Test func cycle() throws {
    var sketch = GraphSketch()
    sketch.input("x", [2])
    sketch.node("Add", ["x", "b"], ["a"])
    sketch.node("Relu", ["a"], ["b"])
    sketch.output("b")
    let error = try failure { _ = try ExecutionPlan(sketch.model) }
    #expect(error.kind == .invalidGraph && error.message.contains("cycle"))
  }

  @Test func nodesInAnyOrder() throws {
    var sketch = GraphSketch()
    sketch.input("x", [2])
    sketch.node("Neg", ["a"], ["y"])
    sketch.node("Relu", ["x"], ["a"])
    sketch.output("y")
    #expect(try sketch.run([Tensor([Float(-1), 2])])[0].numbers == [0, -2])
  }

  @Test func twoProducers() throws {
    var sketch = GraphSketch()
    sketch.input("x", [2])
    sketch.node("Relu", ["x"], ["y"])
    sketch.node("Neg", ["x"], ["y"])
    sketch.output("y")
    #expect(try failure { _ = try ExecutionPlan(sketch.model) }.kind == .invalidGraph)
  }

  @Test func unknownOperatorAndType() throws {
    var sketch = GraphSketch()
    sketch.input("x", [2], .uint8)
    sketch.node("Tanh", ["x"], ["y"])
    sketch.output("y")
    let typed = try failure { _ = try ExecutionPlan(sketch.model) }
    #expect(typed.kind == .unsupported && typed.message.contains("uint8") && typed.node?.contains("Tanh") == true)
    sketch.graph.nodes[0].operatorType = "Conv"
    let unknown = try failure { _ = try ExecutionPlan(sketch.model) }
    #expect(unknown.kind == .unsupported && unknown.message.contains("Conv"))
  }

  @Test func inputsThatDoNotFit() throws {
    let network = try Network(classifier([4, 3]).model)
    let shape = try failure { _ = try network.predict([1, 2, 3], shape: [1, 3]) }
    #expect(shape.kind == .invalidInput && shape.message.contains("(batch, 4)") && shape.message.contains("(1, 3)"))
    let count = try failure { _ = try network.predict([1, 2, 3], shape: [1, 4]) }
    #expect(count.kind == .invalidInput)
    let type = try failure { _ = try network.run(["x": Tensor([Double(1), 2, 3, 4], shape: [1, 4])]) }
    #expect(type.kind == .invalidInput && type.message.contains("float32") && type.message.contains("float64"))
    let name = try failure { _ = try network.run(["z": Tensor([Float(1), 2, 3, 4], shape: [1, 4])]) }
    #expect(name.kind == .invalidInput && name.message.contains("\"z\""))
    let rank = try failure { _ = try network.predict([1, 2, 3, 4], shape: [4]) }
    #expect(rank.kind == .invalidInput)
  }

  @Test func integersAreCastWhereNothingIsLost() throws {
    let network = try Network(classifier([4, 3]).model)
    let exact = try network.run(["x": Tensor([Int64(1), 2, 3, 255], shape: [1, 4])])
    let float = try network.run(["x": Tensor([Float(1), 2, 3, 255], shape: [1, 4])])
    #expect(try exact[0].tensor.numbers == float[0].tensor.numbers)
    let lossy = try failure { _ = try network.run(["x": Tensor([Int64(1), 2, 3, 1 << 24 + 1], shape: [1, 4])]) }
    #expect(lossy.kind == .invalidInput && lossy.message.contains("int64"))
  }

  @Test func gatherOutOfRange() throws {
    var sketch = GraphSketch()
    sketch.input("i", [1], .int64)
    sketch.constant("table", Tensor([Float(1), 2, 3]))
    sketch.node("Gather", ["table", "i"], ["y"])
    sketch.output("y")
    for index in [3, -4, .max, .min] as [Int64] {
      let error = try failure { _ = try sketch.run([Tensor([index])]) }
      #expect(error.kind == .invalidInput && error.node?.contains("Gather") == true)
    }
    #expect(try sketch.run([Tensor([Int64(-3)])])[0].numbers == [1])
  }

  /// Attributes and shapes that a hostile file may state; each has to give an error, never a trap.
  @Test func hostileParameters() throws {
    func fails(_ type: String, _ tensors: [Tensor], _ attributes: [Attribute] = [], domain: String = "") throws {
      var sketch = GraphSketch()
      sketch.input("x", nil, tensors[0].elementType)
      for (index, tensor) in tensors.enumerated().dropFirst() { sketch.constant("c\(index)", tensor) }
      sketch.node(
        type, domain: domain, ["x"] + tensors.indices.dropFirst().map { "c\($0)" }, ["y"], attributes)
      sketch.output("y")
      _ = try failure { _ = try sketch.run([tensors[0]]) }
    }
    let data = Tensor([Float](repeating: 1, count: 6), shape: [2, 3])
    let axes = [Int64.max, .min, 2, -3]
    for axis in axes {
      for type in ["Softmax", "ArgMax", "LayerNormalization"] {
        try fails(
          type, type == "LayerNormalization" ? [data, Tensor([Float(1)])] : [data], [Attribute("axis", .int(axis))])
      }
      try fails("Concat", [data, data], [Attribute("axis", .int(axis))])
      try fails("Gather", [data, Tensor([Int64(0)])], [Attribute("axis", .int(axis))])
      try fails("ReduceSum", [data, Tensor([axis])])
      try fails("Squeeze", [data, Tensor([axis])])
    }
    try fails("Flatten", [data], [Attribute("axis", .int(.min))])
    try fails("Reshape", [data, Tensor([Int64.max, .max])])
    try fails("Reshape", [data, Tensor([Int64(-1), -1])])
    try fails("Reshape", [data, Tensor([Int64.min])])
    try fails("Expand", [data, Tensor([Int64.max, 1, 1])])
    try fails("Expand", [data, Tensor([Int64(-5), 1, 1])])
    try fails("Tile", [data, Tensor([Int64.max, .max])])
    try fails("Tile", [data, Tensor([Int64(-1), 1])])
    try fails("Transpose", [data], [Attribute("perm", .ints([0, 0]))])
    try fails("Transpose", [data], [Attribute("perm", .ints([9]))])
    try fails("Slice", [data, Tensor([Int64(0)]), Tensor([Int64(1)]), Tensor([Int64(0)]), Tensor([Int64.min])])
    try fails("Slice", [data, Tensor([Int64(0)]), Tensor([Int64(1)]), Tensor([Int64(0)]), Tensor([Int64(0)])])
    try fails("Slice", [data, Tensor([Int64(0)]), Tensor([Int64(1), 2])])
    try fails("Split", [data, Tensor([Int64.max, .max])])
    try fails("Unsqueeze", [data, Tensor([Int64.max])])
    try fails("Einsum", [data], [Attribute("equation", .text("ijk->i"))])
    try fails("Einsum", [data], [Attribute("equation", .text("->->"))])
    try fails("Einsum", [data], [Attribute("equation", .text("ij->z"))])
    try fails("MatMul", [data, data])
    try fails("Gemm", [data, data])
    try fails("Add", [data, Tensor([Float](repeating: 0, count: 4))])
    try fails("Cast", [data], [Attribute("to", .int(999))])
    try fails("ConstantOfShape", [Tensor([Int64.max, .max])])
    try fails("ConstantOfShape", [Tensor([Int64(-1)])])
    try fails("ConstantOfShape", [Tensor([Int64(1) << 40])])
    try fails("Range", [Tensor([Int64(0)], shape: []), Tensor([Int64(5)], shape: []), Tensor([Int64(0)], shape: [])])
    try fails("Range", [Tensor([Int64.min], shape: []), Tensor([Int64.max], shape: []), Tensor([Int64(1)], shape: [])])
    try fails(
      "Range", [Tensor([Float(0)], shape: []), Tensor([Float.infinity], shape: []), Tensor([Float(1)], shape: [])])
    try fails("BatchNormalization", [data, data, data, data, data])
    for size in [Int64.max, 1 << 62, .min, 0] {
      try fails(
        "DequantizeLinear", [Tensor([UInt8(1), 2]), Tensor([Float(1), 1, 1])], [Attribute("block_size", .int(size))])
      try fails(
        "MatMulNBits", [data, Tensor([UInt8(1)]), Tensor([Float(1)])],
        [Attribute("K", .int(3)), Attribute("N", .int(1)), Attribute("block_size", .int(size))],
        domain: "com.microsoft")
    }
  }

  /// A matrix of many rows without columns has nothing to be done for.
  @Test func emptyMatricesTakeNoTime() throws {
    var sketch = GraphSketch()
    sketch.input("shape", nil, .int64)
    sketch.node("ConstantOfShape", ["shape"], ["zeros"])
    sketch.node("EyeLike", ["zeros"], ["eye"])
    sketch.node("Trilu", ["zeros"], ["triangle"])
    sketch.output("eye")
    sketch.output("triangle")
    let results = try sketch.run([Tensor([Int64(1) << 62, 0])])
    #expect(results.map(\.count) == [0, 0])
  }

  /// What a run computes has to fit into its limit, each value and all of them together, whether shapes are known before or not.
  @Test(arguments: [false, true]) func runsHaveALimit(isDynamic: Bool) throws {
    var sketch = GraphSketch()
    sketch.input("x", [1, 256])
    sketch.input("repeats", [2], .int64)
    if !isDynamic { sketch.constant("repeats", Tensor([Int64(16), 1])) }
    for name in ["a", "b", "c"] {
      sketch.node("Tile", ["x", "repeats"], [name])
      sketch.output(name)
    }
    let inputs =
      [Tensor([Float](repeating: 1, count: 256), shape: [1, 256])] + (isDynamic ? [Tensor([Int64(16), 1])] : [])
    let one = 16 * 256 * 4
    for limit in [one - 1, 2 * one] {
      let error = try failure { _ = try sketch.run(inputs, options: EngineOptions(threads: 1, memoryLimit: limit)) }
      #expect(error.kind == .shapeMismatch && error.message.contains("more than the \(limit)"), "\(error)")
    }
    let results = try sketch.run(inputs, options: EngineOptions(threads: 1, memoryLimit: 4 * one))
    #expect(results.map(\.count) == [4096, 4096, 4096])
  }

  /// Constants that a small model computes stay small, however many there are: the rest is left to the run.
  @Test func foldingHasALimit() throws {
    var sketch = GraphSketch()
    sketch.input("x", [1])
    sketch.constant("shape", Tensor([Int64(2 << 20)]))
    for index in 0..<64 {
      sketch.node("ConstantOfShape", ["shape"], ["zeros\(index)"])
      sketch.node("Gather", ["zeros\(index)", "i"], ["y\(index)"])
      sketch.output("y\(index)")
    }
    sketch.input("i", [1], .int64)
    let plan = try ExecutionPlan(sketch.model, options: EngineOptions(threads: 1))
    #expect(plan.constants.reduce(0) { $0 + ($1?.byteCount ?? 0) } < 300 << 20)
    let results = try ExecutionContext(plan: plan).run([Tensor([Float(0)]), Tensor([Int64(5)])])
    #expect(try results.allSatisfy { try $0.numbers == [0] })
  }

  /// A chain of sums that doubles each time.
  @Test func foldingOfDoublingsHasALimit() throws {
    var sketch = GraphSketch()
    sketch.input("i", [1], .int64)
    sketch.constant("c0", Tensor([Float](repeating: 1, count: 1 << 16)))
    for index in 0..<12 {
      sketch.node("Concat", ["c\(index)", "c\(index)"], ["c\(index + 1)"], [Attribute("axis", .int(0))])
    }
    sketch.node("Gather", ["c12", "i"], ["y"])
    sketch.output("y")
    let plan = try ExecutionPlan(sketch.model, options: EngineOptions(threads: 1, memoryLimit: 512 << 20))
    #expect(plan.constants.allSatisfy { ($0?.byteCount ?? 0) <= 256 << 20 })
    let error = try failure { _ = try ExecutionContext(plan: plan).run([Tensor([Int64(5)])]) }
    #expect(error.message.contains("more than the"), "\(error)")
  }
}
