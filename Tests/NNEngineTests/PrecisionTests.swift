import NNEngine
import NNFormat
import Testing

/// Plans that keep the weights of dense layers in bfloat16.
@Suite struct PrecisionTests {
  private static let halves = EngineOptions(threads: 1, precision: .bfloat16)

  /// The value with the lower half of its bits rounded away: nearest, ties to even.
  private func rounded(_ x: Float) -> Float {
    let unit = Float(sign: .plus, exponent: max(x.exponent, -126) - 7, significand: 1)
    return x == 0 ? 0 : (x / unit).rounded(.toNearestOrEven) * unit
  }

  /// The network with its matrices rounded beforehand.
  private func rounded(_ sketch: GraphSketch) throws -> GraphSketch {
    var sketch = sketch
    for index in sketch.graph.initializers.indices where sketch.graph.initializers[index].name.hasPrefix("w") {
      let tensor = sketch.graph.initializers[index].tensor
      let values = try tensor.elements(as: Float.self).map { rounded($0) }
      sketch.graph.initializers[index].tensor = Tensor(values, shape: tensor.shape)
    }
    return sketch
  }

  private func bits(_ tensors: [Tensor]) throws -> [UInt32] {
    try tensors.flatMap { try $0.elements(as: Float.self).map(\.bitPattern) }
  }

  @Test(arguments: [1, 5, 40]) func isFloat32WithRoundedWeights(rows: Int) throws {
    let sketch = classifier([300, 513, 130, 10])
    var random = SeededGenerator(41)
    let input = random.floats([rows, 300])
    let actual = try bits(sketch.run([input], options: Self.halves))
    #expect(try actual == bits(rounded(sketch).run([input])))
    #expect(try actual != bits(sketch.run([input])))
    let reference = try ReferenceInterpreter(rounded(sketch).model).run(["x": input]).map(\.tensor)
    try expectClose(sketch.run([input], options: Self.halves), reference)
  }

  @Test func everyBatchAndThreadGivesTheSameBits() throws {
    let sketch = classifier([300, 1200, 10])
    var random = SeededGenerator(42)
    let input = try random.floats([67, 300]).elements(as: Float.self)
    let expected = try Network(sketch.model, options: Self.halves).predict(input, shape: [67, 300]).values
    for threads in [1, 2] {
      let network = try Network(sketch.model, options: EngineOptions(threads: threads, precision: .bfloat16))
      for rows in 1...67 {
        let first = rows * 29 % (68 - rows)
        let part = Array(input[first * 300..<(first + rows) * 300])
        let actual = try network.predict(part, shape: [rows, 300]).values
        #expect(
          actual.map(\.bitPattern) == expected[first * 10..<(first + rows) * 10].map(\.bitPattern),
          "threads \(threads), \(rows) rows from \(first)")
      }
    }
  }

  /// The bound that `EngineOptions.Precision` states, with a margin for the rounding of float32 sums.
  @Test func theErrorIsWithinItsBound() throws {
    var random = SeededGenerator(43)
    let (depth, columns) = (700, 30)
    let (x, w) = (random.floats([1, depth]), random.floats([depth, columns]))
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), .known(depth)])
    sketch.constant("w", w)
    sketch.node("MatMul", ["x", "w"], ["y"])
    sketch.output("y")
    let y = try sketch.run([x], options: Self.halves)[0].numbers
    let (a, b) = (try x.numbers, try w.numbers)
    for column in 0..<columns {
      let terms = (0..<depth).map { a[$0] * b[$0 * columns + column] }
      let magnitude = terms.reduce(0) { $0 + abs($1) }
      #expect(abs(y[column] - terms.reduce(0, +)) <= magnitude * (1.0 / 512 + 1e-5))
    }
  }

  @Test func weightsThatAreBfloat16LoseNothing() throws {
    var random = SeededGenerator(44)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), 80], .bfloat16)
    sketch.constant("w", half(random.doubles([80, 40], in: -1...1), .bfloat16))
    sketch.node("MatMul", ["x", "w"], ["y"])
    sketch.output("y")
    let input = half(random.doubles([3, 80], in: -1...1), .bfloat16)
    #expect(try sketch.run([input], options: Self.halves)[0].numbers == sketch.run([input])[0].numbers)
  }

  @Test func concernsDenseLayersAlone() throws {
    let sketch = classifier([20, 30, 5])
    let kernels = try ExecutionPlan(sketch.model, options: Self.halves).stepDescriptions.map(\.kernel)
    #expect(kernels.count { $0.hasPrefix("gemm_bf16_") } == 2)
    var random = SeededGenerator(45)
    let input = random.floats([2, 20])
    #expect(
      try bits(sketch.run([input], options: EngineOptions(fusion: false, precision: .bfloat16)))
        == bits(sketch.run([input], options: EngineOptions(fusion: false))))
  }
}
